import { resolveSchema, type OpenApiSchema, type SchemaDefinitions } from './openapi.ts'

/** How server-side apply treats a value (structured-merge-diff schema). */
export type MergeType = ScalarType | MapType | ListType | DeducedType

/** A value that is replaced as a whole. */
export interface ScalarType {
  readonly kind: 'scalar'
  readonly scalar: 'string' | 'numeric' | 'boolean' | 'untyped'
}

/** A struct, a map or both. */
export interface MapType {
  readonly kind: 'map'
  readonly atomic: boolean
  /** Type of a declared field; undefined for others. */
  field(name: string): MergeType | undefined
  /** Type of members that are not declared; undefined: there may be none. */
  element(): MergeType | undefined
}

/** A list. */
export interface ListType {
  readonly kind: 'list'
  readonly relationship: 'atomic' | 'set' | 'map'
  /** Fields that identify an element, for `map`. */
  readonly keys: readonly string[]
  /** Value of a key field that an element leaves out. */
  keyDefault(key: string): unknown
  element(): MergeType
}

/** Whatever the value is: maps merge by key, lists and scalars are replaced (or, when atomic, maps too). */
export interface DeducedType {
  readonly kind: 'deduced'
  readonly atomicMaps: boolean
}

/** Unknown content: maps merge, everything else is replaced. */
export const DEDUCED: DeducedType = Object.freeze({ kind: 'deduced', atomicMaps: false })

/** Defaults of the properties of converted schemas, for list keys that may be left out. */
const KEY_DEFAULTS = new WeakMap<MergeType, (key: string) => unknown>()

const UNTYPED: ScalarType = Object.freeze({ kind: 'scalar', scalar: 'untyped' })

/**
 * Merge type of a kind from its OpenAPI schema, built lazily and cached per schema object.
 * @param schema - schema of the kind or CRD version
 * @param definitions - what references name; none for CRDs
 * @param isResource - adds apiVersion, kind and metadata to schemas of CRDs that leave them out; default false
 */
export function mergeTypeFromOpenApi(
  schema: OpenApiSchema,
  definitions: SchemaDefinitions = {},
  isResource = false
): MergeType {
  const cache = new Map<OpenApiSchema, MergeType>()
  const convert = (property: OpenApiSchema): MergeType => {
    const known = cache.get(property)
    if (known !== undefined) return known
    const { schema: resolved } = resolveSchema(property, definitions)
    const converted = convertSchema(resolved, convert)
    KEY_DEFAULTS.set(converted, (key) => resolved.properties?.[key]?.default)
    cache.set(property, converted)
    return converted
  }
  const root = convert(schema)
  return isResource ? withObjectFields(root) : root
}

function convertSchema(schema: OpenApiSchema, convert: (schema: OpenApiSchema) => MergeType): MergeType {
  if (schema['x-kubernetes-int-or-string'] === true || schema.format === 'int-or-string') return UNTYPED
  if (schema.oneOf !== undefined && schema.type === undefined && schema.properties === undefined) return UNTYPED
  if (schema.type === 'array' || schema.items !== undefined) return listType(schema, convert)
  const isObject =
    schema.type === 'object' ||
    schema.properties !== undefined ||
    schema['x-kubernetes-preserve-unknown-fields'] === true
  if (isObject) return mapType(schema, convert)
  if (schema.type === 'string') return { kind: 'scalar', scalar: 'string' }
  if (schema.type === 'integer' || schema.type === 'number') return { kind: 'scalar', scalar: 'numeric' }
  if (schema.type === 'boolean') return { kind: 'scalar', scalar: 'boolean' }
  return DEDUCED
}

function mapType(schema: OpenApiSchema, convert: (schema: OpenApiSchema) => MergeType): MergeType {
  const { properties, additionalProperties } = schema
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true
  const atomic = schema['x-kubernetes-map-type'] === 'atomic'
  if (properties === undefined && typeof additionalProperties !== 'object')
    return { kind: 'deduced', atomicMaps: atomic }
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const type: MapType = {
    kind: 'map',
    atomic,
    field: (name) =>
      properties !== undefined && Object.hasOwn(properties, name) ? convertNamed(properties, name, convert) : undefined,
    element: () => {
      if (typeof additionalProperties === 'object') return convert(additionalProperties)
      return preserves || additionalProperties === true ? DEDUCED : undefined
    }
  }
  return embedded ? withObjectFields(type) : type
}

function convertNamed(
  properties: Readonly<Record<string, OpenApiSchema>>,
  name: string,
  convert: (schema: OpenApiSchema) => MergeType
): MergeType | undefined {
  const property = properties[name]
  return property === undefined ? undefined : convert(property)
}

function listType(schema: OpenApiSchema, convert: (schema: OpenApiSchema) => MergeType): ListType {
  const items = schema.items ?? {}
  const { relationship, keys } = listRelationship(schema)
  return {
    kind: 'list',
    relationship,
    keys,
    keyDefault: (key) => KEY_DEFAULTS.get(convert(items))?.(key),
    element: () => convert(items)
  }
}

function listRelationship(schema: OpenApiSchema): { relationship: ListType['relationship']; keys: readonly string[] } {
  const listed = schema['x-kubernetes-list-type']
  if (listed === 'map') return { relationship: 'map', keys: schema['x-kubernetes-list-map-keys'] ?? [] }
  if (listed === 'set') return { relationship: 'set', keys: [] }
  if (listed === 'atomic') return { relationship: 'atomic', keys: [] }
  const strategies = (schema['x-kubernetes-patch-strategy'] ?? '').split(',')
  if (!strategies.includes('merge')) return { relationship: 'atomic', keys: [] }
  const key = schema['x-kubernetes-patch-merge-key']
  return key === undefined ? { relationship: 'set', keys: [] } : { relationship: 'map', keys: [key] }
}

/** ObjectMeta of custom resources, whose schemas leave it out. */
const OBJECT_META: OpenApiSchema = {
  type: 'object',
  properties: {
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
    creationTimestamp: {},
    deletionGracePeriodSeconds: { type: 'integer' },
    deletionTimestamp: {},
    finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    generateName: { type: 'string' },
    generation: { type: 'integer' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    managedFields: { type: 'array', items: {}, 'x-kubernetes-list-type': 'atomic' },
    name: { type: 'string' },
    namespace: { type: 'string' },
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        properties: {
          apiVersion: { type: 'string' },
          blockOwnerDeletion: { type: 'boolean' },
          controller: { type: 'boolean' },
          kind: { type: 'string' },
          name: { type: 'string' },
          uid: { type: 'string' }
        }
      }
    },
    resourceVersion: { type: 'string' },
    selfLink: { type: 'string' },
    uid: { type: 'string' }
  }
}

const META_TYPE: MergeType = mergeTypeFromOpenApi(OBJECT_META)
const STRING: ScalarType = Object.freeze({ kind: 'scalar', scalar: 'string' })

function withObjectFields(type: MergeType): MergeType {
  const fields: Readonly<Record<string, MergeType>> = { apiVersion: STRING, kind: STRING, metadata: META_TYPE }
  if (type.kind !== 'map') return type
  return { ...type, field: (name) => (Object.hasOwn(fields, name) ? fields[name] : type.field(name)) }
}
