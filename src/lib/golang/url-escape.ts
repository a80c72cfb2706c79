import { quoteBytes } from './quote.ts'

/** Where in a URL a text stands. */
export type UrlPart = 'path' | 'user' | 'host' | 'query'

/** A `%` that is no escape, or a character that a part must not have. */
export class EscapeProblem extends Error {}

const UNRESERVED = 'A-Za-z0-9\\-_.~'
/** Bytes that stand for themselves. */
const PLAIN: Readonly<Record<UrlPart, RegExp>> = {
  path: new RegExp(`[${UNRESERVED}$&+,/:;=@]`),
  user: new RegExp(`[${UNRESERVED}$&+,;=]`),
  host: new RegExp(`[${UNRESERVED}!$&'()*+,;=:[\\]<>"]`),
  query: new RegExp(`[${UNRESERVED}]`)
}

/**
 * Escapes the bytes of a text (one character each).
 * @see Go net/url escape 1.26
 */
export function escape(value: string, part: UrlPart): string {
  return [...value]
    .map((byte) => {
      if (PLAIN[part].test(byte)) return byte
      if (byte === ' ' && part === 'query') return '+'
      return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

/**
 * Undoes escapes.
 * @throws EscapeProblem
 * @see Go net/url unescape 1.26
 */
export function unescape(value: string, part: UrlPart): string {
  let result = ''
  for (let at = 0; at < value.length; at++) {
    const byte = value.charAt(at)
    if (byte !== '%') {
      if (part === 'host' && byte < '\u0080' && !PLAIN.host.test(byte))
        throw new EscapeProblem(`invalid character ${quoteBytes(byte)} in host name`)
      result += byte
      continue
    }
    const digits = value.slice(at + 1, at + 3)
    const isEscape = /^[0-9a-fA-F]{2}$/.test(digits)
    if (!isEscape || (part === 'host' && digits < '8' && digits !== '25'))
      throw new EscapeProblem(`invalid URL escape ${quoteBytes(value.slice(at, at + 3))}`)
    result += String.fromCharCode(Number.parseInt(digits, 16))
    at += 2
  }
  return result
}

/** Escapes a text for the value of a query parameter. */
export function queryEscape(value: string): string {
  return escape(Buffer.from(value, 'utf8').toString('latin1'), 'query')
}
