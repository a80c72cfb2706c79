/** What a token is; symbols and keywords are their own text. */
type TokenType =
  | 'identifier'
  | 'metric identifier'
  | 'string'
  | 'number'
  | 'duration'
  | 'keyword'
  | 'aggregator'
  | 'operator'
  | 'symbol'
  | 'eof'
  | 'error'

/** One token with its place in the query (UTF-16 offsets). */
export interface Token {
  readonly type: TokenType
  /** The source text; for keywords, operators and aggregators in lower case; for errors the message. */
  readonly text: string
  /** The source text as written. */
  readonly raw: string
  readonly start: number
  readonly end: number
}

const OPERATOR_WORDS = new Set(['and', 'or', 'unless', 'atan2'])
const KEYWORDS = new Set(['offset', 'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'bool'])
const AGGREGATORS = new Set([
  'sum',
  'avg',
  'count',
  'min',
  'max',
  'group',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio'
])
const SPACE = /[ \t\n\r]/
const ALPHA = /[A-Za-z_]/
const DIGIT = /[0-9]/
const WORD = /[A-Za-z0-9_]/
const COMMENT_OR_SPACES = /(?:[ \t\n\r]+|#[^\n\r]*)+/y

/** Printable form of a character in Go's %q. */
function quoteChar(char: string): string {
  if (char === '') return "'\\uffff'"
  if (char === "'") return "'\\''"
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }
  return `'${escapes[char] ?? char}'`
}

class LexError extends Error {
  readonly start: number
  constructor(message: string, start: number) {
    super(message)
    this.start = start
  }
}

/** Splits a query into tokens; a lexical error becomes the last token. @see Prometheus promql/parser/lex.go, v2.55.1 */
export function lex(input: string): Token[] {
  return new Lexer(input).run()
}

class Lexer {
  private readonly input: string
  private readonly tokens: Token[] = []
  private position = 0
  private parenDepth = 0
  private braceOpen = false
  private bracketOpen = false
  private gotColon = false

  constructor(input: string) {
    this.input = input
  }

  run(): Token[] {
    try {
      while (this.step()) {
        // Each step takes one token.
      }
    } catch (error) {
      if (!(error instanceof LexError)) throw error
      this.tokens.push({ type: 'error', text: error.message, raw: '', start: error.start, end: this.position })
    }
    return this.tokens
  }

  private step(): boolean {
    COMMENT_OR_SPACES.lastIndex = this.position
    if (COMMENT_OR_SPACES.test(this.input)) this.position = COMMENT_OR_SPACES.lastIndex
    return this.braceOpen ? this.insideBraces() : this.statement()
  }

  private statement(): boolean {
    const start = this.position
    const char = this.charAt(start)
    const next = this.charAt(start + 1)
    if (char === '') return this.end()
    if (DIGIT.test(char) || (char === '.' && DIGIT.test(next))) return this.numberOrDuration()
    if (char === '"' || char === "'" || char === '`') return this.text(char)
    if (ALPHA.test(char) || char === ':') return this.word(char)
    if ('()[]{'.includes(char)) return this.bracket(char)
    if (char === '!') {
      if (next !== '=') this.fail(`unexpected character after '!': ${quoteChar(next)}`)
      return this.emit('operator', 2)
    }
    if (char === '=' && next === '~') this.fail(`unexpected character after '=': ${quoteChar(next)}`)
    if ('=<>'.includes(char) && next === '=') return this.emit('operator', 2)
    if ('*/%+-^<>'.includes(char)) return this.emit('operator', 1)
    if (char === ',' || char === '=' || char === '@') return this.emit('symbol', 1)
    return this.fail(`unexpected character: ${quoteChar(String.fromCodePoint(this.input.codePointAt(start) ?? 0))}`)
  }

  private end(): boolean {
    if (this.parenDepth !== 0) this.fail('unclosed left parenthesis')
    if (this.bracketOpen) this.fail('unclosed left bracket')
    this.tokens.push({ type: 'eof', text: '', raw: '', start: this.position, end: this.position })
    return false
  }

  private bracket(char: string): boolean {
    const start = this.position
    if (char === '[' && this.bracketOpen) this.fail("unexpected left bracket '['")
    if (char === ']' && !this.bracketOpen) this.fail("unexpected right bracket ']'")
    this.emit('symbol', 1)
    if (char === '(') this.parenDepth++
    if (char === ')' && --this.parenDepth < 0) {
      this.tokens.pop()
      this.fail("unexpected right parenthesis ')'", start + 1)
    }
    if (char === '{') this.braceOpen = true
    if (char === ']') this.bracketOpen = false
    if (char === '[') {
      this.bracketOpen = true
      this.gotColon = false
      while (SPACE.test(this.charAt(this.position))) this.position++
      return this.numberOrDuration()
    }
    return true
  }

  private insideBraces(): boolean {
    const char = this.charAt(this.position)
    const next = this.charAt(this.position + 1)
    if (char === '') return this.fail('unexpected end of input inside braces')
    if (ALPHA.test(char)) {
      let end = this.position
      while (WORD.test(this.charAt(end))) end++
      return this.emit('identifier', end - this.position)
    }
    if (char === '"' || char === "'" || char === '`') return this.text(char)
    if (char === '=' && next === '~') return this.emit('operator', 2)
    if (char === ',' || char === '=') return this.emit('symbol', 1)
    if (char === '!') {
      if (next !== '~' && next !== '=') this.fail(`unexpected character after '!' inside braces: ${quoteChar(next)}`)
      return this.emit('operator', 2)
    }
    if (char === '{') return this.fail("unexpected left brace '{'")
    if (char !== '}') return this.fail(`unexpected character inside braces: ${quoteChar(char)}`)
    this.braceOpen = false
    return this.emit('symbol', 1)
  }

  private word(char: string): boolean {
    if (this.bracketOpen) {
      if (char !== ':') return this.fail(`unexpected character: ${quoteChar(char)}, expected ':'`)
      if (this.gotColon) return this.fail("unexpected colon ':'")
      this.gotColon = true
      return this.emit('symbol', 1)
    }
    let end = this.position + 1
    while (WORD.test(this.charAt(end)) || this.charAt(end) === ':') end++
    const raw = this.input.slice(this.position, end)
    return this.emit(wordType(raw), end - this.position)
  }

  private numberOrDuration(): boolean {
    const start = this.position
    if (this.scanNumber()) return this.emit('number', this.position - start, start)
    if (this.scanRestOfDuration()) return this.emit('duration', this.position - start, start)
    return this.fail(`bad number or duration syntax: ${quote(this.input.slice(start, this.position))}`, start)
  }

  /** Takes a number; on false the position stands where the attempt ended, as messages show it. */
  private scanNumber(): boolean {
    const start = this.position
    const hexadecimal = /^0[xX]/.test(this.input.slice(start, start + 2))
    const pattern = hexadecimal
      ? /0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*/y
      : /(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?/y
    pattern.lastIndex = start
    if (!pattern.test(this.input)) return false
    this.position = pattern.lastIndex
    if (this.charAt(this.position) === '.') {
      this.position++
      return false
    }
    return !WORD.test(this.charAt(this.position))
  }

  private scanRestOfDuration(): boolean {
    const pattern = /(?:[smhdwy]s?)(?:\d+[smhdw]s?)*/y
    pattern.lastIndex = this.position
    if (!pattern.test(this.input)) return false
    this.position = pattern.lastIndex
    if (!WORD.test(this.charAt(this.position))) return true
    this.position++
    return false
  }

  private text(quoteMark: string): boolean {
    let end = this.position + 1
    for (;;) {
      const char = this.charAt(end)
      if (char === quoteMark) break
      if (char === '' || (char === '\n' && quoteMark !== '`')) {
        return this.fail(quoteMark === '`' ? 'unterminated raw string' : 'unterminated quoted string')
      }
      end += char === '\\' && quoteMark !== '`' ? this.escapeLength(end + 1, quoteMark) + 1 : 1
    }
    return this.emit('string', end + 1 - this.position)
  }

  private escapeLength(at: number, quoteMark: string): number {
    const char = this.charAt(at)
    if (char === '') this.fail('escape sequence not terminated')
    if ('abfnrtv\\'.includes(char) || char === quoteMark) return 1
    const lengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }
    const octal = /[0-7]/.test(char)
    const digits = octal ? 3 : lengths[char]
    if (digits === undefined) return this.fail(`unknown escape sequence ${codePoint(char)}`) ? 1 : 1
    const from = octal ? at : at + 1
    for (let index = from; index < from + digits; index++) {
      const digit = this.charAt(index)
      if (digit === '') this.fail('escape sequence not terminated')
      if (!(octal ? /[0-7]/ : /[0-9a-fA-F]/).test(digit)) {
        this.fail(`illegal character ${codePoint(digit)} in escape sequence`)
      }
    }
    const value = Number.parseInt(this.input.slice(from, from + digits), octal ? 8 : 16)
    if ((octal && value > 255) || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
      this.fail('escape sequence is an invalid Unicode code point')
    }
    return from - at + digits
  }

  private emit(type: TokenType, length: number, start: number = this.position): boolean {
    const raw = this.input.slice(start, start + length)
    const lowered = type === 'keyword' || type === 'aggregator' || type === 'operator'
    this.position = start + length
    this.tokens.push({ type, text: lowered ? raw.toLowerCase() : raw, raw, start, end: start + length })
    return true
  }

  private charAt(index: number): string {
    return this.input[index] ?? ''
  }

  private fail(message: string, start: number = this.position): never {
    throw new LexError(message, start)
  }
}

function wordType(raw: string): TokenType {
  const lower = raw.toLowerCase()
  if (OPERATOR_WORDS.has(lower)) return 'operator'
  if (KEYWORDS.has(lower)) return 'keyword'
  if (AGGREGATORS.has(lower)) return 'aggregator'
  if (lower === 'inf' || lower === 'nan') return 'number'
  return raw.includes(':') ? 'metric identifier' : 'identifier'
}

function codePoint(char: string): string {
  const code = char.codePointAt(0) ?? 0
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${char}'`
}

/** A text in Go's %q. */
export function quote(text: string): string {
  return JSON.stringify(text)
}
