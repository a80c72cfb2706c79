import { goTypeOf } from '../../lib/golang/index.ts'
import { keptByText } from '../../lib/memory/index.ts'
import data from './typed-fields.generated.json' with { type: 'json' }
import type { TypedStruct } from './typed.ts'

const TEXTS: Readonly<Record<string, string>> = data.structs

/** Where a value is: the innermost struct, and its fields from the object on. */
interface Place {
  readonly struct: string
  readonly path: string
}

/**
 * Why Flagger's typed client cannot decode a spec: the first value, in the server's order, whose JSON type is not that of
 * its field; undefined when it can. Kinds without schema hold whatever another client, or another version, wrote.
 * @param struct - type of the spec
 * @param kind - kind of the object, whose struct has the spec
 * @param spec - as it was read
 * @see Go encoding/json UnmarshalTypeError
 */
export function typedMismatch(struct: TypedStruct, kind: string, spec: unknown): string | undefined {
  return isKnownToFit(struct, spec) ? undefined : mismatchOf(struct, spec, { struct: kind, path: 'spec' })
}

/** What is stored is frozen and does not change: specs that fit their types, by type. */
const fitting = new Map<TypedStruct, WeakSet<object>>()

/** Nearly all specs fit, which needs no order and no text to be seen. */
function isKnownToFit(struct: TypedStruct, spec: unknown): boolean {
  if (typeof spec !== 'object' || spec === null) return false
  let known = fitting.get(struct)
  if (known === undefined) fitting.set(struct, (known = new WeakSet()))
  if (known.has(spec)) return true
  const isFitting = fitOf(struct)(spec)
  if (isFitting && Object.isFrozen(spec)) known.add(spec)
  return isFitting
}

/** Whether a value has the JSON type of its field. */
type Fit = (value: unknown) => boolean

/** Most types that are kept: more than there are. */
const TYPES_MAX = 2000

const fitOf = keptByText<Fit>(TYPES_MAX, (type) => {
  const fits = fitOfSome(type)
  return (value) => value === undefined || value === null || fits(value)
})

/** As {@link fitOf}, of a value that is not nil. */
function fitOfSome(type: string): Fit {
  if (type === 'any') return () => true
  if (type.startsWith('*')) return fitOf(type.slice(1))
  if (type.startsWith('[')) return fitOfList(fitOf(type.slice(1)))
  if (type.startsWith('%')) return fitOfMap(fitOf(type.slice(1)))
  const fields = fieldsOf(type)
  return fields === undefined ? (value): boolean => isScalar(type, value) : fitOfStruct(fields)
}

function fitOfList(of: Fit): Fit {
  return (value) => {
    if (!Array.isArray(value)) return false
    for (const item of value) if (!of(item)) return false
    return true
  }
}

function fitOfMap(of: Fit): Fit {
  return (value) => isMap(value) && Object.keys(value).every((name) => of(value[name]))
}

/** Structs refer to one another in circles: their fields are looked up when the first value comes. */
function fitOfStruct(types: ReadonlyMap<string, string>): Fit {
  let fields: ReadonlyMap<string, Fit> | undefined
  return (value) => {
    if (!isMap(value)) return false
    fields ??= new Map(Array.from(types, ([name, type]) => [name, fitOf(type)]))
    for (const name of Object.keys(value)) if (fields.get(name)?.(value[name]) === false) return false
    return true
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && !Array.isArray(value)
}

function mismatchOf(type: string, value: unknown, place: Place): string | undefined {
  if (value === undefined || value === null || type === 'any') return undefined
  if (type.startsWith('*')) return mismatchOf(type.slice(1), value, place)
  if (type.startsWith('[')) {
    if (!Array.isArray(value)) return refusal(value, type, place)
    return firstOf(value, (item) => mismatchOf(type.slice(1), item, place))
  }
  if (!type.startsWith('%') && TEXTS[type] === undefined) return scalarMismatch(type, value, place)
  if (typeof value !== 'object' || Array.isArray(value)) return refusal(value, type, place)
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  const fields = fieldsOf(type)
  return firstOf(members, ([name, member]) => {
    if (fields === undefined) return mismatchOf(type.slice(1), member, place)
    const field = fields.get(name)
    const at = { struct: type.slice(type.indexOf('.') + 1), path: `${place.path}.${name}` }
    return field === undefined ? undefined : mismatchOf(field, member, at)
  })
}

function firstOf<Item>(items: readonly Item[], find: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

const FIELDS = new Map<string, ReadonlyMap<string, string>>()

/** Types of a struct's fields by JSON name; undefined for maps. */
function fieldsOf(type: string): ReadonlyMap<string, string> | undefined {
  const text = TEXTS[type]
  if (text === undefined) return undefined
  let fields = FIELDS.get(type)
  if (fields !== undefined) return fields
  fields = new Map(
    text.split(' ').flatMap((one) => {
      const colon = one.indexOf(':')
      return colon < 0 ? [] : [[one.slice(0, colon).replace('?', ''), one.slice(colon + 1)] as const]
    })
  )
  FIELDS.set(type, fields)
  return fields
}

function scalarMismatch(type: string, value: unknown, place: Place): string | undefined {
  if (isScalar(type, value)) return undefined
  const isWrongNumber = typeof value === 'number' && kindOf(type) !== 's' && kindOf(type) !== 'b'
  return refusal(value, type, place, isWrongNumber ? ` ${value}` : '')
}

function isScalar(type: string, value: unknown): boolean {
  const kind = kindOf(type)
  if (kind === 's') return typeof value === 'string'
  if (kind === 'b') return typeof value === 'boolean'
  if (kind === 'port' && typeof value === 'string') return true
  return typeof value === 'number' && (type.includes('float') || isHeldBy(goName(type), value))
}

/** `s`, `b`, `n` or `port`: what stands before the Go type, if there is one. */
function kindOf(type: string): string {
  const end = type.indexOf('=')
  return end < 0 ? type : type.slice(0, end)
}

function isHeldBy(goType: string, value: number): boolean {
  const bits = goType.endsWith('32') ? 32 : 64
  const isUnsigned = goType.startsWith('uint')
  const limit = 2 ** (isUnsigned ? bits : bits - 1)
  return Number.isInteger(value) && value < limit && value >= (isUnsigned ? 0 : -limit)
}

function refusal(value: unknown, type: string, { struct, path }: Place, literal = ''): string {
  return `json: cannot unmarshal ${goTypeOf(value)}${literal} into Go struct field ${struct}.${path} of type ${goName(type)}`
}

const SCALARS: Readonly<Record<string, string>> = {
  s: 'string',
  n: 'int',
  b: 'bool',
  port: 'int32',
  any: 'interface {}'
}

/** A type as Go names it: `[]v1alpha2.TrafficSplitBackend`. */
function goName(type: string): string {
  if (type.startsWith('*')) return `*${goName(type.slice(1))}`
  if (type.startsWith('[')) return `[]${goName(type.slice(1))}`
  if (type.startsWith('%')) return `map[string]${goName(type.slice(1))}`
  const named = type.split('=')[1]
  return named ?? SCALARS[type] ?? type.slice(type.lastIndexOf('/') + 1)
}
