import { canonicalQuantity, goQuote, isJsonMap, QUANTITY_SYNTAX_MESSAGE } from '../../lib/apimachinery/index.ts'
import { isOmittedZero } from './omitted-zero.data.ts'
import { emptyStruct, type FieldNode, type TypeNode } from './type-tree.ts'

/** An object as Go would hold it: unknown fields and zero values gone. */
export interface DecodeResult {
  readonly value: unknown
  /** Strict errors in document order: `unknown field "spec.x"`, `duplicate field "spec.y"`. */
  readonly strict: readonly string[]
  /** A value of the wrong type; decoding stops there. */
  readonly failure?: string
  /** The same in the words of a strategic patch. */
  readonly converterFailure?: string
}

/** Names that appeared more than once in an object of the parsed text. */
export type Duplicates = ReadonlyMap<object, readonly string[]>

class TypeMismatch extends Error {
  /** The words of the converter that applies strategic patches. */
  readonly converterText: string
  constructor(message: string, converterText: string) {
    super(message)
    this.converterText = converterText
  }
}

interface Walk {
  readonly strict: string[]
  readonly duplicates: Duplicates | undefined
}

/** Where a value is: for people with indexes, and as Go names it in type errors. */
interface Place {
  readonly path: string
  readonly goPath: string
  readonly struct: string
}

/**
 * Decodes an object into a type as the API server's JSON decoder (sigs.k8s.io/json) does. The argument is not changed; parts
 * that need no change are shared with it.
 * @param value - parsed JSON
 * @param node - type of the object
 * @param duplicates - repeated names of the parsed text
 */
export function decodeTyped(value: unknown, node: TypeNode, duplicates?: Duplicates): DecodeResult {
  const walk: Walk = { strict: [], duplicates }
  try {
    return { value: decodeNode(value, node, { path: '', goPath: '', struct: '' }, walk), strict: walk.strict }
  } catch (error) {
    if (!(error instanceof TypeMismatch)) throw error
    return { value, strict: walk.strict, failure: error.message, converterFailure: error.converterText }
  }
}

function decodeNode(value: unknown, node: TypeNode, place: Place, walk: Walk): unknown {
  switch (node.type) {
    case 'struct':
      return decodeStruct(value, node, place, walk)
    case 'map':
      return decodeMap(value, node, place, walk)
    case 'list':
      return decodeList(value, node, place, walk)
    case 'any':
      return value
    default:
      return decodeScalar(value, node, place)
  }
}

function decodeStruct(value: unknown, node: TypeNode & { type: 'struct' }, place: Place, walk: Walk): unknown {
  if (!isJsonMap(value)) return mismatch(value, place, goTypeName(node))
  let changed: Record<string, unknown> | undefined
  const repeated = walk.duplicates?.get(value)
  for (const key of Object.keys(value)) {
    const path = place.path === '' ? key : `${place.path}.${key}`
    const field = node.fields.get(key)
    if (repeated?.includes(key) === true) walk.strict.push(`duplicate field ${goQuote(path)}`)
    if (field === undefined) {
      walk.strict.push(`unknown field ${goQuote(path)}`)
      delete (changed ??= { ...value })[key]
      continue
    }
    const goPath = place.goPath === '' ? key : `${place.goPath}.${key}`
    const before = value[key]
    const after = decodeField(before, field, { path, goPath, struct: node.name }, walk)
    if (after === before) continue
    changed ??= { ...value }
    if (after === undefined) delete changed[key]
    else changed[key] = after
  }
  return withStructs(changed, value, node)
}

/** Structs that are no pointers are written even where nothing is in them. */
function withStructs(
  changed: Record<string, unknown> | undefined,
  value: Record<string, unknown>,
  node: TypeNode & { type: 'struct' }
): unknown {
  let result = changed
  for (const [name, field] of node.fields) {
    if (field.isAlwaysWritten && (result ?? value)[name] === undefined)
      (result ??= { ...value })[name] = emptyStruct(field.node)
  }
  return result ?? value
}

function decodeField(value: unknown, field: FieldNode, place: Place, walk: Walk): unknown {
  if (value === null || value === undefined) return undefined
  const decoded = decodeNode(value, field.node, place, walk)
  return !field.isRequired && isZero(decoded, field.node, place) ? undefined : decoded
}

function isZero(value: unknown, node: TypeNode, place: Place): boolean {
  if (node.type === 'list') return Array.isArray(value) && value.length === 0
  if (node.type === 'map') return isJsonMap(value) && Object.keys(value).length === 0
  return isOmittedZero(place.struct, place.path.slice(place.path.lastIndexOf('.') + 1), value)
}

function decodeMap(value: unknown, node: TypeNode & { type: 'map' }, place: Place, walk: Walk): unknown {
  if (!isJsonMap(value)) return mismatch(value, place, goTypeName(node))
  let changed: Record<string, unknown> | undefined
  const repeated = walk.duplicates?.get(value)
  for (const [key, before] of Object.entries(value)) {
    const path = `${place.path}.${key}`
    if (repeated?.includes(key) === true) walk.strict.push(`duplicate field ${goQuote(path)}`)
    const after = before === null ? zeroOf(node.values) : decodeNode(before, node.values, { ...place, path }, walk)
    if (after !== before) (changed ??= { ...value })[key] = after
  }
  return changed ?? value
}

function decodeList(value: unknown, node: TypeNode & { type: 'list' }, place: Place, walk: Walk): unknown {
  if (!Array.isArray(value)) return mismatch(value, place, goTypeName(node))
  let changed: unknown[] | undefined
  for (const [index, before] of (value as unknown[]).entries()) {
    const at = { ...place, path: `${place.path}[${index}]` }
    const after = before === null ? zeroOf(node.items) : decodeNode(before, node.items, at, walk)
    if (after !== before) (changed ??= [...(value as unknown[])])[index] = after
  }
  return changed ?? value
}

function zeroOf(node: TypeNode): unknown {
  if (node.type === 'string' || node.type === 'bytes') return ''
  if (node.type === 'bool') return false
  if (node.type === 'struct') return {}
  return node.type === 'int32' || node.type === 'int64' || node.type === 'double' ? 0 : null
}

function decodeScalar(value: unknown, node: TypeNode, place: Place): unknown {
  switch (node.type) {
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, place, 'string')
    case 'bytes':
      return decodeBytes(value, place)
    case 'quantity':
      return decodeQuantity(value)
    case 'bool':
      return typeof value === 'boolean' ? value : mismatch(value, place, 'bool')
    case 'int32':
    case 'int64':
      return decodeInteger(value, node.type, place)
    case 'double':
      return typeof value === 'number' ? value : mismatch(value, place, 'float64')
    case 'time':
    case 'microtime':
      return decodeTime(value, node.type === 'microtime')
    default:
      return value
  }
}

/** Quantities are written in their canonical form: `0.5` as `500m`. */
function decodeQuantity(value: unknown): unknown {
  const canonical = canonicalQuantity(value)
  if (canonical === undefined) throw new TypeMismatch(QUANTITY_SYNTAX_MESSAGE, QUANTITY_SYNTAX_MESSAGE)
  return canonical
}

function decodeBytes(value: unknown, place: Place): unknown {
  if (typeof value !== 'string') return mismatch(value, place, '[]uint8')
  const text = value.replaceAll(/[\r\n]/g, '')
  const bad = text.search(/[^A-Za-z0-9+/=]/)
  const isCut = text.length % 4 !== 0
  if (bad === -1 && !isCut) return value
  const message = `illegal base64 data at input byte ${bad === -1 ? text.length - (text.length % 4) : bad}`
  throw new TypeMismatch(message, `error decoding from json: ${message}`)
}

function decodeInteger(value: unknown, type: 'int32' | 'int64', place: Place): unknown {
  if (typeof value !== 'number') return mismatch(value, place, type)
  const fits = Number.isInteger(value) && (type === 'int64' || Math.abs(value) <= 2_147_483_648)
  return fits ? value : mismatch(value, place, type, ` ${value}`)
}

function decodeTime(value: unknown, isMicro: boolean): unknown {
  if (typeof value === 'string' && Number.isNaN(Date.parse(value))) {
    const text = goQuote(value)
    const message = `parsing time ${text} as "2006-01-02T15:04:05${isMicro ? '.000000' : ''}Z07:00": cannot parse ${text} as "2006"`
    throw new TypeMismatch(message, message)
  }
  return value
}

function mismatch(value: unknown, place: Place, goType: string, literal = ''): never {
  const found = Array.isArray(value)
    ? 'array'
    : isJsonMap(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value
  const where = place.goPath === '' ? 'Go value' : `Go struct field ${place.struct}.${place.goPath}`
  throw new TypeMismatch(
    `json: cannot unmarshal ${found}${literal} into ${where} of type ${goType}`,
    converterText(value, goType)
  )
}

/** What apimachinery's unstructured converter says of a value that does not fit. */
function converterText(value: unknown, goType: string): string {
  const found = Array.isArray(value)
    ? 'slice'
    : isJsonMap(value)
      ? 'map'
      : typeof value === 'number'
        ? 'int64'
        : typeof value === 'boolean'
          ? 'bool'
          : 'string'
  if (goType.startsWith('map[')) return `cannot restore map from ${found}`
  if (goType.startsWith('[]')) return `cannot restore slice from ${found}`
  return goType.startsWith('v1.') ? `cannot restore struct from: ${found}` : `unrecognized type: ${goType}`
}

const GO_NAMES: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: '[]uint8',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  'int-or-string': 'intstr.IntOrString',
  quantity: 'resource.Quantity',
  time: 'v1.Time',
  microtime: 'v1.MicroTime',
  any: 'interface {}'
}

function goTypeName(node: TypeNode): string {
  if (node.type === 'struct') return `v1.${node.name}`
  if (node.type === 'map') return `map[string]${goTypeName(node.values)}`
  if (node.type === 'list') return `[]${goTypeName(node.items)}`
  return GO_NAMES[node.type] ?? node.type
}
