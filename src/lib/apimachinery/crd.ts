import { keptOfFrozen } from '../memory/index.ts'
import { isKnownFormat } from './crd-formats.ts'
import { defaultBySchema, pruneBySchema, type PruneResult } from './crd-pruning.ts'
import { hasRules, validateChangedRules, validateUnchangedRules } from './crd-rules.ts'
import { validateChanged, validateListTypes } from './crd-schema-validation.ts'
import { SoundnessPlan } from './crd-soundness.ts'
import { compareText, deepEqual, isJsonMap, sameMembers, type JsonMap } from './json.ts'
import { invalidError, type FieldError, type FieldErrorType } from './field-error.ts'
import { isOpenApiSchema, type OpenApiSchema } from './openapi.ts'

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string
  /** integer, number, string, boolean or date. */
  readonly type: string
  readonly jsonPath: string
  readonly format?: string
  readonly description?: string
  /** Columns above 0 show with `-o wide` only. */
  readonly priority: number
}

/** Paths of the scale sub-resource, each starting with a dot. */
export interface ScalePaths {
  readonly specReplicasPath: string
  readonly statusReplicasPath: string
  readonly labelSelectorPath?: string
}

/** One version of a custom resource, ready for use. */
export interface CompiledCrdVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated: boolean
  readonly deprecationWarning?: string
  readonly schema: OpenApiSchema
  readonly printerColumns: readonly PrinterColumn[]
  /** JSON paths usable in field selectors. */
  readonly selectableFields: readonly string[]
  /** Whether the version has a status sub-resource. */
  readonly status: boolean
  readonly scale?: ScalePaths
  /**
   * Drops unspecified fields and names them.
   * @param old - stored object on update
   */
  prune(object: unknown, old?: unknown): PruneResult
  /**
   * Fills in defaults; the argument is not changed.
   * @param old - stored object on update
   */
  default(object: unknown, old?: unknown): unknown
  /**
   * Schema, list types and rules. Metadata is not looked at.
   * @param old - stored object on update
   * @param earlier - what else is wrong with the object: rules are not run on objects with certain errors
   */
  validate(object: unknown, old?: unknown, earlier?: readonly FieldError[]): readonly FieldError[]
}

/** A CustomResourceDefinition, compiled. */
export interface CompiledCrd {
  readonly group: string
  readonly scope: 'Namespaced' | 'Cluster'
  readonly names: {
    readonly kind: string
    readonly listKind: string
    readonly plural: string
    readonly singular: string
    readonly shortNames: readonly string[]
    readonly categories: readonly string[]
  }
  readonly versions: readonly CompiledCrdVersion[]
  /** Warnings the API server gives when the definition is written, e.g. `unrecognized format "url"`. */
  readonly warnings: readonly string[]
}

/** The column of definitions that name none. */
const AGE_COLUMN: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
  priority: 0
}

/**
 * Compiles a CustomResourceDefinition (apiextensions.k8s.io/v1) whose form has been validated.
 * @param crd - the object
 */
export function compileCrd(crd: unknown): CompiledCrd {
  const spec = mapOf(mapOf(crd)['spec'])
  const names = mapOf(spec['names'])
  const kind = textOf(names['kind'])
  const versions = listOf(spec['versions']).map((version) => compiledVersion(mapOf(version)))
  return {
    group: textOf(spec['group']),
    scope: spec['scope'] === 'Cluster' ? 'Cluster' : 'Namespaced',
    names: {
      kind,
      listKind: textOf(names['listKind']) || `${kind}List`,
      plural: textOf(names['plural']),
      singular: textOf(names['singular']) || kind.toLowerCase(),
      shortNames: listOf(names['shortNames']).map(String),
      categories: listOf(names['categories']).map(String)
    },
    versions,
    warnings: formatWarnings(versions)
  }
}

function mapOf(value: unknown): JsonMap {
  return isJsonMap(value) ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Versions of frozen definitions are shared by every server that has them. */
const compiledVersion = keptOfFrozen(compileVersion)

function compileVersion(version: JsonMap): CompiledCrdVersion {
  const found = mapOf(version['schema'])['openAPIV3Schema']
  const schema: OpenApiSchema = isOpenApiSchema(found)
    ? found
    : { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const subresources = mapOf(version['subresources'])
  const scale = isJsonMap(subresources['scale']) ? scalePaths(subresources['scale']) : undefined
  return {
    name: textOf(version['name']),
    served: version['served'] === true,
    storage: version['storage'] === true,
    deprecated: version['deprecated'] === true,
    ...(typeof version['deprecationWarning'] === 'string' ? { deprecationWarning: version['deprecationWarning'] } : {}),
    schema,
    printerColumns: printerColumns(version['additionalPrinterColumns']),
    selectableFields: listOf(version['selectableFields']).map((field) => textOf(mapOf(field)['jsonPath'])),
    status: isJsonMap(subresources['status']),
    ...(scale === undefined ? {} : { scale }),
    ...treatment(schema)
  }
}

/** What is done to objects of a version. Nearly always there is nothing to do, which is found out first. */
function treatment(schema: OpenApiSchema): Pick<CompiledCrdVersion, 'prune' | 'default' | 'validate'> {
  const plan = new SoundnessPlan(schema)
  const isSound = (object: unknown, old: unknown): boolean =>
    isJsonMap(object) && plan.isSoundResource(object, isJsonMap(old) ? old : undefined)
  return {
    prune: (object, old) =>
      isSound(object, old) ? { value: object, unknownFields: NONE } : pruneBySchema(object, schema),
    default: (object, old) => (isSound(object, old) ? object : defaultBySchema(object, schema)),
    validate: (object, old, earlier = NONE) => {
      if (!isSound(object, old) || (earlier.length > 0 && hasRules(schema)))
        return validateCustomResource(object, schema, old, earlier)
      return hasRules(schema) ? ruleErrors(object, schema, old) : NONE
    }
  }
}

const NONE: readonly never[] = Object.freeze([])

function scalePaths(scale: JsonMap): ScalePaths {
  return {
    specReplicasPath: textOf(scale['specReplicasPath']),
    statusReplicasPath: textOf(scale['statusReplicasPath']),
    ...(typeof scale['labelSelectorPath'] === 'string' ? { labelSelectorPath: scale['labelSelectorPath'] } : {})
  }
}

function printerColumns(columns: unknown): readonly PrinterColumn[] {
  const own = listOf(columns).map((column) => {
    const { name, type, jsonPath, priority, format, description } = mapOf(column)
    return {
      name: textOf(name),
      type: textOf(type),
      jsonPath: textOf(jsonPath),
      priority: typeof priority === 'number' ? priority : 0,
      ...(typeof format === 'string' ? { format } : {}),
      ...(typeof description === 'string' ? { description } : {})
    }
  })
  return own.length === 0 ? [AGE_COLUMN] : own
}

/** Errors after which rules are not run. */
const BLOCKING: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid'
])

const SKIPPED_RULES =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

function validateCustomResource(
  object: unknown,
  schema: OpenApiSchema,
  old: unknown,
  earlier: readonly FieldError[]
): FieldError[] {
  // apiVersion, kind and metadata are validated by the server itself; unchanged roots still run transition rules.
  const errors = isUnchanged(object, old)
    ? []
    : [...validateChanged(object, headlessSchema(schema), '', old), ...listErrors(object, schema, old)]
  if (!hasRules(schema)) return errors
  if (isBlocked(earlier) || isBlocked(errors)) return [...errors, invalidError('', null, SKIPPED_RULES)]
  return [...errors, ...ruleErrors(object, schema, old)]
}

function isBlocked(errors: readonly FieldError[]): boolean {
  return errors.some((error) => BLOCKING.has(error.type))
}

/** Objects stored with repetitions may keep them. */
function listErrors(object: unknown, schema: OpenApiSchema, old: unknown): FieldError[] {
  const errors = validateListTypes(object, schema, '')
  if (errors.length === 0 || old === undefined) return errors
  return validateListTypes(old, schema, '').length === 0 ? errors : []
}

function ruleErrors(object: unknown, schema: OpenApiSchema, old: unknown): FieldError[] {
  const validate = isUnchanged(object, old) ? validateUnchangedRules : validateChangedRules
  return validate(object, schema, '', old)
}

/** Whether a resource is what is stored. Managed fields, which may still have to be computed, are not looked into. */
function isUnchanged(object: unknown, old: unknown): boolean {
  if (!isJsonMap(object) || !isJsonMap(old)) return old !== undefined && deepEqual(object, old)
  const { metadata } = object
  const before = old['metadata']
  if (!isJsonMap(metadata) || !isJsonMap(before)) return deepEqual(object, old)
  return sameMembers(object, old, 'metadata') && sameMembers(metadata, before, 'managedFields')
}

const HEADLESS = new WeakMap<OpenApiSchema, OpenApiSchema>()

/** The schema without its metadata. */
function headlessSchema(schema: OpenApiSchema): OpenApiSchema {
  if (schema.properties === undefined) return schema
  const known = HEADLESS.get(schema)
  if (known !== undefined) return known
  const { metadata: _metadata, ...properties } = schema.properties
  const headless = { ...schema, properties }
  HEADLESS.set(schema, headless)
  return headless
}

function formatWarnings(versions: readonly CompiledCrdVersion[]): readonly string[] {
  const found = new Set(versions.flatMap((version) => unknownFormats(version.schema)))
  return [...found].sort(compareText).map((format) => `unrecognized format ${JSON.stringify(format)}`)
}

const UNKNOWN_FORMATS = new WeakMap<OpenApiSchema, readonly string[]>()

function unknownFormats(schema: OpenApiSchema): readonly string[] {
  const known = UNKNOWN_FORMATS.get(schema)
  if (known !== undefined) return known
  const found = new Set<string>()
  collectFormats(schema, found)
  UNKNOWN_FORMATS.set(schema, [...found])
  return [...found]
}

function collectFormats(schema: OpenApiSchema, found: Set<string>): void {
  if (schema.format !== undefined && schema.format !== '' && !isKnownFormat(schema.format)) found.add(schema.format)
  if (schema.items !== undefined) collectFormats(schema.items, found)
  if (typeof schema.additionalProperties === 'object') collectFormats(schema.additionalProperties, found)
  for (const property of Object.values(schema.properties ?? {})) collectFormats(property, found)
}
