import { deepCopy, isJsonMap, mapShared, ownMember, setMember, withoutUndefined, type JsonMap } from './json.ts'
import { memberSchema } from './crd-schema-validation.ts'
import { fieldPath, indexPath } from './field-error.ts'
import type { OpenApiSchema } from './openapi.ts'

/** A pruned value and what was dropped. */
export interface PruneResult {
  readonly value: unknown
  /** Paths of dropped fields, e.g. `spec.extra`, sorted as the API server reports them. */
  readonly unknownFields: readonly string[]
}

/** Members that every object of the API has, whatever its schema says. */
const OBJECT_MEMBERS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/**
 * Drops what a structural schema does not specify. Parts of which nothing is dropped are shared with the argument.
 * @param value - custom resource, or a part of one
 * @param schema - structural schema
 * @param isResource - whether the value is an object with apiVersion, kind and metadata; default true
 */
export function pruneBySchema(value: unknown, schema: OpenApiSchema, isResource = true): PruneResult {
  const unknownFields: string[] = []
  const pruned = prune(value, schema, { path: '', isResource, unknownFields })
  return { value: pruned, unknownFields }
}

interface PruneContext {
  readonly path: string
  readonly isResource: boolean
  readonly unknownFields: string[]
}

function prune(value: unknown, schema: OpenApiSchema, context: PruneContext): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return withoutUndefined(value)
    const isResource = embeds(items)
    return mapShared(value, (item, index) =>
      prune(item, items, { ...context, path: indexPath(context.path, index), isResource })
    )
  }
  if (!isJsonMap(value)) return value
  let changed: JsonMap | undefined
  for (const name of Object.keys(value)) {
    const before = value[name]
    const after = before === undefined ? undefined : pruneMember(before, name, schema, context)
    if (after === before && before !== undefined) continue
    changed ??= { ...value }
    if (after === undefined) delete changed[name]
    else setMember(changed, name, after)
  }
  return changed ?? value
}

/** Nulls that the schema neither allows nor replaces by a default are as good as absent (apiextensions `PruneNonNullableNullsWithoutDefaults`). */
function isDroppedNull(schema: OpenApiSchema): boolean {
  return schema.nullable !== true && schema.default === undefined
}

function embeds(schema: OpenApiSchema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true
}

/** The member as it is kept; undefined: it is dropped. */
function pruneMember(member: unknown, name: string, schema: OpenApiSchema, context: PruneContext): unknown {
  if (context.isResource && OBJECT_MEMBERS.has(name)) return context.path === '' ? member : withoutUndefined(member)
  const property = memberSchema(schema, name)
  if (property !== undefined) {
    if (member === null) return isDroppedNull(property) ? undefined : null
    if (typeof member !== 'object') return member
    return prune(member, property, { ...context, path: fieldPath(context.path, name), isResource: embeds(property) })
  }
  const isKept = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  if (isKept) return withoutUndefined(member)
  context.unknownFields.push(fieldPath(context.path, name))
  return undefined
}

/**
 * Fills in the defaults of a structural schema, top down, so that a defaulted object gets the defaults of its members too.
 * Nulls that the schema does not allow give way to a default. Parts that are complete are shared with the argument.
 * @param value - custom resource, or a part of one; not changed
 * @param schema - structural schema
 */
export function defaultBySchema(value: unknown, schema: OpenApiSchema): unknown {
  if (!hasDefaults(schema)) return value
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined
      ? value
      : mapShared(value as unknown[], (item) => defaultBySchema(defaultNull(item, items), items))
  }
  return isJsonMap(value) ? defaultMap(value, schema) : value
}

function defaultMap(value: JsonMap, schema: OpenApiSchema): JsonMap {
  let changed: JsonMap | undefined
  for (const name of Object.keys(value)) {
    const property = memberSchema(schema, name)
    if (property === undefined) continue
    const before = value[name]
    const isUnset = before === null && property.nullable !== true && property.default !== undefined
    const after = isUnset ? undefined : defaultBySchema(before, property)
    if (after === before) continue
    changed ??= { ...value }
    if (isUnset) delete changed[name]
    else setMember(changed, name, after)
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined || ownMember(changed ?? value, name) !== undefined) continue
    changed ??= { ...value }
    delete changed[name]
    setMember(changed, name, defaultBySchema(deepCopy(property.default), property))
  }
  return changed ?? value
}

const WITH_DEFAULTS = new WeakMap<OpenApiSchema, boolean>()

/**
 * Whether a schema or one below it has a default.
 * @param schema - structural schema
 */
export function hasDefaults(schema: OpenApiSchema): boolean {
  const known = WITH_DEFAULTS.get(schema)
  if (known !== undefined) return known
  const found =
    schema.default !== undefined ||
    (schema.items !== undefined && hasDefaults(schema.items)) ||
    (typeof schema.additionalProperties === 'object' && hasDefaults(schema.additionalProperties)) ||
    Object.values(schema.properties ?? {}).some(hasDefaults)
  WITH_DEFAULTS.set(schema, found)
  return found
}

function defaultNull(item: unknown, schema: OpenApiSchema): unknown {
  return item === null && schema.nullable !== true && schema.default !== undefined ? deepCopy(schema.default) : item
}
