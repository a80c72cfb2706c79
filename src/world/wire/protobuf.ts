import { TwinError } from '../../lib/errors/index.ts'
import data from './protobuf-fields.generated.json' with { type: 'json' }

/** How a field of a message is read. */
interface Field {
  readonly name: string
  readonly type: string
  /** `one`, a list, or a map with text keys. */
  readonly shape: 'one' | 'list' | 'map'
}

type Message = ReadonlyMap<number, Field>

const TEXTS: Readonly<Record<string, string>> = data.messages
const MESSAGES = new Map<string, Message>()
const MAX_DEPTH = 64

/** First bytes of every protobuf body of the API. */
export const PROTOBUF_MAGIC: Buffer = Buffer.from([0x6b, 0x38, 0x73, 0x00])

function messageOf(name: string): Message | undefined {
  const known = MESSAGES.get(name)
  if (known !== undefined) return known
  const text = TEXTS[name]
  if (text === undefined) return undefined
  const fields = text
    .split(' ')
    .filter((one) => one !== '')
    .map((one): readonly [number, Field] => {
      const [number = '', field = '', type = ''] = one.split(':')
      const shape = type.startsWith('*') ? 'list' : type.startsWith('%') ? 'map' : 'one'
      return [Number(number), { name: field, shape, type: shape === 'one' ? type : type.slice(1) }]
    })
  const message = new Map(fields)
  MESSAGES.set(name, message)
  return message
}

class WireFormatError extends Error {}

/** Reads the primitive types of the protobuf encoding; never past the end. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new WireFormatError('unexpected EOF')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw new WireFormatError('integer overflow')
  }

  bytes(): Buffer {
    const length = Number(this.varint())
    const end = this.#at + length
    if (length < 0 || end > this.#bytes.length) throw new WireFormatError('unexpected EOF')
    const found = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return found
  }

  fixed(size: 4 | 8): Buffer {
    const end = this.#at + size
    if (end > this.#bytes.length) throw new WireFormatError('unexpected EOF')
    const found = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return found
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint()
    else if (wireType === 1) this.fixed(8)
    else if (wireType === 2) this.bytes()
    else if (wireType === 5) this.fixed(4)
    else throw new WireFormatError(`illegal wire type ${wireType}`)
  }
}

type Fields = Record<string, unknown>

function put(map: Fields, key: string, value: unknown): void {
  if (value !== undefined)
    Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
}

function decodeMessage(bytes: Buffer, name: string, depth: number): unknown {
  const special = decodeSpecial(bytes, name, depth)
  if (special !== NOT_SPECIAL) return special
  return decodeFields(bytes, name, depth)
}

function decodeFields(bytes: Buffer, name: string, depth: number): Fields {
  if (depth > MAX_DEPTH) throw new WireFormatError('message is nested too deeply')
  const message = messageOf(name)
  const reader = new Reader(bytes)
  const result: Fields = {}
  while (!reader.isAtEnd) {
    const tag = Number(reader.varint())
    const field = message?.get(tag >>> 3)
    if (field === undefined) reader.skip(tag & 7)
    else readField(reader, { field, wireType: tag & 7, depth }, result)
  }
  return result
}

function readField(reader: Reader, at: { field: Field; wireType: number; depth: number }, result: Fields): void {
  const { field, wireType, depth } = at
  if (field.shape === 'map') {
    const map = (result[field.name] ?? {}) as Fields
    const [key, value] = mapEntry(reader.bytes(), field.type, depth)
    put(map, key, value)
    result[field.name] = map
    return
  }
  const value = readValue(reader, field.type, wireType, depth)
  if (INLINE.has(field.name) && isFields(value)) Object.assign(result, value)
  else if (field.shape === 'one') put(result, field.name, value)
  else result[field.name] = [...((result[field.name] as unknown[] | undefined) ?? []), value ?? null]
}

/** Embedded Go structs: messages of their own in protobuf, members of their parent in JSON. */
const INLINE: ReadonlySet<string> = new Set([
  'ingressRuleValue',
  'volumeSource',
  'handler',
  'localObjectReference',
  'persistentVolumeSource',
  'ephemeralContainerCommon'
])

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mapEntry(bytes: Buffer, type: string, depth: number): readonly [string, unknown] {
  const reader = new Reader(bytes)
  let key = ''
  let value: unknown = type === 'string' || type === 'bytes' ? '' : undefined
  while (!reader.isAtEnd) {
    const tag = Number(reader.varint())
    if (tag >>> 3 === 1) key = reader.bytes().toString('utf8')
    else value = readValue(reader, type, tag & 7, depth)
  }
  return [key, value]
}

function readValue(reader: Reader, type: string, wireType: number, depth: number): unknown {
  switch (type) {
    case 'string':
      return reader.bytes().toString('utf8')
    case 'bytes':
      return reader.bytes().toString('base64')
    case 'bool':
      return reader.varint() !== 0n
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
      return Number(reader.varint())
    case 'double':
      return reader.fixed(8).readDoubleLE()
    default:
      if (wireType !== 2) throw new WireFormatError(`wrong wire type ${wireType} for a message`)
      return decodeMessage(reader.bytes(), type, depth + 1)
  }
}

const NOT_SPECIAL = Symbol('not special')
const SECOND_MS = 1000

/** Messages that JSON writes as something else than their fields. */
function decodeSpecial(bytes: Buffer, name: string, depth: number): unknown {
  switch (name) {
    case 'io.k8s.apimachinery.pkg.apis.meta.v1.Time':
    case 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime':
      return timeText(decodeFields(bytes, name, depth), name.endsWith('MicroTime'))
    case 'io.k8s.apimachinery.pkg.api.resource.Quantity':
      return decodeFields(bytes, name, depth)['string'] ?? '0'
    case 'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
      const { type, intVal, strVal } = decodeFields(bytes, name, depth)
      return type === 1 ? (strVal ?? '') : (intVal ?? 0)
    }
    case 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1':
    case 'io.k8s.apimachinery.pkg.runtime.RawExtension':
      return embedded(bytes, name, depth)
    default:
      return NOT_SPECIAL
  }
}

function timeText(fields: Fields, withMicroseconds: boolean): string | undefined {
  const { seconds, nanos = 0 } = fields
  if (typeof seconds !== 'number' || (seconds === 0 && nanos === 0)) return undefined
  const text = new Date(seconds * SECOND_MS).toISOString().slice(0, 19)
  return withMicroseconds ? `${text}.${String(Math.floor(Number(nanos) / SECOND_MS)).padStart(6, '0')}Z` : `${text}Z`
}

/** JSON inside protobuf. */
function embedded(bytes: Buffer, name: string, depth: number): unknown {
  const fields = decodeFields(bytes, name, depth)
  const raw = fields['raw'] ?? fields['Raw']
  if (typeof raw !== 'string' || raw === '') return undefined
  return JSON.parse(Buffer.from(raw, 'base64').toString('utf8')) as unknown
}

const UNKNOWN = 'io.k8s.apimachinery.pkg.runtime.Unknown'
/** Groups whose definitions are not named after `io.k8s.api.<first label>`. */
const META_KINDS: ReadonlySet<string> = new Set([
  'DeleteOptions',
  'Status',
  'CreateOptions',
  'PatchOptions',
  'UpdateOptions'
])

/**
 * Decodes an `application/vnd.kubernetes.protobuf` body (runtime.Unknown around one object) into what the same object is in JSON.
 * @param body - bytes of the request
 * @throws TwinError TWIN_INTERNAL with the reason when it cannot be read
 */
export function decodeProtobuf(body: Buffer): Record<string, unknown> {
  if (!body.subarray(0, PROTOBUF_MAGIC.length).equals(PROTOBUF_MAGIC)) {
    throw new TwinError(
      'TWIN_INTERNAL',
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]'
    )
  }
  try {
    const outer = decodeFields(body.subarray(PROTOBUF_MAGIC.length), UNKNOWN, 0)
    const { apiVersion = '', kind = '' } = (outer['typeMeta'] ?? {}) as { apiVersion?: string; kind?: string }
    const raw = Buffer.from(typeof outer['raw'] === 'string' ? outer['raw'] : '', 'base64')
    const name = definitionOf(apiVersion, kind)
    if (!Object.hasOwn(TEXTS, name))
      throw new WireFormatError(`no kind "${kind}" is registered for version "${apiVersion}"`)
    return { apiVersion, kind, ...decodeFields(raw, name, 0) }
  } catch (error) {
    if (error instanceof WireFormatError) throw new TwinError('TWIN_INTERNAL', error.message, { cause: error })
    throw error
  }
}

function definitionOf(apiVersion: string, kind: string): string {
  if (META_KINDS.has(kind)) return `io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`
  const [version = '', group = 'core'] = apiVersion.split('/').toReversed()
  return `io.k8s.api.${group.split('.')[0] ?? ''}.${version}.${kind}`
}
