import { compileRegexp, Matcher, METRIC_NAME, type MatchOperator } from '../tsdb/index.ts'
import type { VectorSelector } from './ast.ts'
import { unquote } from './literal.ts'
import { quote, type Token } from './lexer.ts'
import { TokenCursor } from './token-cursor.ts'

/** Parses what names labels: groupings and selectors. */
export class LabelParser extends TokenCursor {
  protected readonly version: 'v2' | 'v3'

  constructor(query: string, version: 'v2' | 'v3') {
    super(query)
    this.version = version
  }

  protected groupingLabels(): string[] {
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

  protected groupingLabel(): string {
    const token = this.peek()
    const word = ['identifier', 'metric identifier', 'keyword', 'aggregator'].includes(token.type)
    const operatorWord = token.type === 'operator' && /^[a-z]/.test(token.text)
    const quoted = token.type === 'string'
    if (!word && !operatorWord && !quoted) this.unexpected({ place: 'grouping opts', expected: 'label' })
    this.index++
    const name = quoted ? unquote(token.raw) : token.raw
    if (name.includes(':') && this.version === 'v2') {
      this.problem(token.start, `invalid label name for grouping: ${quote(name)}`)
    }
    return name
  }

  protected selector(name: Token | undefined): VectorSelector {
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

  protected labelMatchers(nameAllowed: boolean): { matchers: Matcher[]; name: string | undefined; end: number } {
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

  protected pushMatcher(matchers: Matcher[], label: Token): void {
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
}
