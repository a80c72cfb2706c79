import { durationSeconds, numberValue } from './literal.ts'
import { lex, quote, type Token } from './lexer.ts'

/** Where a token was not expected, and what would have been. */
export interface Context {
  readonly place: string
  readonly expected: string
}

/** A problem found; the first one is reported. */
export interface Problem {
  readonly start: number
  readonly reason: string
}

/** Ends the parse; the reason is the last problem. */
export class Abort extends Error {}

/** A position in the tokens of a query, and the problems found so far. */
export class TokenCursor {
  readonly problems: Problem[] = []
  /** Innermost construct that messages name; see the grammar's error productions. */
  protected readonly contexts: Context[] = []
  protected readonly tokens: readonly Token[]
  protected index = 0

  constructor(query: string) {
    this.tokens = lex(query)
  }

  protected number(token: Token): number {
    const value = token.type === 'duration' ? durationSeconds(token.raw) : numberValue(token.raw)
    if (value !== undefined) return value
    const text = token.type === 'duration' ? `not a valid duration string: ${quote(token.raw)}` : 'error parsing number'
    this.problem(token.start, text)
    return 1
  }

  protected peek(): Token {
    const token = this.tokens[this.index] ?? this.tokens[this.tokens.length - 1]
    if (token === undefined) throw new Abort()
    if (token.type === 'error') this.abort(token.start, token.text)
    return token
  }

  protected next(): Token {
    const token = this.peek()
    this.index++
    return token
  }

  protected isSymbol(text: string): boolean {
    const token = this.peek()
    return token.type === 'symbol' && token.text === text
  }

  protected isKeyword(text: string): boolean {
    const token = this.peek()
    return token.type === 'keyword' && token.text === text
  }

  protected accept(keyword: string): boolean {
    if (!this.isKeyword(keyword)) return false
    this.index++
    return true
  }

  protected expectSymbol(text: string): Token {
    if (!this.isSymbol(text)) this.unexpected()
    return this.next()
  }

  protected unexpected(context?: Context): never {
    const where = context ?? this.contexts[this.contexts.length - 1]
    const token = this.peek()
    let text = `unexpected ${describe(token)}`
    if (where !== undefined) text += ` in ${where.place}`
    if (where !== undefined && where.expected !== '') text += `, expected ${where.expected}`
    return this.abort(token.start, text)
  }

  protected problem(start: number, reason: string): void {
    this.problems.push({ start, reason })
  }

  protected abort(start: number, reason: string): never {
    this.problem(start, reason)
    throw new Abort()
  }
}

/** A token in words, as Prometheus' messages have it. */
function describe(token: Token): string {
  const shown = token.raw.length > 10 ? `${quote(token.raw.slice(0, 10))}...` : quote(token.raw)
  switch (token.type) {
    case 'eof':
      return 'end of input'
    case 'keyword':
      return `<${token.raw}>`
    case 'operator':
      return `<op:${token.raw}>`
    case 'aggregator':
      return `<aggr:${token.raw}>`
    case 'symbol':
      return quote(token.text)
    case 'identifier':
    case 'metric identifier':
      return /^(?:start|end)$/i.test(token.raw) ? quote(token.raw) : `${token.type} ${quote(token.raw)}`
    default:
      return `${token.type} ${shown}`
  }
}
