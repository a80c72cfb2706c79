import data from './typed-fields.generated.json' with { type: 'json' }

/** A Go struct of Flagger's API types, e.g. `istio/v1beta1.VirtualServiceSpec`. */
export type TypedStruct = keyof typeof data.structs

interface Field {
  readonly name: string
  /** `s`, `b`, `n`, `any`, `port` or a struct, after `*` (pointer), `[` (list) and `%` (map). */
  readonly type: string
  readonly omitsZero: boolean
}

type Fields = Record<string, unknown>

const TEXTS: Readonly<Record<string, string>> = data.structs
const STRUCTS = new Map<string, readonly Field[]>()

/**
 * A value as Flagger's typed client holds it: fields that its types do not have are gone, and those that are always
 * written have their zero. What is nil in Go is left out; an empty list or map is not nil.
 * @see Go encoding/json, k8s.io/client-go typed clients
 */
export function decodeTyped(struct: TypedStruct, value: unknown): unknown {
  return convert(struct, value, false)
}

/** A value as Flagger's typed client writes it: as {@link decodeTyped}, in Go's order, with null for what is nil and always written. */
export function encodeTyped(struct: TypedStruct, value: unknown): unknown {
  return convert(struct, value, true)
}

function fieldsOf(struct: string): readonly Field[] | undefined {
  const known = STRUCTS.get(struct)
  if (known !== undefined) return known
  const text = TEXTS[struct]
  if (text === undefined) return undefined
  const fields = text.split(' ').flatMap((one): Field[] => {
    const colon = one.indexOf(':')
    if (colon < 0) return []
    const name = one.slice(0, colon)
    const omitsZero = name.endsWith('?')
    return [{ name: omitsZero ? name.slice(0, -1) : name, type: one.slice(colon + 1), omitsZero }]
  })
  STRUCTS.set(struct, fields)
  return fields
}

/** Undefined stands for nil. */
function convert(type: string, value: unknown, writes: boolean): unknown {
  const given = value ?? undefined
  if (type.startsWith('*')) return given === undefined ? undefined : convert(type.slice(1), given, writes)
  if (type.startsWith('['))
    return Array.isArray(given) ? given.map((entry) => convert(type.slice(1), entry, writes) ?? null) : undefined
  if (type.startsWith('%')) return isFields(given) ? convertMap(type.slice(1), given, writes) : undefined
  const fields = fieldsOf(type)
  if (fields !== undefined) return convertStruct(fields, isFields(given) ? given : {}, writes)
  return given ?? ZEROS[type]
}

/** Zeros of scalars that are no pointers. */
const ZEROS: Readonly<Record<string, unknown>> = { s: '', b: false, n: 0, port: 0 }

/** Go writes maps by key. */
function convertMap(type: string, value: Fields, writes: boolean): Fields {
  const entries = Object.entries(value).map(([key, entry]) => [key, convert(type, entry, writes) ?? null] as const)
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)))
}

function convertStruct(fields: readonly Field[], value: Fields, writes: boolean): Fields {
  const result: Fields = {}
  for (const { name, type, omitsZero } of fields) {
    const converted = convert(type, value[name], writes)
    if (converted === undefined) {
      if (!omitsZero && writes) result[name] = null
    } else if (!omitsZero || !isOmitted(type, converted, writes)) {
      result[name] = converted
    }
  }
  return result
}

/** Pointers and structs are never empty to Go's encoder; a pointer's nil is undefined here. */
function isOmitted(type: string, value: unknown, writes: boolean): boolean {
  if (type.startsWith('[')) return writes && Array.isArray(value) && value.length === 0
  if (type.startsWith('%')) return writes && isFields(value) && Object.keys(value).length === 0
  if (type === 's' || type === 'any') return value === ''
  if (type === 'n') return value === 0
  return type === 'b' && value === false
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
