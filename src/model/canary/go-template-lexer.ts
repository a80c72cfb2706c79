/** A token of an action. */
export interface Token {
  readonly kind: 'identifier' | 'field' | 'variable' | 'string' | 'number' | 'dot' | 'symbol'
  readonly text: string
  /** Offset in the template. */
  readonly at: number
  /** Whether white space stands before it. */
  readonly spaced: boolean
}

/** Text, or an action with its tokens. */
export type Piece =
  | { readonly piece: 'text'; readonly text: string }
  | { readonly piece: 'action'; readonly tokens: readonly Token[]; readonly at: number }

/** A template that cannot be parsed: Go's message without its prefix. */
export class TemplateProblem extends Error {
  readonly at: number

  /** @param at - offset in the template */
  constructor(message: string, at: number) {
    super(message)
    this.name = 'TemplateProblem'
    this.at = at
  }
}

const TOKEN =
  /(?<variable>\$\w*)|(?<field>\.[A-Za-z_]\w*)|(?<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<dot>\.)|(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<identifier>[A-Za-z_]\w*)|(?<symbol>:=|[|()=,])/uy

/**
 * Splits a template into text and actions; trim markers and comments are applied.
 * @throws TemplateProblem
 * @see Go text/template/parse lex.go 1.26
 */
export function splitTemplate(template: string): Piece[] {
  const pieces: Piece[] = []
  let trimNext = false
  for (let at = 0; at <= template.length;) {
    const open = template.indexOf('{{', at)
    const raw = template.slice(at, open < 0 ? undefined : open)
    const text = trimNext ? raw.trimStart() : raw
    if (open < 0) {
      pieces.push({ piece: 'text', text })
      return pieces
    }
    const trimsBefore = /^-\s/.test(template.slice(open + 2, open + 4))
    pieces.push({ piece: 'text', text: trimsBefore ? text.trimEnd() : text })
    const action = readAction(template, open + (trimsBefore ? 3 : 2))
    if (action.tokens !== undefined) pieces.push({ piece: 'action', tokens: action.tokens, at: open })
    trimNext = action.trimsAfter
    at = action.end
  }
  return pieces
}

interface Action {
  /** Undefined for a comment. */
  readonly tokens: readonly Token[] | undefined
  readonly trimsAfter: boolean
  readonly end: number
}

function readAction(template: string, from: number): Action {
  const comment = /^\s*\/\*[\s\S]*?\*\/(\s-)?\}\}/.exec(template.slice(from))
  if (comment !== null) {
    return { tokens: undefined, trimsAfter: comment[1] !== undefined, end: from + comment[0].length }
  }
  const tokens: Token[] = []
  for (let at = from; ;) {
    const space = /^\s*/.exec(template.slice(at))?.[0].length ?? 0
    const start = at + space
    if (space > 0 && template.startsWith('-}}', start)) return { tokens, trimsAfter: true, end: start + 3 }
    if (template.startsWith('}}', start)) return { tokens, trimsAfter: false, end: start + 2 }
    if (start >= template.length) throw new TemplateProblem('unclosed action', from)
    const token = readToken(template, start, space > 0)
    tokens.push(token)
    at = start + token.text.length
  }
}

function readToken(template: string, at: number, spaced: boolean): Token {
  TOKEN.lastIndex = at
  const groups = TOKEN.exec(template)?.groups
  const [kind, text] = Object.entries(groups ?? {}).find(([, value]) => value !== undefined) ?? []
  if (kind !== undefined && text !== undefined) return { kind: kind as Token['kind'], text, at, spaced }
  const character = String.fromCodePoint(template.codePointAt(at) ?? 0)
  if (character === '"') throw new TemplateProblem('unterminated quoted string', at)
  if (character === '`') throw new TemplateProblem('unterminated raw quoted string', at)
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  throw new TemplateProblem(`unexpected U+${code} '${character}' in operand`, at)
}
