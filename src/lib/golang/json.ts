import { keptByText } from '../memory/index.ts'
import { goJsonError, NESTING_MAX } from './json-syntax.ts'

/** A Go type that JSON is decoded into. `text` is how errors name it. */
export type JsonType =
  | {
      readonly kind: 'struct'
      readonly name: string
      readonly text: string
      /** The field that a name in JSON means. */
      readonly fieldOf: (key: string) => JsonField | undefined
    }
  | { readonly kind: 'list'; readonly text: string; readonly of: JsonType }
  | { readonly kind: 'float' | 'int' | 'string' | 'any'; readonly text: string }

/** A field of a struct. */
export interface JsonField {
  /** Name in JSON, as the tag or the field says. */
  readonly name: string
  readonly type: JsonType
}

/** A decoded value: what JSON left out or said null is absent; or Go's error. */
export type Unmarshalled =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string }

/** A number. */
export const FLOAT: JsonType = { kind: 'float', text: 'float64' }
/** A whole number. */
export const INT: JsonType = { kind: 'int', text: 'int64' }
/** A text. */
export const STRING: JsonType = { kind: 'string', text: 'string' }
/** Anything. */
export const ANY: JsonType = { kind: 'any', text: 'interface {}' }

/** A slice. */
export function listOf(of: JsonType): JsonType {
  return { kind: 'list', text: `[]${of.text}`, of }
}

/** Most names of a struct whose fields are kept. */
const KEYS_MAX = 100

/**
 * A struct.
 * @param name - `package.Name`, or `''` for one without name
 * @param declaration - how an error prints a struct without name, e.g. `struct { Name string "json:\"name\"" }`
 */
export function struct(name: string, fields: readonly JsonField[], declaration: string = name): JsonType {
  const fieldOf = keptByText(KEYS_MAX, (key) => namedField(fields, key))
  return { kind: 'struct', name: name.slice(name.indexOf('.') + 1), text: declaration, fieldOf }
}

/**
 * Decodes a text into a type: unknown fields are left out, the first value of a wrong type is the error.
 * @see Go encoding/json.Unmarshal 1.26
 */
export function unmarshal(text: string, type: JsonType): Unmarshalled {
  // What JavaScript can parse Go can, too, but for what is nested too deeply.
  const parsed = text.length > NESTING_MAX ? undefined : parsedJson(text)
  const syntax = parsed === undefined ? goJsonError(text) : undefined
  if (syntax !== undefined) return { ok: false, error: syntax }
  const walk: Walk = { problem: undefined }
  const value = decode((parsed ?? parsedJson(text))?.value, type, NOWHERE, walk)
  return walk.problem === undefined ? { ok: true, value } : { ok: false, error: walk.problem }
}

interface Walk {
  problem: string | undefined
}

function parsedJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

interface Place {
  /** Name of the struct around; undefined outside of one. */
  readonly struct: string | undefined
  readonly field: string
  /** Where that struct itself stands; undefined for the outermost one. */
  readonly around: Place | undefined
}

const NOWHERE: Place = { struct: undefined, field: '', around: undefined }

function decode(value: unknown, type: JsonType, place: Place, walk: Walk): unknown {
  if (value === null || value === undefined) return undefined
  switch (type.kind) {
    case 'any':
      return value
    case 'struct':
      return isObject(value) ? decodeStruct(value, type, place, walk) : mismatch(value, type, place, walk)
    case 'list':
      return Array.isArray(value)
        ? value.map((entry) => decode(entry, type.of, place, walk))
        : mismatch(value, type, place, walk)
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, type, place, walk)
    default:
      return decodeNumber(value, type, place, walk)
  }
}

function decodeStruct(
  value: Readonly<Record<string, unknown>>,
  type: Extract<JsonType, { kind: 'struct' }>,
  place: Place,
  walk: Walk
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const field = type.fieldOf(key)
    if (field === undefined) continue
    const inside = { struct: type.name, field: field.name, around: place.struct === undefined ? undefined : place }
    const decoded = decode(value[key], field.type, inside, walk)
    if (decoded !== undefined) result[field.name] = decoded
  }
  return result
}

/** The field of that name, else one whose name differs in upper and lower case alone. */
function namedField(fields: readonly JsonField[], key: string): JsonField | undefined {
  for (const field of fields) if (field.name === key) return field
  const lower = key.toLowerCase()
  return fields.find(({ name }) => name.toLowerCase() === lower)
}

function decodeNumber(value: unknown, type: JsonType, place: Place, walk: Walk): unknown {
  if (typeof value !== 'number') return mismatch(value, type, place, walk)
  const fits = type.kind === 'float' ? Number.isFinite(value) : Number.isInteger(value)
  return fits ? value : failed(`number ${String(value)}`, type, place, walk)
}

function mismatch(value: unknown, type: JsonType, place: Place, walk: Walk): undefined {
  const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return failed(what, type, place, walk)
}

function failed(what: string, type: JsonType, place: Place, walk: Walk): undefined {
  const target = place.struct === undefined ? 'value' : `struct field ${place.struct}.${pathOf(place)}`
  walk.problem ??= `json: cannot unmarshal ${what} into Go ${target} of type ${type.text}`
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Fields from the outermost struct on. */
function pathOf({ field, around }: Place): string {
  return around === undefined ? field : `${pathOf(around)}.${field}`
}
