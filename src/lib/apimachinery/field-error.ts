import { compareText, goQuote, isJsonMap } from './json.ts'
import type { StatusCause } from './status.ts'

/** Kinds of field errors and the reason each has in a Status (apimachinery `field.ErrorType`). */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

/** One finding about one field of an object. */
export interface FieldError {
  readonly type: FieldErrorType
  /** Path, e.g. `spec.template.spec.containers[0].name`; empty prints as `<nil>` (a path without elements). */
  readonly field: string
  /** Offending value; printed unless the type never shows one. */
  readonly value?: unknown
  readonly detail: string
}

const TITLES: Readonly<Record<FieldErrorType, string>> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueForbidden: 'Forbidden',
  FieldValueNotFound: 'Not found',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error'
}

/** Values that a message prints without a value (`Invalid value: <detail>`), as CEL rules do. */
export const OMITTED_VALUE: unique symbol = Symbol('omitted value')

/** Marks a value that prints as the given text, for the places where Go prints a type's own format. */
export class PrintedValue {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const WITHOUT_VALUE: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueRequired',
  'FieldValueForbidden',
  'FieldValueTooLong',
  'InternalError'
])

/**
 * A missing value.
 * @param field - path
 * @param detail - may be empty
 */
export function requiredError(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, value: '', detail }
}

/**
 * A value that breaks a rule.
 * @param field - path
 * @param value - offending value
 * @param detail - the rule
 */
export function invalidError(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, value, detail }
}

/**
 * A value outside a closed list; the list is printed sorted, as the API server does for typed enums.
 * @param field - path
 * @param value - offending value
 * @param supported - accepted values, printed in the order given
 */
export function notSupportedError(field: string, value: unknown, supported: readonly unknown[]): FieldError {
  const list = supported.map((item) => (typeof item === 'string' ? goQuote(item) : goQuote(JSON.stringify(item))))
  const detail = list.length === 0 ? '' : `supported values: ${list.join(', ')}`
  return { type: 'FieldValueNotSupported', field, value, detail }
}

/**
 * A value that must be unique and is not.
 * @param field - path
 * @param value - offending value
 */
export function duplicateError(field: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field, value, detail: '' }
}

/**
 * A value that may not be set or changed here.
 * @param field - path
 * @param detail - why
 */
export function forbiddenError(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, value: '', detail }
}

/**
 * A reference to something that is not there.
 * @param field - path
 * @param value - the reference
 */
export function notFoundError(field: string, value: unknown): FieldError {
  return { type: 'FieldValueNotFound', field, value, detail: '' }
}

/**
 * A text or list longer than allowed.
 * @param field - path
 * @param maxBytes - limit in bytes
 */
export function tooLongError(field: string, maxBytes: number): FieldError {
  return { type: 'FieldValueTooLong', field, value: '', detail: `may not be more than ${maxBytes} bytes` }
}

/**
 * A list or map with more items than allowed.
 * @param field - path
 * @param actual - number of items
 * @param max - limit
 */
export function tooManyError(field: string, actual: number, max: number): FieldError {
  return {
    type: 'FieldValueTooMany',
    field,
    value: actual,
    detail: `must have at most ${max} item${max === 1 ? '' : 's'}`
  }
}

/**
 * A value of the wrong type.
 * @param field - path
 * @param value - offending value, or its type's name
 * @param detail - what is expected
 */
export function typeInvalidError(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, value, detail }
}

/**
 * The message without the path: `Invalid value: "x": must be …` (apimachinery `field.Error.ErrorBody`).
 * @param error - a field error
 */
export function fieldErrorBody(error: FieldError): string {
  const title = TITLES[error.type]
  const detail = error.detail === '' ? '' : `: ${error.detail}`
  if (WITHOUT_VALUE.has(error.type) || error.value === OMITTED_VALUE) return `${title}${detail}`
  return `${title}: ${printedValue(error.value)}${detail}`
}

function printedValue(value: unknown): string {
  if (value instanceof PrintedValue) return value.text
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return goQuote(value)
  if (Array.isArray(value) || isJsonMap(value)) return goJson(value)
  return String(value)
}

function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`
  if (!isJsonMap(value)) return escapeHtml(JSON.stringify(value ?? null))
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort(compareText)
  return `{${keys.map((key) => `${escapeHtml(JSON.stringify(key))}:${goJson(value[key])}`).join(',')}}`
}

/** encoding/json escapes what could end a script element. */
function escapeHtml(text: string): string {
  return text.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026')
}

/**
 * The whole message: `spec.replicas: Invalid value: -1: must be greater than or equal to 0`.
 * @param error - a field error
 */
export function fieldErrorText(error: FieldError): string {
  return `${error.field === '' ? '<nil>' : error.field}: ${fieldErrorBody(error)}`
}

/**
 * The cause of a Status for a field error.
 * @param error - a field error
 */
export function fieldErrorCause(error: FieldError): StatusCause {
  return { reason: error.type, message: fieldErrorBody(error), field: error.field === '' ? '<nil>' : error.field }
}

/**
 * Path of a member: `spec.replicas`, or the bare name at the root.
 * @param path - path of the parent, may be empty
 * @param member - name of a field of a known type
 */
export function fieldPath(path: string, member: string): string {
  return path === '' ? member : `${path}.${member}`
}

/**
 * Path of an element of a list (number) or a map (key): `ports[0]`, `labels[app]`.
 * @param path - path of the list or map
 * @param index - position or key
 */
export function indexPath(path: string, index: number | string): string {
  return `${path}[${index}]`
}
