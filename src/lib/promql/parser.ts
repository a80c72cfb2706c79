import type { Aggregation, Call, Expr, FixedTime, Matching, Span, Subquery, VectorSelector } from './ast.ts'
import { FUNCTIONS } from './function-table.data.ts'
import { LabelParser } from './label-parser.ts'
import { unquote } from './literal.ts'
import { quote, type Token } from './lexer.ts'
import { PromqlParseError } from './parse-error.ts'
import { Abort, type Context } from './token-cursor.ts'

/** Dialect switches of the parser. */
export interface ParseOptions {
  /** `v2`: Prometheus 2.55.1; `v3`: 3.14.0. */
  readonly version: 'v2' | 'v3'
  /** Accept functions and aggregations behind Prometheus' experimental switch. */
  readonly experimentalFunctions: boolean
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

/**
 * Parses the grammar of PromQL without checking types.
 * @throws PromqlParseError with Prometheus' text and position
 * @see Prometheus promql/parser/generated_parser.y and parse.go, v2.55.1
 */
export function parseSyntax(query: string, options: ParseOptions): Expr {
  return new Parser(query, options).run()
}

class Parser extends LabelParser {
  private readonly query: string
  private readonly options: ParseOptions
  private depth = 0

  constructor(query: string, options: ParseOptions) {
    super(query, options.version)
    this.query = query
    this.options = options
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
