import { splitTemplate, TemplateProblem, type Piece, type Token } from './go-template-lexer.ts'

/** A value of a template. */
export type TemplateValue = string | number | boolean | undefined | Readonly<Record<string, string>>

/** Functions without arguments, by name. */
export type TemplateFunctions = Readonly<Record<string, () => TemplateValue>>

/** A template failed while it ran: Go's message, the position and the node it names. */
export class ExecutionProblem extends Error {
  readonly at: number
  readonly node: string

  /** @param at - offset in the template */
  constructor(message: string, at: number, node: string) {
    super(message)
    this.name = 'ExecutionProblem'
    this.at = at
    this.node = node
  }
}

const KEYWORDS = new Set(['if', 'else', 'end', 'with', 'range', 'template', 'define', 'block', 'break', 'continue'])
const BUILTINS: Readonly<Record<string, (values: readonly TemplateValue[]) => TemplateValue>> = {
  and: (values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (values) => values.find(isTrue) ?? values.at(-1),
  not: ([value]) => !isTrue(value),
  eq: ([first, ...others]) => others.some((other) => other === first),
  ne: ([first, second]) => first !== second,
  lt: ([first, second]) => Number(first) < Number(second),
  le: ([first, second]) => Number(first) <= Number(second),
  gt: ([first, second]) => Number(first) > Number(second),
  ge: ([first, second]) => Number(first) >= Number(second),
  len: ([value]) => (typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(value ?? {}).length),
  index: ([map, key]) => (typeof map === 'object' ? (map[String(key)] ?? '') : undefined),
  print: (values) => values.map(printed).join(''),
  println: (values) => `${values.map(printed).join(' ')}\n`,
  printf: ([format, ...values]) => formatted(String(format), values),
  urlquery: (values) => encodeURIComponent(values.map(printed).join('')).replaceAll('%20', '+'),
  html: (values) => escaped(values.map(printed).join(''))
}

/**
 * Runs a template without data: pipelines, variables, if, with, range over a map, and the predefined functions.
 * @throws TemplateProblem when it cannot be parsed, ExecutionProblem when it fails while running
 * @see Go text/template 1.26
 */
export function runTemplate(template: string, functions: TemplateFunctions): string {
  const pieces = splitTemplate(template)
  checkFunctions(pieces, functions)
  const run = new Run(pieces, functions, template.length)
  return run.block(true).output
}

/** Go reports an unknown function when it parses, whether the action runs or not. */
function checkFunctions(pieces: readonly Piece[], functions: TemplateFunctions): void {
  for (const piece of pieces) {
    if (piece.piece === 'text') continue
    for (const [index, { kind, text, at }] of piece.tokens.entries()) {
      if (kind !== 'identifier' || Object.hasOwn(functions, text) || Object.hasOwn(BUILTINS, text)) continue
      if (text === 'true' || text === 'false' || text === 'nil' || (index <= 1 && KEYWORDS.has(text))) continue
      throw new TemplateProblem(`function ${JSON.stringify(text)} not defined`, at)
    }
    if (piece.tokens.length === 0) throw new TemplateProblem('missing value for command', piece.at)
  }
}

interface BlockEnd {
  readonly output: string
  /** The `else` or `end` that closed the block; undefined at the end of the template. */
  readonly closing: readonly Token[] | undefined
}

class Run {
  readonly #pieces: readonly Piece[]
  readonly #functions: TemplateFunctions
  readonly #length: number
  readonly #variables = new Map<string, TemplateValue>()
  #next = 0
  #dot: TemplateValue

  constructor(pieces: readonly Piece[], functions: TemplateFunctions, length: number) {
    this.#pieces = pieces
    this.#functions = functions
    this.#length = length
  }

  /** Runs (or skips) up to the end of the present block. */
  block(outermost: boolean, active = true): BlockEnd {
    let output = ''
    for (;;) {
      const piece = this.#pieces[this.#next++]
      if (piece === undefined) {
        if (!outermost) throw new TemplateProblem('unexpected EOF', this.#length)
        return { output, closing: undefined }
      }
      if (piece.piece === 'text') {
        output += active ? piece.text : ''
        continue
      }
      const keyword = piece.tokens[0]?.kind === 'identifier' ? piece.tokens[0].text : ''
      if (keyword === 'end' || keyword === 'else') {
        if (outermost) throw new TemplateProblem(`unexpected {{${keyword}}}`, piece.at)
        return { output, closing: piece.tokens }
      }
      output += this.#action(keyword, piece.tokens, active)
    }
  }

  #action(keyword: string, tokens: readonly Token[], active: boolean): string {
    if (keyword === 'if' || keyword === 'with') return this.#choice(keyword, tokens.slice(1), active)
    if (keyword === 'range') return this.#range(tokens.slice(1), active)
    if (KEYWORDS.has(keyword))
      throw new TemplateProblem(`{{${keyword}}}: not modelled by rollout-twin`, tokens[0]?.at ?? 0)
    return active ? this.#statement(tokens) : ''
  }

  #choice(keyword: string, condition: readonly Token[], active: boolean): string {
    if (condition.length === 0) throw new TemplateProblem(`missing value for ${keyword}`, this.#length)
    const value = active ? this.#assigned(condition).value : undefined
    const chosen = active && isTrue(value)
    const outer = this.#dot
    if (keyword === 'with' && chosen) this.#dot = value
    const first = this.block(false, chosen)
    this.#dot = outer
    return first.output + this.#rest(first.closing, active && !chosen)
  }

  /** What follows an `else`: another condition, or a last block. */
  #rest(closing: readonly Token[] | undefined, active: boolean): string {
    if (closing?.[0]?.text !== 'else') return ''
    const [, keyword, ...condition] = closing
    if (keyword !== undefined) return this.#choice(keyword.text, condition, active)
    return this.block(false, active).output
  }

  #range(tokens: readonly Token[], active: boolean): string {
    const { value, names } = active ? this.#assigned(tokens) : { value: undefined, names: [] }
    const start = this.#next
    const outer = this.#dot
    let output = ''
    let closing: readonly Token[] | undefined
    const entries = typeof value === 'object' ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : []
    for (const [key, entry] of entries) {
      this.#next = start
      this.#dot = entry
      if (names.length === 2) this.#variables.set(names[0] ?? '', key)
      if (names.length > 0) this.#variables.set(names.at(-1) ?? '', entry)
      const round = this.block(false)
      output += round.output
      closing = round.closing
    }
    this.#dot = outer
    if (entries.length === 0) closing = this.block(false, false).closing
    return output + this.#rest(closing, active && entries.length === 0)
  }

  #statement(tokens: readonly Token[]): string {
    const { value, names } = this.#assigned(tokens)
    return names.length > 0 ? '' : printed(value)
  }

  /** A pipeline, or `$name := pipeline`. */
  #assigned(tokens: readonly Token[]): { readonly value: TemplateValue; readonly names: readonly string[] } {
    const sign = tokens.findIndex(({ kind, text }) => kind === 'symbol' && (text === ':=' || text === '='))
    if (sign < 0) return { value: this.#pipeline(tokens), names: [] }
    const names = tokens
      .slice(0, sign)
      .filter(({ kind }) => kind === 'variable')
      .map(({ text }) => text)
    const value = this.#pipeline(tokens.slice(sign + 1))
    for (const name of names) this.#variables.set(name, value)
    return { value, names }
  }

  #pipeline(tokens: readonly Token[]): TemplateValue {
    let value: TemplateValue
    const commands = splitAt(tokens, '|')
    for (const [index, command] of commands.entries()) {
      const [first] = command
      if (first === undefined) throw new TemplateProblem('missing value for command', tokens[0]?.at ?? 0)
      value = this.#command(command, index === 0 ? [] : [value])
    }
    return value
  }

  #command(tokens: readonly Token[], piped: readonly TemplateValue[]): TemplateValue {
    const [head, ...rest] = operands(tokens)
    const name = head?.[0]
    if (head === undefined || name === undefined) return undefined
    if (name.kind !== 'identifier' || head.length > 1) {
      if (rest.length + piped.length === 0) return this.#operand(head)
      throw new ExecutionProblem("can't give argument to non-function", name.at, textOf(head))
    }
    const values = [...rest.map((operand) => this.#operand(operand)), ...piped]
    return this.#call(name, values)
  }

  #call({ text, at }: Token, values: readonly TemplateValue[]): TemplateValue {
    if (text === 'true' || text === 'false') return text === 'true'
    const own = Object.hasOwn(this.#functions, text) ? this.#functions[text] : undefined
    if (own === undefined) return BUILTINS[text]?.(values)
    if (values.length === 0) return own()
    throw new ExecutionProblem(`wrong number of args for ${text}: want 0 got ${values.length}`, at, text)
  }

  /** A literal, variable, function or parenthesised pipeline, with fields after it. */
  #operand(tokens: readonly Token[]): TemplateValue {
    const [first] = tokens
    if (first === undefined) return undefined
    if (first.text === '(') return this.#pipeline(tokens.slice(1, -1))
    if (first.kind === 'field') return this.#fields(this.#dot, tokens, first)
    return this.#fields(this.#atom(first), tokens.slice(1), first)
  }

  #atom(token: Token): TemplateValue {
    const { kind, text, at } = token
    if (kind === 'string') return text.startsWith('`') ? text.slice(1, -1) : (JSON.parse(text) as string)
    if (kind === 'number') return Number(text)
    if (kind === 'dot') return this.#dot
    if (kind === 'identifier') return this.#call(token, [])
    if (!this.#variables.has(text)) throw new TemplateProblem(`undefined variable ${JSON.stringify(text)}`, at)
    return this.#variables.get(text)
  }

  #fields(start: TemplateValue, fields: readonly Token[], node: Token): TemplateValue {
    let value = start
    for (const { text } of fields) {
      const key = text.slice(1)
      if (value === undefined)
        throw new ExecutionProblem(`nil data; no entry for key ${JSON.stringify(key)}`, node.at, node.text)
      if (typeof value !== 'object') {
        throw new ExecutionProblem(`can't evaluate field ${key} in type ${typeof value}`, node.at, node.text)
      }
      const entry: string | undefined = value[key]
      if (entry === undefined)
        throw new ExecutionProblem(`map has no entry for key ${JSON.stringify(key)}`, node.at, node.text)
      value = entry
    }
    return value
  }
}

/** Tokens of each operand: fields stick to what stands before them without space. */
function operands(tokens: readonly Token[]): Token[][] {
  const result: Token[][] = []
  let depth = 0
  for (const token of tokens) {
    const sticks = depth > 0 || (token.kind === 'field' && !token.spaced && result.length > 0)
    if (token.text === '(') depth++
    if (token.text === ')') depth--
    if (sticks) result.at(-1)?.push(token)
    else result.push([token])
  }
  return result
}

function splitAt(tokens: readonly Token[], symbol: string): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.text === '(') depth++
    if (token.text === ')') depth--
    if (depth === 0 && token.kind === 'symbol' && token.text === symbol) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map(({ text }) => text).join('')
}

function isTrue(value: TemplateValue): boolean {
  return typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value)
}

function printed(value: TemplateValue): string {
  if (value === undefined) return '<no value>'
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `map[${entries.map(([name, text]) => `${name}:${text}`).join(' ')}]`
}

function formatted(format: string, values: readonly TemplateValue[]): string {
  let next = 0
  return format.replaceAll(/%([svdq%])/g, (_all, verb: string) => {
    if (verb === '%') return '%'
    const value = printed(values[next++])
    return verb === 'q' ? JSON.stringify(value) : value
  })
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&#39;', '"': '&#34;' }
  return text.replaceAll(/[<>&'"]/g, (character) => names[character] ?? character)
}
