import {
  canonicalQuantity,
  deepFreeze,
  goQuote,
  QUANTITY_SYNTAX_MESSAGE,
  takenOver,
  withoutUndefined
} from '../../lib/apimachinery/index.ts'
import { mismatch, TypeMismatch, type Walk } from './decoding-walk.ts'
import type { TypeNode } from './type-tree.ts'

/** Whether a value stays as it is in a place of a plain type. */
export function isPlain(value: unknown, { type }: TypeNode): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'bool':
      return typeof value === 'boolean'
    case 'int32':
      return Number.isInteger(value) && isInt32(value as number)
    case 'int64':
      return Number.isInteger(value)
    case 'time':
    case 'microtime':
      return typeof value === 'string' && SOUND_TIMES.has(value)
    default:
      return false
  }
}

/** What a null becomes in a list or map. */
export function zeroOf(node: TypeNode): unknown {
  if (node.type === 'string' || node.type === 'bytes') return ''
  if (node.type === 'bool') return false
  if (node.type === 'struct') return EMPTY
  return node.type === 'int32' || node.type === 'int64' || node.type === 'double' ? 0 : null
}

/** Decodes a value that is no struct, map or list. */
export function decodeScalar(value: unknown, node: TypeNode, walk: Walk): unknown {
  switch (node.type) {
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, walk, 'string')
    case 'bytes':
      return decodeBytes(value, walk)
    case 'quantity':
      return decodeQuantity(value)
    case 'bool':
      return typeof value === 'boolean' ? value : mismatch(value, walk, 'bool')
    case 'int-or-string':
      return typeof value === 'string' ? value : decodeInteger(value, 'int32', walk)
    case 'int32':
    case 'int64':
      return decodeInteger(value, node.type, walk)
    case 'double':
      return typeof value === 'number' ? value : mismatch(value, walk, 'float64')
    case 'time':
    case 'microtime':
      return typeof value === 'string' ? decodeTime(value, node.type === 'microtime') : anyValue(value)
    default:
      return anyValue(value)
  }
}

/** A value of no particular shape: frozen, and not its sender's any more. */
export function anyValue(value: unknown): unknown {
  return deepFreeze(withoutUndefined(Object.isFrozen(value) ? value : takenOver(value)))
}

const EMPTY = Object.freeze({})

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
  const fits = Number.isInteger(value) && (type === 'int64' || isInt32(value))
  return fits ? value : mismatch(value, walk, type, ` ${value}`)
}

const INT32_LIMIT = 2_147_483_648

function isInt32(value: number): boolean {
  return value < INT32_LIMIT && value >= -INT32_LIMIT
}

/** Times that were checked before: most are those of something that happened lately. */
const SOUND_TIMES = new Set<string>()
const MAX_SOUND_TIMES = 1024

function decodeTime(value: string, isMicro: boolean): string {
  if (Number.isNaN(Date.parse(value))) {
    const text = goQuote(value)
    const message = `parsing time ${text} as "2006-01-02T15:04:05${isMicro ? '.000000' : ''}Z07:00": cannot parse ${text} as "2006"`
    throw new TypeMismatch(message, message)
  }
  if (SOUND_TIMES.size >= MAX_SOUND_TIMES) SOUND_TIMES.clear()
  SOUND_TIMES.add(value)
  return value
}
