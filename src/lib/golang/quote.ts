const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\'
}

/** Letters, marks, numbers, punctuation, symbols and the ASCII blank: what Go prints as it is. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

/**
 * Quotes a text as Go's `%q` and strconv.Quote.
 * @see Go strconv/quote.go 1.26
 */
export function quote(text: string): string {
  let result = '"'
  for (const character of text) result += ESCAPES[character] ?? (PRINTABLE.test(character) ? character : hex(character))
  return `${result}"`
}

/** Quotes a text of bytes (one character each); bytes that are no UTF-8 are written in hexadecimal. */
export function quoteBytes(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8')
  if (!text.includes('\ufffd')) return quote(text)
  const parts = [...bytes].map((byte) => (byte < '\u0080' ? quote(byte).slice(1, -1) : hexByte(byte)))
  return `"${parts.join('')}"`
}

function hexByte(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16)}`
}

function hex(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}
