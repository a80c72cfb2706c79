/**
 * The error that Go's encoding/json reports for a text that is no JSON; undefined when it is JSON.
 * @see Go encoding/json scanner.go 1.26
 */
export function goJsonError(text: string): string | undefined {
  const scanner = new Scanner(text)
  scanner.skipSpace()
  const problem = scanner.value('looking for beginning of value')
  if (problem !== undefined) return problem
  scanner.skipSpace()
  return scanner.atEnd ? undefined : scanner.invalid('after top-level value')
}

/** What encoding/json calls the kind of a decoded value. */
export function goTypeOf(value: unknown): string {
  if (typeof value === 'boolean') return 'bool'
  return Array.isArray(value) ? 'array' : typeof value
}

const END = 'unexpected end of JSON input'
/** Deepest nesting that is read. */
export const NESTING_MAX = 10_000

class Scanner {
  readonly #characters: readonly string[]
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#characters = [...text]
  }

  get atEnd(): boolean {
    return this.#at >= this.#characters.length
  }

  skipSpace(): void {
    while (/^[ \t\r\n]$/.test(this.#peek())) this.#at++
  }

  /** The error for the present character, or for the end. */
  invalid(context: string): string {
    return this.atEnd ? END : `invalid character ${quoted(this.#peek())} ${context}`
  }

  /** Inside of a token the end counts as a blank. */
  #cut(context: string): string {
    return this.atEnd ? `invalid character ' ' ${context}` : this.invalid(context)
  }

  value(context: string): string | undefined {
    const first = this.#peek()
    if (first === '{') return this.#nested(() => this.#object())
    if (first === '[') return this.#nested(() => this.#array())
    if (first === '"') return this.#string()
    if (first === 't') return this.#literal('true')
    if (first === 'f') return this.#literal('false')
    if (first === 'n') return this.#literal('null')
    return first === '-' || isDigit(first) ? this.#number() : this.invalid(context)
  }

  #peek(): string {
    return this.#characters[this.#at] ?? ''
  }

  #nested(read: () => string | undefined): string | undefined {
    if (++this.#depth > NESTING_MAX) return 'exceeded max depth'
    this.#at++
    const problem = read()
    this.#depth--
    return problem
  }

  #object(): string | undefined {
    this.skipSpace()
    if (this.#take('}')) return undefined
    for (;;) {
      this.skipSpace()
      if (this.#peek() !== '"') return this.invalid('looking for beginning of object key string')
      const problem = this.#string() ?? this.#expect(':', 'after object key') ?? this.#member()
      if (problem !== undefined) return problem
      this.skipSpace()
      if (this.#take('}')) return undefined
      if (!this.#take(',')) return this.invalid('after object key:value pair')
    }
  }

  #member(): string | undefined {
    this.skipSpace()
    return this.value('looking for beginning of value')
  }

  #array(): string | undefined {
    this.skipSpace()
    if (this.#take(']')) return undefined
    for (;;) {
      const problem = this.#member()
      if (problem !== undefined) return problem
      this.skipSpace()
      if (this.#take(']')) return undefined
      if (!this.#take(',')) return this.invalid('after array element')
    }
  }

  #string(): string | undefined {
    this.#at++
    for (;;) {
      const character = this.#peek()
      if (this.atEnd) return END
      if (character < ' ') return this.invalid('in string literal')
      this.#at++
      if (character === '"') return undefined
      if (character !== '\\') continue
      const problem = this.#escape()
      if (problem !== undefined) return problem
    }
  }

  #escape(): string | undefined {
    if (!/^["\\/bfnrtu]$/.test(this.#peek())) return this.#cut('in string escape code')
    const isUnicode = this.#peek() === 'u'
    this.#at++
    for (let digit = isUnicode ? 0 : 4; digit < 4; digit++) {
      if (!/^[0-9a-fA-F]$/.test(this.#peek())) return this.#cut('in \\u hexadecimal character escape')
      this.#at++
    }
    return undefined
  }

  #literal(word: string): string | undefined {
    for (const expected of word) {
      if (this.#peek() !== expected) return this.#cut(`in literal ${word} (expecting ${quoted(expected)})`)
      this.#at++
    }
    return undefined
  }

  #number(): string | undefined {
    if (this.#take('-') && !isDigit(this.#peek())) return this.#cut('in numeric literal')
    if (!this.#take('0')) this.#digits()
    if (this.#take('.')) {
      if (!isDigit(this.#peek())) return this.#cut('after decimal point in numeric literal')
      this.#digits()
    }
    if (!this.#take('e') && !this.#take('E')) return undefined
    if (!this.#take('+')) this.#take('-')
    if (!isDigit(this.#peek())) return this.#cut('in exponent of numeric literal')
    this.#digits()
    return undefined
  }

  #digits(): void {
    while (isDigit(this.#peek())) this.#at++
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false
    this.#at++
    return true
  }

  #expect(character: string, context: string): string | undefined {
    this.skipSpace()
    return this.#take(character) ? undefined : this.invalid(context)
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character.length === 1
}

function quoted(character: string): string {
  if (character === "'") return String.raw`'\''`
  if (character === '"') return `'"'`
  return `'${JSON.stringify(character).slice(1, -1)}'`
}
