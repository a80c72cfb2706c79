import type { Duplicates } from './decoding-walk.ts'

/** A parsed JSON text or Go's words for what is wrong with it. */
export type JsonTextOutcome =
  | { readonly ok: true; readonly value: unknown; readonly duplicates: Duplicates }
  | { readonly ok: false; readonly message: string }

const MAX_DEPTH = 1000

class JsonSyntaxError extends Error {}

/**
 * Parses JSON with the messages of Go's encoding/json, and sees names that appear twice in one object (the last one counts).
 * @param text - the body of a request
 */
export function parseJsonText(text: string): JsonTextOutcome {
  try {
    const scanner = new Scanner(text)
    return { ok: true, value: scanner.document(), duplicates: scanner.duplicates }
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    return { ok: false, message: error.message }
  }
}

/** A character as Go quotes it in syntax errors. */
function quoteChar(char: string): string {
  if (char === "'") return String.raw`'\''`
  if (char === '"') return `'"'`
  const code = char.codePointAt(0) ?? 0
  if (char === '\n') return String.raw`'\n'`
  if (char === '\t') return String.raw`'\t'`
  if (char === '\r') return String.raw`'\r'`
  return code < 32 ? `'\\x${code.toString(16).padStart(2, '0')}'` : `'${char}'`
}

/** Recursive descent with a bound on depth; errors carry the words of Go's scanner. */
class Scanner {
  readonly #text: string
  #at = 0
  #depth = 0
  readonly duplicates = new Map<object, string[]>()

  constructor(text: string) {
    this.#text = text
  }

  document(): unknown {
    const value = this.#value('looking for beginning of value')
    this.#space()
    if (this.#at < this.#text.length) this.#fail('after top-level value')
    return value
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at += 1
  }

  #fail(where: string): never {
    if (this.#at >= this.#text.length) throw new JsonSyntaxError('unexpected end of JSON input')
    throw new JsonSyntaxError(`invalid character ${quoteChar(this.#text.charAt(this.#at))} ${where}`)
  }

  #value(where: string): unknown {
    this.#space()
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw new JsonSyntaxError('exceeded max depth')
    try {
      return this.#start(where)
    } finally {
      this.#depth -= 1
    }
  }

  #start(where: string): unknown {
    const char = this.#text.charAt(this.#at)
    if (char === '{') return this.#object()
    if (char === '[') return this.#array()
    if (char === '"') return this.#string()
    if (char === '-' || /\d/.test(char)) return this.#number()
    for (const [word, value] of WORDS) if (char === word.charAt(0) && char !== '') return this.#word(word, value)
    return this.#fail(where)
  }

  #word(word: string, value: unknown): unknown {
    for (const expected of word) {
      if (this.#text.charAt(this.#at) !== expected) {
        this.#fail(`in literal ${word} (expecting '${expected}')`)
      }
      this.#at += 1
    }
    return value
  }

  #object(): unknown {
    const object: Record<string, unknown> = {}
    this.#at += 1
    this.#space()
    if (this.#text.charAt(this.#at) === '}') {
      this.#at += 1
      return object
    }
    for (;;) {
      this.#space()
      if (this.#text.charAt(this.#at) !== '"') this.#fail('looking for beginning of object key string')
      const key = this.#string()
      this.#space()
      if (this.#text.charAt(this.#at) !== ':') this.#fail('after object key')
      this.#at += 1
      const value = this.#value('looking for beginning of value')
      this.#member(object, key, value)
      this.#space()
      const next = this.#text.charAt(this.#at)
      if (next !== ',' && next !== '}') this.#fail('after object key:value pair')
      this.#at += 1
      if (next === '}') return object
    }
  }

  #member(object: Record<string, unknown>, key: string, value: unknown): void {
    if (Object.hasOwn(object, key)) this.duplicates.set(object, [...(this.duplicates.get(object) ?? []), key])
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
  }

  #array(): unknown[] {
    const list: unknown[] = []
    this.#at += 1
    this.#space()
    if (this.#text.charAt(this.#at) === ']') {
      this.#at += 1
      return list
    }
    for (;;) {
      list.push(this.#value('looking for beginning of value'))
      this.#space()
      const next = this.#text.charAt(this.#at)
      if (next !== ',' && next !== ']') this.#fail('after array element')
      this.#at += 1
      if (next === ']') return list
    }
  }

  #string(): string {
    const start = this.#at
    this.#at += 1
    for (;;) {
      const char = this.#text.charAt(this.#at)
      if (char === '') this.#fail('in string literal')
      if (char === '"') break
      if (char.charCodeAt(0) < 32) this.#fail('in string literal')
      this.#at += char === '\\' ? 2 : 1
    }
    this.#at += 1
    return this.#decode(this.#text.slice(start, this.#at))
  }

  #decode(literal: string): string {
    try {
      return JSON.parse(literal) as string
    } catch (error) {
      if (error instanceof SyntaxError) throw new JsonSyntaxError('invalid character in string escape code')
      throw error
    }
  }

  #number(): number {
    const match = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
    match.lastIndex = this.#at
    const found = match.exec(this.#text)
    if (found === null) return this.#fail('in numeric literal')
    this.#at += found[0].length
    return Number(found[0])
  }
}

const WORDS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null]
]
