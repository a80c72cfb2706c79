import { quote } from '../quote.ts'

/** Kinds of tokens; keywords have one kind. */
export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'identifier'
  | 'keyword'
  | 'field'
  | 'variable'
  | 'dot'
  | 'nil'
  | 'bool'
  | 'string'
  | 'rawString'
  | 'character'
  | 'number'
  | 'complex'
  | 'char'
  | 'declare'
  | 'assign'
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'eof'
  | 'error'

/** A token of a template. */
export interface Token {
  readonly kind: TokenKind
  /** What stands in the template; the message of an error. */
  readonly text: string
  /** Offset in the template. */
  readonly at: number
}

const KEYWORDS: ReadonlySet<string> = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with'
])
const SIGNS: Readonly<Record<string, TokenKind>> = { '=': 'assign', '|': 'pipe', '(': 'leftParen', ')': 'rightParen' }
const LETTER = /[\p{L}\p{Nd}_]/u
const SPACES = ' \t\r\n'
/** After these an identifier is complete. */
const ENDS = new Set(['', ' ', '\t', '\r', '\n', '.', ',', '|', ':', ')', '('])

/**
 * Splits a template into tokens, one at a time; after an error there are none.
 * @see Go text/template/parse/lex.go 1.26
 */
export class Tokens {
  readonly #input: string
  #at = 0
  #isInside = false
  #depth = 0
  #isBroken = false

  constructor(input: string) {
    this.#input = input
  }

  /** The next token. */
  next(): Token {
    if (this.#isBroken) return { kind: 'eof', text: 'EOF', at: 0 }
    const token = this.#isInside ? this.#inside() : this.#outside()
    if (token.kind === 'error') this.#isBroken = true
    return token
  }

  #outside(): Token {
    for (;;) {
      const start = this.#at
      const open = this.#input.indexOf('{{', start)
      if (open < 0) {
        this.#at = this.#input.length
        const text = this.#input.slice(start)
        return text === '' ? { kind: 'eof', text: 'EOF', at: start } : { kind: 'text', text, at: start }
      }
      this.#at = open
      const trims = isTrim(this.#input, open + 2)
      const text = trims ? trimmedRight(this.#input.slice(start, open)) : this.#input.slice(start, open)
      if (text !== '') return { kind: 'text', text, at: start }
      const after = open + 2 + (trims ? 2 : 0)
      if (!this.#input.startsWith('/*', after)) return this.#opened(open, after)
      const problem = this.#comment(after)
      if (problem !== undefined) return { kind: 'error', text: problem, at: after }
    }
  }

  #opened(at: number, after: number): Token {
    this.#isInside = true
    this.#depth = 0
    this.#at = after
    return { kind: 'open', text: '{{', at }
  }

  #comment(from: number): string | undefined {
    const end = this.#input.indexOf('*/', from + 2)
    if (end < 0) return 'unclosed comment'
    this.#at = end + 2
    const close = this.#closing()
    if (close === undefined) return 'comment ends before closing delimiter'
    this.#at = close
    return undefined
  }

  /** Where the text goes on when a right delimiter stands here. */
  #closing(): number | undefined {
    if (this.#input.startsWith('}}', this.#at)) return this.#at + 2
    if (!SPACES.includes(this.#input.charAt(this.#at) || 'x') || !this.#input.startsWith('-}}', this.#at + 1))
      return undefined
    let after = this.#at + 4
    while (after < this.#input.length && SPACES.includes(this.#input.charAt(after))) after++
    return after
  }

  #inside(): Token {
    const at = this.#at
    const close = this.#closing()
    if (close !== undefined) {
      if (this.#depth > 0) return this.#error('unclosed left paren', at)
      this.#isInside = false
      this.#at = close
      return { kind: 'close', text: '}}', at }
    }
    const character = this.#peek()
    if (character === '') return this.#error('unclosed action', at)
    if (SPACES.includes(character)) return this.#space(at)
    const sign = SIGNS[character]
    if (sign !== undefined) return this.#sign(sign, character, at)
    if (character === ':')
      return this.#input.startsWith(':=', at) ? this.#take('declare', 2) : this.#error('expected :=', at)
    if (character === '"') return this.#quoted(/^"(?:[^"\\\n]|\\[^\n])*"/, 'string', 'unterminated quoted string')
    if (character === '`') return this.#quoted(/^`[^`]*`/, 'rawString', 'unterminated raw quoted string')
    if (character === "'")
      return this.#quoted(/^'(?:[^'\\\n]|\\[^\n])*'/, 'character', 'unterminated character constant')
    if (character === '$') return this.#named('variable', 'variable')
    if (character === '.' && !isDigit(this.#input.charAt(at + 1))) return this.#named('field', 'dot')
    if (character === '.' || character === '+' || character === '-' || isDigit(character)) return this.#number(at)
    return this.#word(character, at)
  }

  #sign(kind: TokenKind, character: string, at: number): Token {
    if (character === '(') this.#depth++
    if (character === ')' && --this.#depth < 0) return this.#error('unexpected right paren', at)
    return this.#take(kind, 1)
  }

  #word(character: string, at: number): Token {
    if (LETTER.test(character)) return this.#identifier(at)
    if (character > ' ' && character < '\u007f') return this.#take('char', 1)
    return this.#error(`unrecognized character in action: ${codePoint(character)}`, at)
  }

  #space(at: number): Token {
    let end = at
    while (end < this.#input.length && SPACES.includes(this.#input.charAt(end))) end++
    if (this.#input.startsWith('-}}', end)) end--
    return this.#take('space', end - at)
  }

  #identifier(at: number): Token {
    const word = this.#run(at)
    const problem = this.#badEnd(at + word.length)
    if (problem !== undefined) return this.#error(problem, at)
    if (KEYWORDS.has(word)) return this.#take('keyword', word.length)
    if (word === 'nil') return this.#take('nil', 3)
    return this.#take(word === 'true' || word === 'false' ? 'bool' : 'identifier', word.length)
  }

  /** A field or variable; `alone` where nothing follows its first character. */
  #named(kind: TokenKind, alone: TokenKind): Token {
    const at = this.#at
    const name = this.#run(at + 1)
    if (name === '' && this.#badEnd(at + 1) === undefined) return this.#take(alone, 1)
    const problem = this.#badEnd(at + 1 + name.length)
    return problem === undefined ? this.#take(kind, 1 + name.length) : this.#error(problem, at)
  }

  #number(at: number): Token {
    const first = numberLength(this.#input, at)
    const second = /^[+-]/.test(this.#input.slice(at + first)) ? numberLength(this.#input, at + first) : 0
    const text = this.#input.slice(at, at + first + second)
    const following = this.#input.slice(at + first + second)
    const next = String.fromCodePoint(following.codePointAt(0) ?? 0x20)
    if (LETTER.test(next)) return this.#error(`bad number syntax: ${quoted(text + next)}`, at)
    if (second > 0 && !text.endsWith('i')) return this.#error(`bad number syntax: ${quoted(text)}`, at)
    return this.#take(second > 0 ? 'complex' : 'number', text.length)
  }

  #quoted(pattern: RegExp, kind: TokenKind, problem: string): Token {
    const text = pattern.exec(this.#input.slice(this.#at))?.[0]
    return text === undefined ? this.#error(problem, this.#at) : this.#take(kind, text.length)
  }

  #run(from: number): string {
    return /^[\p{L}\p{Nd}_]*/u.exec(this.#input.slice(from))?.[0] ?? ''
  }

  /** What is wrong with the end of a word; undefined when nothing is. */
  #badEnd(end: number): string | undefined {
    const rest = this.#input.slice(end)
    const next = rest === '' ? '' : String.fromCodePoint(rest.codePointAt(0) ?? 0)
    return ENDS.has(next) || rest.startsWith('}}') ? undefined : `bad character ${codePoint(next)}`
  }

  #peek(): string {
    const point = this.#input.codePointAt(this.#at)
    return point === undefined ? '' : String.fromCodePoint(point)
  }

  #take(kind: TokenKind, length: number): Token {
    const at = this.#at
    this.#at += length
    return { kind, text: this.#input.slice(at, this.#at), at }
  }

  #error(text: string, at: number): Token {
    return { kind: 'error', text, at }
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character !== ''
}

function isTrim(input: string, at: number): boolean {
  return input.charAt(at) === '-' && SPACES.includes(input.charAt(at + 1) || 'x')
}

function trimmedRight(text: string): string {
  return text.replace(/[ \t\r\n]+$/, '')
}

function numberLength(input: string, at: number): number {
  const pattern =
    /^[+-]?(?:0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*\.?[0-7_]*|0[bB][01_]*\.?[01_]*|[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]*)?)i?/
  return pattern.exec(input.slice(at))?.[0].length ?? 0
}

/** As Go's `%#U`. */
function codePoint(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character) ? `${name} '${character}'` : name
}

function quoted(text: string): string {
  return quote(text)
}
