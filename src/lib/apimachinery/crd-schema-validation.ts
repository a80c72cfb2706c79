import { deepEqual, isJsonMap, ownMember } from './json.ts'
import { hasFormat, isKnownFormat } from './crd-formats.ts'
import {
  duplicateError,
  fieldPath,
  indexPath,
  invalidError,
  notSupportedError,
  requiredError,
  tooLongError,
  tooManyError,
  typeInvalidError,
  type FieldError
} from './field-error.ts'
import type { OpenApiSchema } from './openapi.ts'

/**
 * Validates a value against an OpenAPI v3 schema with the messages of kube-openapi's validator as apiextensions 1.36 reports them.
 * @param value - pruned and defaulted value
 * @param schema - structural schema
 * @param path - where the value is; empty at the root
 * @param old - the stored value at this place: parts that did not change are not reported (validation ratcheting)
 */
export function validateAgainstSchema(
  value: unknown,
  schema: OpenApiSchema,
  path: string,
  old?: unknown
): FieldError[] {
  return old !== undefined && deepEqual(value, old) ? [] : validateChanged(value, schema, path, old)
}

/** Like {@link validateAgainstSchema}, for a value that is known to differ from the stored one. */
export function validateChanged(value: unknown, schema: OpenApiSchema, path: string, old: unknown): FieldError[] {
  if (value === null && schema.nullable === true) return []
  const errors = typeErrors(value, schema, path)
  const add = (found: readonly FieldError[]): void => {
    if (found.length > 0) errors.push(...found)
  }
  if (isCombined(schema)) add(combinationErrors(value, schema, path))
  if (typeof value === 'string') add(stringErrors(value, schema, path))
  else if (typeof value === 'number') add(numberErrors(value, schema, path))
  else if (Array.isArray(value)) add(arrayErrors(value, schema, path, old))
  if (schema.enum !== undefined) add(enumErrors(value, schema, path))
  if (isJsonMap(value)) add(objectErrors(value, schema, path, old))
  return errors
}

function isCombined({ allOf, anyOf, oneOf, not }: OpenApiSchema): boolean {
  return allOf !== undefined || anyOf !== undefined || oneOf !== undefined || not !== undefined
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function typeErrors(value: unknown, schema: OpenApiSchema, path: string): FieldError[] {
  const actual = typeName(value)
  if (schema.type === actual) return formatErrors(value, schema, path)
  const expected =
    schema['x-kubernetes-int-or-string'] === true
      ? ['integer', 'string']
      : schema.type === undefined
        ? []
        : [schema.type]
  if (expected.length === 0 || expected.includes(actual)) return formatErrors(value, schema, path)
  if (actual === 'integer' && expected.includes('number')) return []
  const { format } = schema
  if (format !== undefined && value !== null && isKnownFormat(format)) {
    const isTextual = typeof value === 'string' || Array.isArray(value)
    const isNumeric = expected.includes('number') || expected.includes('integer')
    if (isTextual && !isNumeric) return formatErrors(value, schema, path)
    if (!isTextual) return typeMismatch(path, format, goFormat(actual))
  }
  return typeMismatch(path, expected.join(','), actual)
}

function typeMismatch(path: string, wanted: string, actual: string): FieldError[] {
  return [typeInvalidError(path, actual, `${path} in body must be of type ${wanted}: "${actual}"`)]
}

/** Where a schema has a format, its validator names that of the value. */
function goFormat(actual: string): string {
  if (actual === 'integer') return 'int64'
  return actual === 'number' ? 'float64' : ''
}

function formatErrors(value: unknown, schema: OpenApiSchema, path: string): FieldError[] {
  if (typeof value !== 'string' || schema.format === undefined || hasFormat(schema.format, value)) return []
  return [typeInvalidError(path, value, `${path} in body must be of type ${schema.format}: ${JSON.stringify(value)}`)]
}

/**
 * What `allOf`, `anyOf`, `oneOf` and `not` find wrong.
 * @param value - validated value
 * @param schema - schema with such members
 * @param path - where the value is
 */
export function combinationErrors(value: unknown, schema: OpenApiSchema, path: string): FieldError[] {
  const errors: FieldError[] = []
  const subject = `"${path}"`
  if (schema.allOf !== undefined) {
    const failures = schema.allOf.flatMap((part) => validateAgainstSchema(value, part, path))
    if (failures.length > 0)
      errors.push(...failures, invalidError('', '', `${subject} must validate all the schemas (allOf)`))
  }
  if (schema.anyOf !== undefined && schema['x-kubernetes-int-or-string'] !== true)
    errors.push(...anyOfErrors(value, schema.anyOf, path))
  if (schema.oneOf !== undefined) errors.push(...oneOfErrors(value, schema.oneOf, path))
  if (schema.not !== undefined && validateAgainstSchema(value, schema.not, path).length === 0) {
    errors.push(invalidError('', '', `${subject} must not validate the schema (not)`))
  }
  return errors
}

function anyOfErrors(value: unknown, alternatives: readonly OpenApiSchema[], path: string): FieldError[] {
  const results = alternatives.map((part) => validateAgainstSchema(value, part, path))
  if (results.some((result) => result.length === 0)) return []
  return [...(results[0] ?? []), invalidError('', '', `"${path}" must validate at least one schema (anyOf)`)]
}

function oneOfErrors(value: unknown, alternatives: readonly OpenApiSchema[], path: string): FieldError[] {
  const results = alternatives.map((part) => validateAgainstSchema(value, part, path))
  const valid = results.filter((result) => result.length === 0).length
  if (valid === 1) return []
  const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
  const text = `"${path}" must validate one and only one schema (oneOf). ${found}`
  return [invalidError('', '', text), ...(valid === 0 ? (results[0] ?? []) : [])]
}

/**
 * What is wrong with the length or the form of a text; only the first of the three limits is reported.
 * @param value - the text
 * @param schema - its schema
 * @param path - where it is
 */
export function stringErrors(value: string, schema: OpenApiSchema, path: string): FieldError[] {
  const isMeasured = schema.maxLength !== undefined || schema.minLength !== undefined
  const length = isMeasured ? [...value].length : 0
  if (schema.maxLength !== undefined && length > schema.maxLength) return [tooLongError(path, schema.maxLength)]
  if (schema.minLength !== undefined && length < schema.minLength) {
    return [invalidError(path, value, `${path} in body should be at least ${schema.minLength} chars long`)]
  }
  if (schema.pattern !== undefined && !goRegExp(schema.pattern).test(value)) {
    return [invalidError(path, value, `${path} in body should match '${schema.pattern}'`)]
  }
  return []
}

const COMPILED = new Map<string, RegExp>()
const MAX_COMPILED = 2000

/**
 * A JavaScript regular expression for one in Go's syntax, as far as both agree; flags at the start (`(?i)`) are understood.
 * @param pattern - RE2 syntax
 */
export function goRegExp(pattern: string): RegExp {
  const known = COMPILED.get(pattern)
  if (known !== undefined) return known
  const flags = /^\(\?([ims]+)\)/.exec(pattern)
  const source = (flags === null ? pattern : pattern.slice(flags[0].length))
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\z', '$(?![^])')
  const compiled = compileRegExp(source, flags?.[1] ?? '')
  if (COMPILED.size >= MAX_COMPILED) COMPILED.clear()
  COMPILED.set(pattern, compiled)
  return compiled
}

function compileRegExp(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, `${flags}u`)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // Escapes of ordinary characters are errors only with the flag `u`.
    return new RegExp(source, flags)
  }
}

/**
 * Limits that a number exceeds.
 * @param value - the number
 * @param schema - its schema
 * @param path - where it is
 */
export function numberErrors(value: number, schema: OpenApiSchema, path: string): FieldError[] {
  const errors: FieldError[] = rangeErrors(value, schema, path)
  const { multipleOf, maximum, minimum } = schema
  if (multipleOf !== undefined) {
    if (Number.isInteger(value) && Math.trunc(multipleOf) === 0) {
      errors.push(invalidError(path, 0, `factor MultipleOf declared for ${path} must be positive: 0`))
    } else if (!isMultiple(value, multipleOf)) {
      errors.push(invalidError(path, value, `${path} in body should be a multiple of ${multipleOf}`))
    }
  }
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    const rule = schema.exclusiveMaximum === true ? 'less than' : 'less than or equal to'
    errors.push(invalidError(path, value, `${path} in body should be ${rule} ${maximum}`))
  }
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    const rule = schema.exclusiveMinimum === true ? 'greater than' : 'greater than or equal to'
    errors.push(invalidError(path, value, `${path} in body should be ${rule} ${minimum}`))
  }
  return errors
}

const INT32_MAX = 2_147_483_647

/** Whether the number fits its type; the finding has no field. */
function rangeErrors(value: number, { type, format }: OpenApiSchema, path: string): FieldError[] {
  if (type !== 'integer') return []
  const isShort = format === 'int32'
  const fits =
    Number.isInteger(value) && (isShort ? value <= INT32_MAX && value >= -INT32_MAX - 1 : Math.abs(value) <= 2 ** 63)
  if (fits) return []
  const name = isShort || format === 'int64' ? `with format ${format}` : '(default format)'
  return [invalidError('', '', `Checked value must be of type integer ${name} in ${path}`)]
}

function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor
  return Math.abs(quotient - Math.round(quotient)) < 1e-9
}

function arrayErrors(value: readonly unknown[], schema: OpenApiSchema, path: string, old: unknown): FieldError[] {
  const errors: FieldError[] = []
  const { items } = schema
  if (items !== undefined) {
    const oldItem = elementCorrelation(schema, old)
    for (const [index, item] of value.entries()) {
      errors.push(...validateAgainstSchema(item, items, indexPath(path, index), oldItem(item)))
    }
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    errors.push(invalidError(path, value.length, `${path} in body should have at least ${schema.minItems} items`))
  }
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    errors.push(tooManyError(path, value.length, schema.maxItems))
  return errors
}

/**
 * Finds the stored element that an element of a list corresponds to: only lists of type `map` have such.
 * @param schema - schema of the list
 * @param old - stored list
 */
export function elementCorrelation(schema: OpenApiSchema, old: unknown): (item: unknown) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return () => undefined
  return (item) =>
    (old as unknown[]).find(
      (other) =>
        isJsonMap(item) && isJsonMap(other) && keys.every((key) => deepEqual(item[key] ?? null, other[key] ?? null))
    )
}

function enumErrors(value: unknown, schema: OpenApiSchema, path: string): FieldError[] {
  if (schema.enum === undefined || schema.enum.some((allowed) => deepEqual(allowed, value))) return []
  return [notSupportedError(path, value, schema.enum)]
}

function objectErrors(value: Record<string, unknown>, schema: OpenApiSchema, path: string, old: unknown): FieldError[] {
  const size = Object.keys(value).length
  const errors: FieldError[] = []
  if (schema.minProperties !== undefined && size < schema.minProperties) {
    errors.push(invalidError(path, size, `${path} in body should have at least ${schema.minProperties} properties`))
  }
  if (schema.maxProperties !== undefined && size > schema.maxProperties)
    errors.push(tooManyError(path, size, schema.maxProperties))
  for (const name of schema.required ?? []) {
    if (ownMember(value, name) === undefined) errors.push(requiredError(fieldPath(path, name)))
  }
  for (const [name, member] of Object.entries(value)) {
    const property = memberSchema(schema, name)
    if (property === undefined) continue
    const before = isJsonMap(old) ? ownMember(old, name) : undefined
    errors.push(...validateAgainstSchema(member, property, fieldPath(path, name), before))
  }
  return errors
}

/**
 * Schema of a member of an object: its property or that of additional ones.
 * @param schema - schema of the object
 * @param name - of the member
 */
export function memberSchema(schema: OpenApiSchema, name: string): OpenApiSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

/**
 * Repetitions in lists of type `set` and `map`, and items of the latter that are no objects (apiextensions `listtype`).
 * @param value - validated value
 * @param schema - structural schema
 * @param path - where the value is
 */
export function validateListTypes(value: unknown, schema: OpenApiSchema, path: string): FieldError[] {
  if (!hasIdentities(schema)) return []
  if (Array.isArray(value)) return listTypeErrors(value, schema, path)
  if (!isJsonMap(value)) return []
  return Object.entries(value).flatMap(([name, member]) => {
    const property = memberSchema(schema, name)
    if (property === undefined) return []
    const memberPath =
      schema.properties !== undefined && Object.hasOwn(schema.properties, name)
        ? fieldPath(path, name)
        : indexPath(path, name)
    return validateListTypes(member, property, memberPath)
  })
}

const WITH_IDENTITIES = new WeakMap<OpenApiSchema, boolean>()

/**
 * Whether a schema or one below it has a list whose items may not repeat.
 * @param schema - structural schema
 */
export function hasIdentities(schema: OpenApiSchema): boolean {
  const known = WITH_IDENTITIES.get(schema)
  if (known !== undefined) return known
  const found =
    listIdentity(schema) !== undefined ||
    (schema.items !== undefined && hasIdentities(schema.items)) ||
    (typeof schema.additionalProperties === 'object' && hasIdentities(schema.additionalProperties)) ||
    Object.values(schema.properties ?? {}).some(hasIdentities)
  WITH_IDENTITIES.set(schema, found)
  return found
}

function listTypeErrors(value: readonly unknown[], schema: OpenApiSchema, path: string): FieldError[] {
  const errors = identityErrors(value, schema, path)
  const { items } = schema
  if (items === undefined) return errors
  for (const [index, item] of value.entries()) {
    const found = validateListTypes(item, items, indexPath(path, index))
    if (found.length > 0) errors.push(...found)
  }
  return errors
}

/** Of several equal items only the second is reported. */
function identityErrors(value: readonly unknown[], schema: OpenApiSchema, path: string): FieldError[] {
  const identity = listIdentity(schema)
  if (identity === undefined) return []
  if (schema['x-kubernetes-list-type'] === 'map') {
    const strange = value.findIndex((item) => item !== null && !isJsonMap(item))
    if (strange !== -1)
      return [invalidError(indexPath(path, strange), value[strange], 'must be an object for an array of list-type map')]
  }
  const keys = value.map(identity)
  return keys.flatMap((key, index) => {
    const before = keys.slice(0, index).filter((other) => deepEqual(other, key)).length
    return before === 1 ? [duplicateError(indexPath(path, index), key)] : []
  })
}

function listIdentity(schema: OpenApiSchema): ((item: unknown) => unknown) | undefined {
  if (schema['x-kubernetes-list-type'] === 'set') return (item) => item
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return (item) =>
    isJsonMap(item) ? Object.fromEntries(keys.filter((key) => key in item).map((key) => [key, item[key]])) : {}
}
