import { quote } from '../quote.ts'
import { nodeText, type Command, type List, type Operand, type Pipe, type Step } from './node.ts'
import { readNumber } from './number.ts'
import { TokenCursor } from './token-cursor.ts'
import type { Token, TokenKind } from './token.ts'
import { unquote } from './unquote.ts'

/** Templates by name. */
export type Templates = Map<string, List>

/** A template that cannot be parsed: Go's message and the line it names. */
export class TemplateProblem extends Error {
  readonly line: number

  /** @param line - from 1 */
  constructor(message: string, line: number) {
    super(message)
    this.name = 'TemplateProblem'
    this.line = line
  }
}

/** What may stand at the beginning of an operand. */
const TERMS: ReadonlySet<TokenKind> = new Set([
  'bool',
  'character',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen'
])
/** Operands that take no fields and cannot be given a value. */
const LITERALS: ReadonlySet<string> = new Set(['bool', 'dot', 'nil', 'number', 'string'])
const DEPTH_MAX = 10_000

/**
 * Parses a template and those defined in it.
 * @param name - name of the outermost template
 * @param isFunction - whether a function of that name may be called
 * @throws TemplateProblem
 * @see Go text/template/parse/parse.go 1.26
 */
export function parseTemplates(name: string, text: string, isFunction: (name: string) => boolean): Templates {
  const parser = new Parser(text, isFunction)
  return parser.run(name)
}

class Parser {
  readonly #tokens: TokenCursor
  readonly #isFunction: (name: string) => boolean
  readonly #templates: Templates = new Map()
  #variables: string[] = ['$']
  #actionLine = 0
  #ranges = 0
  #depth = 0

  constructor(text: string, isFunction: (name: string) => boolean) {
    this.#tokens = new TokenCursor(text)
    this.#isFunction = isFunction
  }

  run(name: string): Templates {
    const steps: Step[] = []
    while (this.#tokens.peek().kind !== 'eof') {
      if (this.#tokens.peek().kind === 'open' && this.#startsDefinition()) {
        this.#definition()
        continue
      }
      const step = this.#step()
      if (step.node === 'end' || step.node === 'else') throw this.#problem(`unexpected ${nodeText(step)}`)
      steps.push(step)
    }
    this.#add(name, steps)
    return this.#templates
  }

  #startsDefinition(): boolean {
    const mark = this.#tokens.place
    this.#tokens.take()
    const token = this.#tokens.takeWord()
    if (token.kind === 'keyword' && token.text === 'define') return true
    this.#tokens.place = mark
    return false
  }

  #definition(): void {
    const name = this.#quotedName(this.#tokens.takeWord(), 'define clause')
    this.#expectClose('define clause')
    this.#body(name, 'define clause')
  }

  /** A template of its own, up to its end. */
  #body(name: string, context: string): void {
    const [variables, ranges] = [this.#variables, this.#ranges]
    this.#variables = ['$']
    this.#ranges = 0
    const [list, end] = this.#list()
    if (end.node !== 'end') throw this.#problem(`unexpected ${nodeText(end)} in ${context}`)
    this.#add(name, list)
    this.#variables = variables
    this.#ranges = ranges
  }

  /** A template that is only space gives way to another of its name. */
  #add(name: string, list: List): void {
    const known = this.#templates.get(name)
    if (known === undefined || isEmpty(known)) this.#templates.set(name, list)
    else if (!isEmpty(list)) throw this.#problem(`template: multiple definition of template ${quote(name)}`)
  }

  /** Steps up to `end` or `else`, which is given apart. */
  #list(): readonly [List, Extract<Step, { node: 'end' | 'else' }>] {
    const steps: Step[] = []
    while (this.#tokens.peekWord().kind !== 'eof') {
      const step = this.#step()
      if (step.node === 'end' || step.node === 'else') return [steps, step]
      steps.push(step)
    }
    throw this.#problem('unexpected EOF')
  }

  #step(): Step {
    const token = this.#tokens.takeWord()
    if (token.kind === 'text') return { node: 'text', text: token.text, at: token.at }
    if (token.kind !== 'open') throw this.#unexpected(token, 'input')
    this.#actionLine = this.#tokens.lineAt(token.at)
    const step = this.#action()
    this.#actionLine = 0
    return step
  }

  #action(): Step {
    const token = this.#tokens.takeWord()
    if (token.kind === 'keyword') {
      const step = this.#keyword(token)
      if (step !== undefined) return step
    }
    this.#tokens.back(token)
    const { at } = this.#tokens.peek()
    return { node: 'action', at, pipe: this.#pipeline('command', 'close') }
  }

  #keyword({ text, at }: Token): Step | undefined {
    switch (text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(text)
      case 'break':
      case 'continue':
        return this.#jump(text, at)
      case 'end':
        return { node: 'end', at: this.#expectClose('end').at }
      case 'else':
        return this.#else()
      case 'template':
        return this.#call()
      case 'block':
        return this.#block()
      default:
        return undefined
    }
  }

  #jump(node: 'break' | 'continue', at: number): Step {
    const token = this.#tokens.takeWord()
    if (token.kind !== 'close') throw this.#unexpected(token, `{{${node}}}`)
    if (this.#ranges === 0) throw this.#problem(`{{${node}}} outside {{range}}`)
    return { node, at }
  }

  /** The words after `else if` and `else with` are left for the branch. */
  #else(): Step {
    const token = this.#tokens.peekWord()
    if (token.kind === 'keyword' && (token.text === 'if' || token.text === 'with'))
      return { node: 'else', at: token.at }
    return { node: 'else', at: this.#expectClose('else').at }
  }

  #branch(node: 'if' | 'with' | 'range'): Step {
    const variables = [...this.#variables]
    const pipe = this.#pipeline(node, 'close')
    if (node === 'range') this.#ranges++
    const [list, closing] = this.#list()
    if (node === 'range') this.#ranges--
    const otherwise = closing.node === 'else' ? this.#otherwise(node) : undefined
    this.#variables = variables
    return { node, at: pipe.at, pipe, list, otherwise }
  }

  #otherwise(node: 'if' | 'with' | 'range'): List {
    const token = this.#tokens.peek()
    if (node !== 'range' && token.kind === 'keyword' && token.text === node) {
      this.#tokens.take()
      return [this.#branch(node)]
    }
    const [list, end] = this.#list()
    if (end.node !== 'end') throw this.#problem(`expected end; found ${nodeText(end)}`)
    return list
  }

  #call(): Step {
    const token = this.#tokens.takeWord()
    const name = this.#quotedName(token, 'template clause')
    const next = this.#tokens.takeWord()
    if (next.kind === 'close') return { node: 'template', at: token.at, name, pipe: undefined }
    this.#tokens.back(next)
    return { node: 'template', at: token.at, name, pipe: this.#pipeline('template clause', 'close') }
  }

  #block(): Step {
    const token = this.#tokens.takeWord()
    const name = this.#quotedName(token, 'block clause')
    const pipe = this.#pipeline('block clause', 'close')
    this.#body(name, 'block clause')
    return { node: 'template', at: token.at, name, pipe }
  }

  #quotedName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'rawString') throw this.#unexpected(token, context)
    return this.#unquoted(token)
  }

  #unquoted({ text }: Token): string {
    const value = unquote(text)
    if (value === undefined) throw this.#problem('invalid syntax')
    return value
  }

  #pipeline(context: string, end: TokenKind): Pipe {
    const { at } = this.#tokens.peekWord()
    const pipe: Pipe = { node: 'pipe', at, declared: [], isAssignment: false, commands: [] }
    this.#declarations(pipe, context)
    for (;;) {
      const token = this.#tokens.takeWord()
      if (token.kind === end) break
      if (!TERMS.has(token.kind)) throw this.#unexpected(token, context)
      this.#tokens.back(token)
      pipe.commands.push(this.#command())
    }
    if (pipe.commands.length === 0) throw this.#problem(`missing value for ${context}`)
    const literal = pipe.commands.findIndex(
      ({ operands: [first] }, index) => index > 0 && LITERALS.has(first?.node ?? '')
    )
    if (literal > 0) throw this.#problem(`non executable command in pipeline stage ${literal + 1}`)
    return pipe
  }

  #declarations(pipe: Pipe, context: string): void {
    while (this.#tokens.peekWord().kind === 'variable') {
      const mark = this.#tokens.place
      const variable = this.#tokens.takeWord()
      const next = this.#tokens.peekWord()
      const isComma = next.kind === 'char' && next.text === ','
      if (next.kind !== 'assign' && next.kind !== 'declare' && !isComma) {
        this.#tokens.place = mark
        return
      }
      this.#tokens.takeWord()
      pipe.declared.push(variable.text)
      this.#variables.push(variable.text)
      if (!isComma) {
        pipe.isAssignment = next.kind === 'assign'
        return
      }
      if (context !== 'range' || pipe.declared.length >= 2) throw this.#problem(`too many declarations in ${context}`)
      if (!['variable', 'close', 'rightParen'].includes(this.#tokens.peekWord().kind))
        throw this.#problem('range can only initialize variables')
    }
  }

  #command(): Command {
    const command: Command = { node: 'command', at: this.#tokens.peekWord().at, operands: [] }
    for (;;) {
      this.#tokens.peekWord()
      const operand = this.#operand()
      if (operand !== undefined) command.operands.push(operand)
      const token = this.#tokens.take()
      if (token.kind === 'space') continue
      if (token.kind === 'close' || token.kind === 'rightParen') this.#tokens.back(token)
      else if (token.kind !== 'pipe') throw this.#unexpected(token, 'operand')
      break
    }
    if (command.operands.length === 0) throw this.#problem('empty command')
    return command
  }

  #operand(): Operand | undefined {
    const term = this.#term()
    if (term === undefined || this.#tokens.peek().kind !== 'field') return term
    const { at } = this.#tokens.peek()
    const names: string[] = []
    while (this.#tokens.peek().kind === 'field') names.push(this.#tokens.take().text.slice(1))
    if (term.node === 'field' || term.node === 'variable') return { ...term, at, names: [...term.names, ...names] }
    if (LITERALS.has(term.node)) throw this.#problem(`unexpected . after term ${quote(nodeText(term))}`)
    return { node: 'chain', at, of: term, names }
  }

  #term(): Operand | undefined {
    const token = this.#tokens.takeWord()
    const { at, text } = token
    switch (token.kind) {
      case 'identifier':
        if (!this.#isFunction(text)) throw this.#problem(`function ${quote(text)} not defined`)
        return { node: 'identifier', at, name: text }
      case 'dot':
        return { node: 'dot', at }
      case 'nil':
        return { node: 'nil', at }
      case 'variable':
        if (!this.#variables.includes(text)) throw this.#problem(`undefined variable ${quote(text)}`)
        return { node: 'variable', at, names: [text] }
      case 'field':
        return { node: 'field', at, names: [text.slice(1)] }
      case 'bool':
        return { node: 'bool', at, value: text === 'true' }
      case 'character':
      case 'complex':
      case 'number':
        return this.#numberNode(token)
      case 'leftParen':
        return this.#parenthesised()
      case 'string':
      case 'rawString':
        return { node: 'string', at, quoted: text, value: this.#unquoted(token) }
      default:
        this.#tokens.back(token)
        return undefined
    }
  }

  #numberNode(token: Token): Operand {
    const value = readNumber(token)
    if (typeof value === 'string') throw this.#problem(value)
    return { node: 'number', at: token.at, text: token.text, value }
  }

  #parenthesised(): Operand {
    if (this.#depth >= DEPTH_MAX) throw this.#problem('max expression depth exceeded')
    this.#depth++
    const pipe = this.#pipeline('parenthesized pipeline', 'rightParen')
    this.#depth--
    return pipe
  }

  #expectClose(context: string): Token {
    const token = this.#tokens.takeWord()
    if (token.kind !== 'close') throw this.#unexpected(token, context)
    return token
  }

  #unexpected(token: Token, context: string): TemplateProblem {
    if (token.kind !== 'error') return this.#problem(`unexpected ${tokenText(token)} in ${context}`)
    const line = this.#tokens.lineAt(token.at)
    const begun = this.#actionLine !== 0 && this.#actionLine !== line
    const place = `started at tmpl:${this.#actionLine}`
    if (!begun) return this.#problem(token.text)
    return this.#problem(`${token.text}${token.text.endsWith(' action') ? '' : ' in action'} ${place}`)
  }

  /** Go names the line of the token it read last. */
  #problem(message: string): TemplateProblem {
    return new TemplateProblem(message, this.#tokens.lastLine)
  }
}

function isEmpty(list: List): boolean {
  return list.every((step) => step.node === 'text' && step.text.trim() === '')
}

/** A token as an error shows it. */
function tokenText({ kind, text }: Token): string {
  if (kind === 'eof') return 'EOF'
  if (kind === 'keyword' || kind === 'dot' || kind === 'nil') return `<${text}>`
  return Buffer.byteLength(text) > 10 ? `${quote([...text].slice(0, 10).join(''))}...` : quote(text)
}
