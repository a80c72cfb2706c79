const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"'
}

/**
 * The text of a Go string literal; undefined when its escapes are wrong.
 * @see Go strconv.Unquote 1.26
 */
export function unquote(literal: string): string | undefined {
  if (literal.startsWith('`')) return literal.slice(1, -1).replaceAll('\r', '')
  const inner = literal.slice(1, -1)
  const bytes: Buffer[] = []
  for (let at = 0; at < inner.length;) {
    const escape = readEscape(inner, at, '"')
    if (escape === undefined) return undefined
    bytes.push(escape.bytes)
    at += escape.length
  }
  return Buffer.concat(bytes).toString('utf8')
}

/** The code of a character literal's first character, and what follows it. */
export function unquoteCharacter(literal: string): readonly [code: number, tail: string] | undefined {
  const inner = literal.slice(1)
  const escape = inner.startsWith("'") ? undefined : readEscape(inner, 0, "'")
  if (escape === undefined) return undefined
  return [escape.code, inner.slice(escape.length)]
}

interface Escape {
  readonly bytes: Buffer
  readonly code: number
  readonly length: number
}

function readEscape(text: string, at: number, mark: string): Escape | undefined {
  if (text.charAt(at) !== '\\') {
    const code = text.codePointAt(at) ?? 0
    return textEscape(String.fromCodePoint(code), code > 0xffff ? 2 : 1)
  }
  const rest = text.slice(at + 1)
  const simple = SIMPLE[rest.charAt(0)]
  const isOtherMark = (rest.startsWith("'") || rest.startsWith('"')) && !rest.startsWith(mark)
  if (simple !== undefined && !isOtherMark) return textEscape(simple, 2)
  const [, octal, hex, short, long] =
    /^(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest) ?? []
  const byte =
    octal === undefined ? (hex === undefined ? undefined : Number.parseInt(hex, 16)) : Number.parseInt(octal, 8)
  if (byte !== undefined) return byte > 255 ? undefined : { bytes: Buffer.from([byte]), code: byte, length: 4 }
  const digits = short ?? long
  if (digits === undefined) return undefined
  const code = Number.parseInt(digits, 16)
  const isValid = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
  return isValid ? textEscape(String.fromCodePoint(code), digits.length + 2) : undefined
}

function textEscape(text: string, length: number): Escape {
  return { bytes: Buffer.from(text, 'utf8'), code: text.codePointAt(0) ?? 0, length }
}
