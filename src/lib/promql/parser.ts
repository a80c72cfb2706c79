import { compileRegexp, Matcher, METRIC_NAME, type MatchOperator } from '../tsdb/index.ts'
import type { Aggregation, Call, Expr, FixedTime, Matching, Span, Subquery, VectorSelector } from './ast.ts'
import { FUNCTIONS } from './function-table.data.ts'
import { durationSeconds, numberValue, unquote } from './literal.ts'
import { lex, quote, type Token } from './lexer.ts'
import { PromqlParseError } from './parse-error.ts'

/** Dialect switches of the parser. */
export interface ParseOptions {
  /** `v2`: Prometheus 2.55.1; `v3`: 3.14.0. */
  readonly version: 'v2' | 'v3'
  /** Accept functions and aggregations behind Prometheus' experimental switch. */
  readonly experimentalFunctions: boolean
}

interface Context {
  readonly place: string
  readonly expected: string
}

interface Problem {
  readonly start: number
  readonly reason: string
}

const BINARY_PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<=': 3,
  '<': 3,
  '>=': 3,
  '>': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': 6
}
const POWER = 6
const DEPTH_MAX = 250
const NAME_WORDS = new Set(['and', 'or', 'unless', 'by', 'without', 'offset'])
const PARAMETER_AGGREGATORS = new Set(['topk', 'bottomk', 'count_values', 'quantile', 'limitk', 'limit_ratio'])
const EXPERIMENTAL_AGGREGATORS = new Set(['limitk', 'limit_ratio'])

class Abort extends Error {}

/**
 * Parses the grammar of PromQL without checking types.
 * @throws PromqlParseError with Prometheus' text and position
 * @see Prometheus promql/parser/generated_parser.y and parse.go, v2.55.1
 */
export function parseSyntax(query: string, options: ParseOptions): Expr {
  return new Parser(query, options).run()
}

class Parser {
  private readonly query: string
  private readonly options: ParseOptions
  private readonly tokens: readonly Token[]
  private readonly contexts: Context[] = []
  private readonly problems: Problem[] = []
  private index = 0
  private depth = 0

  constructor(query: string, options: ParseOptions) {
    this.query = query
    this.options = options
    this.tokens = lex(query)
  }

  run(): Expr {
    let expr: Expr | undefined
    try {
      if (this.peek().type === 'eof') this.abort(0, 'no expression found in input')
      expr = this.expression(0)
      if (this.peek().type !== 'eof') this.unexpected()
    } catch (error) {
      if (!(error instanceof Abort)) throw error
    }
    const first = this.problems[0]
    if (first !== undefined) throw new PromqlParseError(this.query, first.start, first.reason)
    if (expr === undefined) throw new PromqlParseError(this.query, 0, 'no expression found in input')
    return expr
  }

  private expression(minimum: number): Expr {
    if (++this.depth > DEPTH_MAX) this.abort(this.peek().start, 'expression is nested too deeply')
    let left = this.unary()
    for (;;) {
      const token = this.peek()
      const precedence = token.type === 'operator' ? BINARY_PRECEDENCE[token.text] : undefined
      if (precedence === undefined || precedence < minimum) break
      left = this.binary(left, token, precedence)
    }
    this.depth--
    return left
  }

  private binary(left: Expr, operator: Token, precedence: number): Expr {
    this.index++
    const returnBool = this.accept('bool')
    const matching = this.matching()
    const right = this.expression(precedence === POWER ? precedence : precedence + 1)
    const span = { start: left.start, end: right.end }
    return { kind: 'binary', operator: operator.text, left, right, returnBool, matching, ...span }
  }

  private matching(): Matching {
    const on = this.peek().text === 'on' && this.peek().type === 'keyword'
    if (!on && !this.isKeyword('ignoring')) {
      return { cardinality: 'one-to-one', on: false, labels: [], include: [] }
    }
    this.index++
    const labels = this.groupingLabels()
    const left = this.isKeyword('group_left')
    if (!left && !this.isKeyword('group_right')) return { cardinality: 'one-to-one', on, labels, include: [] }
    this.index++
    const include = this.peek().text === '(' ? this.groupingLabels() : []
    return { cardinality: left ? 'many-to-one' : 'one-to-many', on, labels, include }
  }

  private unary(): Expr {
    const token = this.peek()
    if (token.type !== 'operator' || (token.text !== '-' && token.text !== '+')) return this.postfix(this.primary())
    this.index++
    const inner = this.expression(POWER)
    const span = { start: token.start, end: inner.end }
    if (inner.kind === 'number')
      return { kind: 'number', value: token.text === '-' ? -inner.value : inner.value, ...span }
    return { kind: 'unary', operator: token.text, inner, ...span }
  }

  private primary(): Expr {
    const token = this.peek()
    if (token.type === 'number' || token.type === 'duration') {
      this.index++
      return { kind: 'number', value: this.number(token), start: token.start, end: token.end }
    }
    if (token.type === 'string') {
      this.index++
      return {
        kind: 'string',
        value: unquote(token.raw),
        raw: token.raw.slice(1, -1),
        start: token.start,
        end: token.end
      }
    }
    if (token.type === 'symbol' && token.text === '(') return this.paren()
    if (token.type === 'symbol' && token.text === '{') return this.selector(undefined)
    const next = this.tokens[this.index + 1]
    if (token.type === 'aggregator' && (next?.text === '(' || next?.text === 'by' || next?.text === 'without')) {
      return this.aggregation()
    }
    if (token.type === 'identifier' && next?.text === '(' && next.type === 'symbol') return this.call()
    if (isMetricName(token)) {
      this.index++
      return this.selector(token)
    }
    return this.unexpected()
  }

  private paren(): Expr {
    const start = this.next().start
    const inner = this.expression(0)
    const end = this.expectSymbol(')').end
    return { kind: 'paren', inner, start, end }
  }

  private call(): Call {
    const name = this.next()
    const { args, end } = this.callBody()
    const spec = FUNCTIONS.get(name.raw)
    const known = spec !== undefined && spec.versions.includes(this.options.version)
    if (!known) this.problem(name.start, `unknown function with name ${quote(name.raw)}`)
    else if (spec.experimental && !this.options.experimentalFunctions) {
      this.problem(name.start, `function ${quote(name.raw)} is not enabled`)
    }
    const fallback = {
      name: name.raw,
      args: [],
      variadic: -1,
      returns: 'vector',
      experimental: false,
      versions: []
    } as const
    return { kind: 'call', spec: spec ?? fallback, args, start: name.start, end }
  }

  private callBody(): { args: Expr[]; end: number } {
    this.expectSymbol('(')
    const args: Expr[] = []
    if (this.isSymbol(')')) return { args, end: this.next().end }
    args.push(this.expression(0))
    while (this.isSymbol(',')) {
      const comma = this.next()
      if (this.isSymbol(')')) {
        this.problem(comma.start, 'trailing commas not allowed in function call args')
        break
      }
      args.push(this.expression(0))
    }
    return { args, end: this.expectSymbol(')').end }
  }

  private aggregation(): Aggregation {
    const operator = this.next()
    this.contexts.push({ place: 'aggregation', expected: '' })
    let modifier = this.aggregationModifier()
    const body = this.callBody()
    let end = body.end
    if (modifier === undefined) {
      modifier = this.aggregationModifier()
      if (modifier !== undefined) end = this.tokens[this.index - 1]?.end ?? end
    }
    this.contexts.pop()
    return this.makeAggregation(operator, body.args, modifier, { start: operator.start, end })
  }

  private makeAggregation(
    operator: Token,
    args: readonly Expr[],
    modifier: { labels: string[]; without: boolean } | undefined,
    span: Span
  ): Aggregation {
    const name = operator.text
    const wanted = PARAMETER_AGGREGATORS.has(name) ? 2 : 1
    const inner: Expr = args[args.length - 1] ?? { kind: 'number', value: 0, ...span }
    if (args.length === 0) this.problem(span.start, 'no arguments for aggregate expression provided')
    else if (EXPERIMENTAL_AGGREGATORS.has(name) && !this.options.experimentalFunctions) {
      const how = 'is experimental and must be enabled with --enable-feature=promql-experimental-functions'
      this.problem(span.start, `${name}() ${how}`)
    } else if (args.length !== wanted) {
      const counts = `expected ${wanted}, got ${args.length}`
      this.problem(span.start, `wrong number of arguments for aggregate expression provided, ${counts}`)
    }
    const parameter = wanted === 2 ? args[0] : undefined
    const { labels, without } = modifier ?? { labels: [], without: false }
    return { kind: 'aggregation', operator: name, inner, parameter, labels, without, ...span }
  }

  private aggregationModifier(): { labels: string[]; without: boolean } | undefined {
    if (this.accept('by')) return { labels: this.groupingLabels(), without: false }
    if (this.accept('without')) return { labels: this.groupingLabels(), without: true }
    return undefined
  }

  private groupingLabels(): string[] {
    if (!this.isSymbol('(')) this.unexpected({ place: 'grouping opts', expected: '"("' })
    this.index++
    const labels: string[] = []
    while (!this.isSymbol(')')) {
      labels.push(this.groupingLabel())
      if (this.isSymbol(',')) this.index++
      else if (!this.isSymbol(')')) this.unexpected({ place: 'grouping opts', expected: '"," or ")"' })
    }
    this.index++
    return labels
  }

  private groupingLabel(): string {
    const token = this.peek()
    const word = ['identifier', 'metric identifier', 'keyword', 'aggregator'].includes(token.type)
    const operatorWord = token.type === 'operator' && /^[a-z]/.test(token.text)
    const quoted = token.type === 'string'
    if (!word && !operatorWord && !quoted) this.unexpected({ place: 'grouping opts', expected: 'label' })
    this.index++
    const name = quoted ? unquote(token.raw) : token.raw
    if (name.includes(':') && this.options.version === 'v2') {
      this.problem(token.start, `invalid label name for grouping: ${quote(name)}`)
    }
    return name
  }

  private selector(name: Token | undefined): VectorSelector {
    const start = name?.start ?? this.peek().start
    const matchers: Matcher[] = []
    let metricName = name?.raw ?? ''
    let end = name?.end ?? start
    if (this.isSymbol('{')) {
      const inside = this.labelMatchers(metricName === '')
      matchers.push(...inside.matchers)
      end = inside.end
      if (inside.name !== undefined) metricName = inside.name
    }
    if (metricName !== '') matchers.push(new Matcher(METRIC_NAME, '=', metricName))
    return { kind: 'selector', name: metricName, matchers, start, end, offsetMs: 0, offsetGiven: false, at: undefined }
  }

  private labelMatchers(nameAllowed: boolean): { matchers: Matcher[]; name: string | undefined; end: number } {
    this.index++
    const matchers: Matcher[] = []
    let name: string | undefined
    while (!this.isSymbol('}')) {
      const label = this.peek()
      if (label.type !== 'identifier' && label.type !== 'string') {
        this.unexpected({ place: 'label matching', expected: 'identifier or "}"' })
      }
      this.index++
      const quotedName = label.type === 'string' && (this.isSymbol(',') || this.isSymbol('}'))
      if (!quotedName) this.pushMatcher(matchers, label)
      else if (nameAllowed && name === undefined) name = unquote(label.raw)
      else this.problem(label.start, `metric name must not be set twice: ${quote(name ?? '')} or ${label.raw}`)
      if (this.isSymbol(',')) this.index++
      else if (!this.isSymbol('}')) this.unexpected({ place: 'label matching', expected: '"," or "}"' })
    }
    return { matchers, name, end: this.next().end }
  }

  private pushMatcher(matchers: Matcher[], label: Token): void {
    const operator = this.peek()
    if (!['=', '!=', '=~', '!~'].includes(operator.text) || operator.type === 'string') {
      this.unexpected({ place: 'label matching', expected: 'label matching operator' })
    }
    this.index++
    const value = this.peek()
    if (value.type !== 'string') this.unexpected({ place: 'label matching', expected: 'string' })
    this.index++
    const name = label.type === 'string' ? unquote(label.raw) : label.raw
    const text = unquote(value.raw)
    if (operator.text === '=~' || operator.text === '!~') {
      const outcome = compileRegexp(text)
      if (!outcome.ok) {
        this.problem(label.start, `error parsing regexp: ${outcome.error}`)
        return
      }
    }
    matchers.push(new Matcher(name, operator.text as MatchOperator, text))
  }

  private postfix(primary: Expr): Expr {
    let expr = primary
    for (;;) {
      if (this.isSymbol('[')) expr = this.bracketed(expr)
      else if (this.accept('offset')) expr = this.shifted(expr)
      else if (this.isSymbol('@')) expr = this.pinned(expr)
      else return expr
    }
  }

  private bracketed(expr: Expr): Expr {
    const open = this.next()
    const rangeMs = this.positiveDuration({ place: 'subquery selector', expected: 'number or duration' })
    if (this.isSymbol(']')) {
      const end = this.next().end
      const problem = rangeProblem(expr)
      if (problem !== undefined) this.problem(open.start, problem)
      if (expr.kind !== 'selector') return expr
      return { kind: 'range', selector: expr, rangeMs, start: expr.start, end }
    }
    if (!this.isSymbol(':')) this.unexpected({ place: 'subquery or range', expected: '":" or "]"' })
    this.index++
    let stepMs = 0
    if (!this.isSymbol(']')) {
      stepMs = this.positiveDuration({ place: 'subquery selector', expected: 'number or duration or "]"' })
    }
    if (!this.isSymbol(']')) this.unexpected({ place: 'subquery selector', expected: '"]"' })
    const end = this.next().end
    const shift = { offsetMs: 0, offsetGiven: false, at: undefined }
    return { kind: 'subquery', inner: expr, rangeMs, stepMs, start: expr.start, end, ...shift }
  }

  private positiveDuration(context: Context): number {
    const token = this.peek()
    if (token.type !== 'number' && token.type !== 'duration') this.unexpected(context)
    this.index++
    const seconds = this.number(token)
    if (!(seconds > 0)) this.problem(token.start, 'duration must be greater than 0')
    return Math.round(seconds * 1000)
  }

  private signedNumber(context: Context): { token: Token; value: number } {
    let sign = 1
    if (this.peek().type === 'operator' && (this.peek().text === '-' || this.peek().text === '+')) {
      sign = this.next().text === '-' ? -1 : 1
    }
    const token = this.peek()
    if (token.type !== 'number' && token.type !== 'duration') this.unexpected(context)
    this.index++
    return { token, value: sign * this.number(token) }
  }

  private shifted(expr: Expr): Expr {
    const { value } = this.signedNumber({ place: 'offset', expected: 'number or duration' })
    const end = this.tokens[this.index - 1]?.end ?? expr.end
    const what = 'offset modifier must be preceded by an instant vector selector or range vector selector or a subquery'
    return this.modify(expr, end, what, (target) => {
      if (target.offsetGiven) this.problem(expr.start, 'offset may not be set multiple times')
      target.offsetMs = Math.round(value * 1000)
      target.offsetGiven = true
    })
  }

  private pinned(expr: Expr): Expr {
    this.index++
    const at = this.fixedTime(expr)
    const end = this.tokens[this.index - 1]?.end ?? expr.end
    const what = '@ modifier must be preceded by an instant vector selector or range vector selector or a subquery'
    return this.modify(expr, end, what, (target) => {
      if (target.at !== undefined) this.problem(expr.start, '@ <timestamp> may not be set multiple times')
      target.at = at
    })
  }

  private fixedTime(expr: Expr): FixedTime {
    const word = this.peek().type === 'identifier' ? this.peek().raw.toLowerCase() : ''
    if (word === 'start' || word === 'end') {
      this.index++
      this.expectSymbol('(')
      this.expectSymbol(')')
      return word
    }
    const { value } = this.signedNumber({ place: '@', expected: 'timestamp' })
    if (!Number.isFinite(value) || Math.abs(value) >= 9.223372036854776e15) {
      this.problem(expr.start, `timestamp out of bounds for @ modifier: ${formatFixed(value)}`)
    }
    return Math.round(value * 1000)
  }

  private modify(expr: Expr, end: number, refusal: string, change: (target: VectorSelector | Subquery) => void): Expr {
    if (expr.kind === 'selector' || expr.kind === 'subquery') {
      change(expr)
      return { ...expr, end }
    }
    if (expr.kind === 'range') {
      change(expr.selector)
      return { ...expr, end }
    }
    this.problem(expr.start, refusal)
    return expr
  }

  private number(token: Token): number {
    const value = token.type === 'duration' ? durationSeconds(token.raw) : numberValue(token.raw)
    if (value !== undefined) return value
    const text = token.type === 'duration' ? `not a valid duration string: ${quote(token.raw)}` : 'error parsing number'
    this.problem(token.start, text)
    return 1
  }

  private peek(): Token {
    const token = this.tokens[this.index] ?? this.tokens[this.tokens.length - 1]
    if (token === undefined) throw new Abort()
    if (token.type === 'error') this.abort(token.start, token.text)
    return token
  }

  private next(): Token {
    const token = this.peek()
    this.index++
    return token
  }

  private isSymbol(text: string): boolean {
    const token = this.peek()
    return token.type === 'symbol' && token.text === text
  }

  private isKeyword(text: string): boolean {
    const token = this.peek()
    return token.type === 'keyword' && token.text === text
  }

  private accept(keyword: string): boolean {
    if (!this.isKeyword(keyword)) return false
    this.index++
    return true
  }

  private expectSymbol(text: string): Token {
    if (!this.isSymbol(text)) this.unexpected()
    return this.next()
  }

  private unexpected(context?: Context): never {
    const where = context ?? this.contexts[this.contexts.length - 1]
    const token = this.peek()
    let text = `unexpected ${describe(token)}`
    if (where !== undefined) text += ` in ${where.place}`
    if (where !== undefined && where.expected !== '') text += `, expected ${where.expected}`
    return this.abort(token.start, text)
  }

  private problem(start: number, reason: string): void {
    this.problems.push({ start, reason })
  }

  private abort(start: number, reason: string): never {
    this.problem(start, reason)
    throw new Abort()
  }
}

function isMetricName(token: Token): boolean {
  if (token.type === 'identifier' || token.type === 'metric identifier' || token.type === 'aggregator') return true
  return (token.type === 'keyword' || token.type === 'operator') && NAME_WORDS.has(token.text)
}

function rangeProblem(expr: Expr): string | undefined {
  if (expr.kind !== 'selector') return 'ranges only allowed for vector selectors'
  if (expr.offsetGiven) return 'no offset modifiers allowed before range'
  return expr.at === undefined ? undefined : 'no @ modifiers allowed before range'
}

function formatFixed(value: number): string {
  return Number.isFinite(value) ? value.toFixed(6) : value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN'
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
