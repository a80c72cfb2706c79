import { quote } from './quote.ts'

/** A float, or why a text is none. */
export type ParsedFloat = { readonly ok: true; readonly value: number } | { readonly ok: false; readonly error: string }

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP]([+-]?\d+)$/

/**
 * Parses a float of 64 bits, with the error of Go's library.
 * @see Go strconv.ParseFloat 1.26
 */
export function parseFloat64(text: string): ParsedFloat {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special !== null) return specialFloat(special[1] ?? '', special[2] ?? '', text)
  const value = DECIMAL.test(text) ? Number(text) : hexadecimal(text)
  if (value === undefined) return { ok: false, error: failure(text, 'invalid syntax') }
  return Number.isFinite(value) ? { ok: true, value } : { ok: false, error: failure(text, 'value out of range') }
}

function specialFloat(sign: string, word: string, text: string): ParsedFloat {
  if (word.toLowerCase() !== 'nan') return { ok: true, value: sign === '-' ? -Infinity : Infinity }
  return sign === '' ? { ok: true, value: Number.NaN } : { ok: false, error: failure(text, 'invalid syntax') }
}

function hexadecimal(text: string): number | undefined {
  const [, sign = '', mantissa = '', exponent = ''] = HEXADECIMAL.exec(text) ?? []
  if (mantissa === '') return undefined
  const [whole = '', fraction = ''] = mantissa.split('.')
  const digits = Number.parseInt(`${whole}${fraction}` || '0', 16)
  return (sign === '-' ? -1 : 1) * digits * 2 ** (Number(exponent) - 4 * fraction.length)
}

function failure(text: string, why: string): string {
  return `strconv.ParseFloat: parsing ${quote(text)}: ${why}`
}
