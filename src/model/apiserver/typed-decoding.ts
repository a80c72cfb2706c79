import {
  canonicalQuantity,
  deferredNote,
  goQuote,
  isJsonMap,
  QUANTITY_SYNTAX_MESSAGE,
  withoutUndefined
} from '../../lib/apimachinery/index.ts'
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

/** A step of a path: a field, an index of a list, or a key of a map. */
type Step = string | number | { readonly key: string }

/** Where a decoder is, and what it has found. Paths are put together only where something is wrong. */
interface Walk {
  readonly strict: string[]
  readonly duplicates: Duplicates | undefined
  readonly steps: Step[]
  /** Parts of the object that need no decoding. */
  readonly known: Readonly<Record<string, unknown>> | undefined
  /** The struct whose field is decoded. */
  struct: string
}

/**
 * Decodes an object into a type as the API server's JSON decoder (sigs.k8s.io/json) does. The argument is not changed; parts
 * that need no change are shared with it.
 * @param value - parsed JSON
 * @param node - type of the object
 * @param duplicates - repeated names of the parsed text
 * @param stored - the stored object: its own metadata and spec come back as they went out
 */
export function decodeTyped(
  value: unknown,
  node: TypeNode,
  duplicates?: Duplicates,
  stored?: Readonly<Record<string, unknown>>
): DecodeResult {
  const walk: Walk = { strict: [], duplicates, steps: [], known: stored, struct: '' }
  try {
    return { value: decodeNode(value, node, walk), strict: walk.strict }
  } catch (error) {
    if (!(error instanceof TypeMismatch)) throw error
    return { value, strict: walk.strict, failure: error.message, converterFailure: error.converterText }
  }
}

/** The way to a value with indexes and keys, as people read it. */
function pathText(steps: readonly Step[]): string {
  let text = ''
  for (const step of steps) {
    const name = typeof step === 'object' ? step.key : step
    if (typeof name === 'number') text += `[${name}]`
    else text += text === '' ? name : `.${name}`
  }
  return text
}

function decodeNode(value: unknown, node: TypeNode, walk: Walk): unknown {
  switch (node.type) {
    case 'struct':
      return decodeStruct(value, node, walk)
    case 'map':
      return decodeMap(value, node, walk)
    case 'list':
      return decodeList(value, node, walk)
    case 'any':
      return withoutUndefined(value)
    default:
      return decodeScalar(value, node, walk)
  }
}

function decodeStruct(value: unknown, node: TypeNode & { type: 'struct' }, walk: Walk): unknown {
  if (!isJsonMap(value)) return mismatch(value, walk, goTypeName(node))
  const known = node.decoded?.get(value)
  if (known !== undefined) return known
  const outer = walk.struct
  const findings = walk.strict.length
  walk.struct = node.name
  const decoded = withStructs(decodeFields(value, node, walk), value, node)
  walk.struct = outer
  if (node.decoded !== undefined && findings === walk.strict.length && Object.isFrozen(value))
    node.decoded.set(value, decoded)
  return decoded
}

/** The changed copy, or undefined where nothing changes. */
function decodeFields(
  value: Record<string, unknown>,
  node: TypeNode & { type: 'struct' },
  walk: Walk
): Record<string, unknown> | undefined {
  let changed: Record<string, unknown> | undefined
  const repeated = walk.duplicates?.get(value)
  for (const key of Object.keys(value)) {
    const field = node.fields.get(key)
    const before = value[key]
    if (walk.steps.length === 0 && isStoredPart(key, before, walk)) continue
    walk.steps.push(key)
    if (repeated?.includes(key) === true) walk.strict.push(`duplicate field ${goQuote(pathText(walk.steps))}`)
    if (field === undefined) walk.strict.push(`unknown field ${goQuote(pathText(walk.steps))}`)
    const after = field === undefined ? undefined : decodeField(before, field, walk)
    walk.steps.pop()
    if (after === before && field !== undefined) continue
    changed ??= { ...value }
    if (after === undefined) delete changed[key]
    else changed[key] = after
  }
  return changed
}

/** What a client read and sends back untouched has been decoded before; a status may hold nulls that only the server writes. */
function isStoredPart(key: string, part: unknown, { known }: Walk): boolean {
  return known !== undefined && (key === 'metadata' || key === 'spec') && part !== undefined && known[key] === part
}

/** Structs that are no pointers are written even where nothing is in them. */
function withStructs(
  changed: Record<string, unknown> | undefined,
  value: Record<string, unknown>,
  node: TypeNode & { type: 'struct' }
): unknown {
  let result = changed
  for (const [name, struct] of node.written) {
    if ((result ?? value)[name] === undefined) (result ??= { ...value })[name] = emptyStruct(struct)
  }
  return result ?? value
}

function decodeField(value: unknown, field: FieldNode, walk: Walk): unknown {
  if (value === null || value === undefined) return undefined
  // Managed fields that nobody has looked at are the server's own.
  if (field.node.type === 'list' && deferredNote(value) !== undefined) return value
  const decoded = decodeNode(value, field.node, walk)
  return isOmitted(decoded, field) ? undefined : decoded
}

function isOmitted(value: unknown, { node, omits }: FieldNode): boolean {
  if (value === '') return omits.text
  if (value === 0 || value === false) return omits.plain
  if (!omits.empty || typeof value !== 'object') return false
  if (node.type === 'list') return Array.isArray(value) && value.length === 0
  return node.type === 'map' && isJsonMap(value) && Object.keys(value).length === 0
}

function decodeMap(value: unknown, node: TypeNode & { type: 'map' }, walk: Walk): unknown {
  if (!isJsonMap(value)) return mismatch(value, walk, goTypeName(node))
  let changed: Record<string, unknown> | undefined
  const repeated = walk.duplicates?.get(value)
  for (const key of Object.keys(value)) {
    const before = value[key]
    if (typeof before === 'string' && node.values.type === 'string' && repeated === undefined) continue
    walk.steps.push({ key })
    if (repeated?.includes(key) === true) walk.strict.push(`duplicate field ${goQuote(pathText(walk.steps))}`)
    const after = before === null ? zeroOf(node.values) : decodeNode(before, node.values, walk)
    walk.steps.pop()
    if (after !== before) (changed ??= { ...value })[key] = after
  }
  return changed ?? value
}

function decodeList(value: unknown, node: TypeNode & { type: 'list' }, walk: Walk): unknown {
  if (!Array.isArray(value)) return mismatch(value, walk, goTypeName(node))
  const items: readonly unknown[] = value
  let changed: unknown[] | undefined
  for (let index = 0; index < items.length; index++) {
    const before = items[index]
    walk.steps.push(index)
    const after = before === null ? zeroOf(node.items) : decodeNode(before, node.items, walk)
    walk.steps.pop()
    if (after !== before) (changed ??= [...items])[index] = after
  }
  return changed ?? value
}

function zeroOf(node: TypeNode): unknown {
  if (node.type === 'string' || node.type === 'bytes') return ''
  if (node.type === 'bool') return false
  if (node.type === 'struct') return {}
  return node.type === 'int32' || node.type === 'int64' || node.type === 'double' ? 0 : null
}

function decodeScalar(value: unknown, node: TypeNode, walk: Walk): unknown {
  switch (node.type) {
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, walk, 'string')
    case 'bytes':
      return decodeBytes(value, walk)
    case 'quantity':
      return decodeQuantity(value)
    case 'bool':
      return typeof value === 'boolean' ? value : mismatch(value, walk, 'bool')
    case 'int32':
    case 'int64':
      return decodeInteger(value, node.type, walk)
    case 'double':
      return typeof value === 'number' ? value : mismatch(value, walk, 'float64')
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

function decodeBytes(value: unknown, walk: Walk): unknown {
  if (typeof value !== 'string') return mismatch(value, walk, '[]uint8')
  const text = value.replaceAll(/[\r\n]/g, '')
  const bad = text.search(/[^A-Za-z0-9+/=]/)
  const isCut = text.length % 4 !== 0
  if (bad === -1 && !isCut) return value
  const message = `illegal base64 data at input byte ${bad === -1 ? text.length - (text.length % 4) : bad}`
  throw new TypeMismatch(message, `error decoding from json: ${message}`)
}

function decodeInteger(value: unknown, type: 'int32' | 'int64', walk: Walk): unknown {
  if (typeof value !== 'number') return mismatch(value, walk, type)
  const fits = Number.isInteger(value) && (type === 'int64' || Math.abs(value) <= 2_147_483_648)
  return fits ? value : mismatch(value, walk, type, ` ${value}`)
}

/** The time that was checked last: in a simulation, most are the same. */
let lastTime: unknown = ''

function decodeTime(value: unknown, isMicro: boolean): unknown {
  if (value === lastTime) return value
  if (typeof value === 'string' && Number.isNaN(Date.parse(value))) {
    const text = goQuote(value)
    const message = `parsing time ${text} as "2006-01-02T15:04:05${isMicro ? '.000000' : ''}Z07:00": cannot parse ${text} as "2006"`
    throw new TypeMismatch(message, message)
  }
  lastTime = value
  return value
}

function mismatch(value: unknown, walk: Walk, goType: string, literal = ''): never {
  const found = Array.isArray(value)
    ? 'array'
    : isJsonMap(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value
  const goPath = walk.steps.filter((step) => typeof step === 'string').join('.')
  const where = goPath === '' ? 'Go value' : `Go struct field ${walk.struct}.${goPath}`
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
