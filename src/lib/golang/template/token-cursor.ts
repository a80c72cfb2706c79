import { Tokens, type Token } from './token.ts'

/** Reads the tokens of a template with as much look-ahead as is asked for. */
export class TokenCursor {
  /** How many tokens have been taken; may be set back. */
  place = 0
  readonly #text: string
  readonly #tokens: Tokens
  readonly #read: Token[] = []

  constructor(text: string) {
    this.#text = text
    this.#tokens = new Tokens(text)
  }

  /** The next token. */
  peek(): Token {
    for (;;) {
      const token = this.#read[this.place]
      if (token !== undefined) return token
      this.#read.push(this.#tokens.next())
    }
  }

  take(): Token {
    const token = this.peek()
    this.place++
    return token
  }

  /** The next token that is no space; the spaces before it are taken. */
  peekWord(): Token {
    while (this.peek().kind === 'space') this.place++
    return this.peek()
  }

  takeWord(): Token {
    this.peekWord()
    return this.take()
  }

  /** A token taken before is taken again next. */
  back(token: Token): void {
    this.place = this.#read.lastIndexOf(token)
  }

  /** Line of an offset, from 1. */
  lineAt(at: number): number {
    return this.#text.slice(0, at).split('\n').length
  }

  /** Line of the token that was read last, taken or not. */
  get lastLine(): number {
    return this.lineAt(this.#read.at(-1)?.at ?? 0)
  }
}
