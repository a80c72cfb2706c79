import { parseFloat64 } from '../number.ts'
import { quote } from '../quote.ts'
import type { NumberValue } from './node.ts'
import type { Token } from './token.ts'
import { unquoteCharacter } from './unquote.ts'

const INT_MAX = 2n ** 63n - 1n
const UINT_MAX = 2n ** 64n - 1n

/**
 * Reads a number of a template.
 * @returns what it may be read as, or the error's text
 * @see Go text/template/parse/node.go newNumber 1.26
 */
export function readNumber({ kind, text }: Token): NumberValue | string {
  if (kind === 'character') return readCharacter(text)
  if (kind === 'complex') return readComplex(text)
  if (text.endsWith('i')) {
    const imaginary = parseFloat64(text.slice(0, -1))
    if (imaginary.ok) return simplified(0, imaginary.value)
  }
  const integer = readInteger(text)
  if (integer !== undefined) {
    if (integer > INT_MAX) return { float: Number(integer), overflows: true }
    return { int: integer, float: Number(integer) }
  }
  const parsed = parseFloat64(text.replaceAll('_', ''))
  if (!parsed.ok) return `illegal number syntax: ${quote(text)}`
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${quote(text)}`
  const { value } = parsed
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? { float: value, int: BigInt(value) } : { float: value }
}

function readCharacter(text: string): NumberValue | string {
  const character = unquoteCharacter(text)
  if (character === undefined) return 'invalid syntax'
  const [value, tail] = character
  if (tail !== "'") return `malformed character constant: ${text}`
  return { int: BigInt(value), float: value }
}

function readComplex(text: string): NumberValue | string {
  const [, real = '', imaginary = ''] = /^([+-]?(?:[^+-]|(?<=[eEpP])[+-])+)([+-].+)i$/.exec(text) ?? []
  const [first, second] = [parseFloat64(real), parseFloat64(imaginary)]
  return first.ok && second.ok ? simplified(first.value, second.value) : 'syntax error scanning complex number'
}

/** Without imaginary part it is a float as well, but its text says complex. */
function simplified(real: number, imaginary: number): NumberValue {
  return { complex: [real, imaginary] }
}

function readInteger(text: string): bigint | undefined {
  const [, sign = '', digits = ''] = /^([+-]?)(.*)$/.exec(text) ?? []
  const plain = digits.replaceAll('_', '')
  const isPlain = /^(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)$/.test(plain)
  if (!isPlain || !underscoresFit(digits)) return undefined
  const octal = /^0[0-7]+$/.test(plain) ? `0o${plain.slice(1)}` : plain
  const value = BigInt(octal)
  if (sign === '-') return value <= INT_MAX + 1n ? -value : undefined
  if (sign === '+' && value > INT_MAX) return undefined
  return value <= UINT_MAX ? value : undefined
}

function underscoresFit(digits: string): boolean {
  if (!digits.includes('_')) return true
  return /^(?:0[xXoObB]_?)?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*$/.test(digits)
}
