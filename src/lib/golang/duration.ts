import { keptByText } from '../memory/index.ts'
import { GO_DURATION_UNITS_NS } from '../time/index.ts'
/** From here on a duration does not fit into 64 bits. */
const NANOSECONDS_END = 2 ** 63

/** A duration, or why a text is none. */
export type ParsedDuration = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly error: string }

/**
 * Parses a duration, with the error of Go's library.
 * @see Go time.ParseDuration 1.26
 */
export function parseDuration(text: string): ParsedDuration {
  return parsedDuration(text)
}

/** Most durations that are kept. */
const DURATIONS_MAX = 200

/** The same few time-outs and intervals are parsed again and again. */
const parsedDuration = keptByText(DURATIONS_MAX, parsed)

function parsed(text: string): ParsedDuration {
  const invalid = refused(text, 'invalid duration')
  const [, sign = '', body = ''] = /^([+-]?)([\s\S]*)$/.exec(text) ?? []
  if (body === '0') return { ok: true, ms: 0 }
  if (body === '') return invalid
  let totalNs = 0
  for (let rest = body; rest !== '';) {
    const [amount = ''] = /^\d*(?:\.\d*)?/.exec(rest) ?? []
    if (!/\d/.test(amount)) return invalid
    if (Number(/^\d*/.exec(amount)?.[0] ?? '') >= NANOSECONDS_END) return invalid
    const [unit = ''] = /^[^\d.]*/.exec(rest.slice(amount.length)) ?? []
    if (unit === '') return refused(text, 'missing unit in duration')
    const unitNs = GO_DURATION_UNITS_NS[unit]
    if (unitNs === undefined) return refused(text, `unknown unit ${byteQuote(unit)} in duration`)
    totalNs += Math.trunc(Number(amount) * unitNs)
    if (totalNs >= NANOSECONDS_END) return invalid
    rest = rest.slice(amount.length + unit.length)
  }
  return { ok: true, ms: (sign === '-' ? -1 : 1) * (totalNs / 1e6) }
}

function refused(text: string, why: string): ParsedDuration {
  return { ok: false, error: `time: ${why} ${byteQuote(text)}` }
}

/** The package quotes other than ASCII byte by byte. */
function byteQuote(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is meant
  if (/^[\u0020-\u007f]*$/.test(text)) return `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`
  const bytes = Buffer.from(text, 'utf8')
  return `"${[...bytes].map((byte) => quotedByte(byte)).join('')}"`
}

function quotedByte(byte: number): string {
  if (byte >= 0x80 || byte < 0x20) return `\\x${byte.toString(16).padStart(2, '0')}`
  const character = String.fromCodePoint(byte)
  return character === '"' || character === '\\' ? `\\${character}` : character
}
