import { quoteBytes } from './quote.ts'

/** Where in a URL a text stands. */
export type UrlPart = 'path' | 'user' | 'host' | 'query'

/** A `%` that is no escape, or a character that a part must not have. */
export class EscapeProblem extends Error {}

const UNRESERVED = 'A-Za-z0-9\\-_.~'
/** Bytes that stand for themselves, as a class of a regular expression. */
const PLAIN: Readonly<Record<UrlPart, string>> = {
  path: `${UNRESERVED}$&+,/:;=@`,
  user: `${UNRESERVED}$&+,;=`,
  host: `${UNRESERVED}!$&'()*+,;=:[\\]<>"`,
  query: UNRESERVED
}
/** Every byte that is escaped. */
const ESCAPED: Readonly<Record<UrlPart, RegExp>> = {
  path: new RegExp(`[^${PLAIN.path}]`, 'g'),
  user: new RegExp(`[^${PLAIN.user}]`, 'g'),
  host: new RegExp(`[^${PLAIN.host}]`, 'g'),
  query: new RegExp(`[^${PLAIN.query}]`, 'g')
}
/** What a host must not have: a byte of ASCII that is not plain, but for the escapes themselves. */
const NO_HOST = new RegExp(`[^${PLAIN.host}%\\u0080-\\uffff]`)

/**
 * Escapes the bytes of a text (one character each).
 * @see Go net/url escape 1.26
 */
export function escape(value: string, part: UrlPart): string {
  return value.replace(ESCAPED[part], part === 'query' ? escapedInQuery : escapedByte)
}

function escapedInQuery(byte: string): string {
  return byte === ' ' ? '+' : escapedByte(byte)
}

function escapedByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/**
 * Undoes escapes.
 * @throws EscapeProblem
 * @see Go net/url unescape 1.26
 */
export function unescape(value: string, part: UrlPart): string {
  if (!value.includes('%') && (part !== 'host' || !NO_HOST.test(value))) return value
  let result = ''
  for (let at = 0; at < value.length; at++) {
    const byte = value.charAt(at)
    if (byte !== '%') {
      if (part === 'host' && NO_HOST.test(byte))
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
  return escape(latin1(value), 'query')
}

/** One character per byte: what Go's strings are. */
export function latin1(value: string): string {
  // oxlint-disable-next-line no-control-regex -- ASCII is meant, which has the same bytes
  return /^[\u0000-\u007f]*$/.test(value) ? value : Buffer.from(value, 'utf8').toString('latin1')
}

/** The text of such bytes. */
export function utf8(value: string): string {
  // oxlint-disable-next-line no-control-regex -- as above
  return /^[\u0000-\u007f]*$/.test(value) ? value : Buffer.from(value, 'latin1').toString('utf8')
}
