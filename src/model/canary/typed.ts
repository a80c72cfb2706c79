import { deepFreeze } from '../../lib/apimachinery/index.ts'
import data from './typed-fields.generated.json' with { type: 'json' }

/** A Go struct of Flagger's API types, e.g. `istio/v1beta1.VirtualServiceSpec`. */
export type TypedStruct = keyof typeof data.structs

type Fields = Record<string, unknown>

/** Undefined stands for nil. */
type Converter = (value: unknown) => unknown

interface Field {
  readonly name: string
  readonly convert: Converter
  /** Nil is written as null. */
  readonly isAlwaysWritten: boolean
  /** Whether a value is left out as Go's `omitempty` does. */
  readonly isOmitted: (value: unknown) => boolean
}

/** Between memory and the wire: nil is left out when read, and empty lists and maps when written. */
type Direction = 'read' | 'write'

const TEXTS: Readonly<Record<string, string>> = data.structs

/**
 * A value as Flagger's typed client holds it: fields that its types do not have are gone, and those that are always
 * written have their zero. What is nil in Go is left out; an empty list or map is not nil. The same frozen value gives
 * the same frozen result.
 * @see Go encoding/json, k8s.io/client-go typed clients
 */
export function decodeTyped(struct: TypedStruct, value: unknown): unknown {
  return converted(struct, 'read', value)
}

/**
 * A value as Flagger's typed client writes it: as {@link decodeTyped}, in Go's order, with null for what is nil and always
 * written.
 */
export function encodeTyped(struct: TypedStruct, value: unknown): unknown {
  return converted(struct, 'write', value)
}

/** What is stored or was converted before is frozen throughout: what it gives holds as long as it does. */
const resultsOfFrozen: Readonly<Record<Direction, Map<TypedStruct, WeakMap<object, unknown>>>> = {
  read: new Map(),
  write: new Map()
}

function converted(struct: TypedStruct, direction: Direction, value: unknown): unknown {
  const convert = converterOf(struct, direction)
  if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return convert(value)
  let results = resultsOfFrozen[direction].get(struct)
  if (results === undefined) resultsOfFrozen[direction].set(struct, (results = new WeakMap()))
  const known = results.get(value)
  if (known !== undefined) return known
  const result = deepFreeze(convert(value))
  results.set(value, result)
  return result
}

const CONVERTERS: Readonly<Record<Direction, Map<string, Converter>>> = { read: new Map(), write: new Map() }

/**
 * @param type - `s`, `b`, `n` (each maybe with `=` and a Go type), `any`, `port` or a struct, after `*` (pointer), `[` (list) and `%` (map)
 */
function converterOf(type: string, direction: Direction): Converter {
  const known = CONVERTERS[direction].get(type)
  if (known !== undefined) return known
  const made = makeConverter(type, direction)
  CONVERTERS[direction].set(type, made)
  return made
}

function makeConverter(type: string, direction: Direction): Converter {
  const text = TEXTS[type]
  if (text !== undefined) return structConverter(text, direction)
  const kind = scalarKind(type)
  const zero = ZEROS[kind]
  if (kind in ZEROS) return (value) => value ?? zero
  const of = converterOf(type.slice(1), direction)
  if (type.startsWith('*')) return (value) => (value === undefined || value === null ? undefined : of(value))
  if (type.startsWith('['))
    return (value) => (Array.isArray(value) ? value.map((entry) => of(entry) ?? null) : undefined)
  return (value) => (isFields(value) ? convertedMap(of, value) : undefined)
}

/** Numbers and texts may name the Go type they have: `n=int32`. */
function scalarKind(type: string): string {
  return type.startsWith('n=') || type.startsWith('s=') ? type.slice(0, 1) : type
}

/** Zeros of scalars that are no pointers. */
const ZEROS: Readonly<Record<string, unknown>> = { s: '', b: false, n: 0, port: 0, any: undefined }

/** Go writes maps by key. */
function convertedMap(of: Converter, value: Fields): Fields {
  const keys = Object.keys(value).sort()
  return Object.fromEntries(keys.map((key) => [key, of(value[key]) ?? null]))
}

/** Structs refer to one another in circles: their fields are looked up when the first value comes. */
function structConverter(text: string, direction: Direction): Converter {
  let fields: readonly Field[] | undefined
  return (value) => {
    fields ??= fieldsOf(text, direction)
    return convertedStruct(fields, isFields(value) ? value : {}, direction)
  }
}

function convertedStruct(fields: readonly Field[], value: Fields, direction: Direction): Fields {
  const result: Fields = {}
  for (const { name, convert, isAlwaysWritten, isOmitted } of fields) {
    const member = convert(value[name])
    if (member === undefined) {
      if (isAlwaysWritten && direction === 'write') result[name] = null
    } else if (isAlwaysWritten || !isOmitted(member)) {
      result[name] = member
    }
  }
  return result
}

function fieldsOf(text: string, direction: Direction): readonly Field[] {
  return text.split(' ').flatMap((one): Field[] => {
    const colon = one.indexOf(':')
    if (colon < 0) return []
    const [name, type] = [one.slice(0, colon), one.slice(colon + 1)]
    const isAlwaysWritten = !name.endsWith('?')
    return [
      {
        name: isAlwaysWritten ? name : name.slice(0, -1),
        convert: converterOf(type, direction),
        isAlwaysWritten,
        isOmitted: omission(type, direction)
      }
    ]
  })
}

/** Pointers and structs are never empty to Go's encoder; a pointer's nil is undefined here. */
function omission(type: string, direction: Direction): (value: unknown) => boolean {
  if (type.startsWith('[')) return (value) => direction === 'write' && Array.isArray(value) && value.length === 0
  if (type.startsWith('%'))
    return (value) => direction === 'write' && isFields(value) && Object.keys(value).length === 0
  const kind = scalarKind(type)
  if (kind === 's' || kind === 'any') return (value) => value === ''
  if (kind === 'n') return (value) => value === 0
  return type === 'b' ? (value) => value === false : () => false
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
