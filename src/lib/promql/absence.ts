import { type Matcher, METRIC_NAME, type Series } from '../tsdb/index.ts'
import { type Binary, type Expr, typeOf, unwrap, type VectorSelector } from './ast.ts'
import type { Engine } from './engine.ts'
import { formatDuration } from './literal.ts'
import { printExpr } from './print.ts'

/** Why a query gives no usable value. */
type AbsenceCode =
  | 'query error'
  | 'no series'
  | 'label mismatch'
  | 'target not scraped'
  | 'fewer than two samples'
  | 'numerator absent'
  | 'no requests'

/** The cause with its evidence in words. */
interface Absence {
  readonly code: AbsenceCode
  /** One short line, e.g. `fewer than two samples of response_total in 1m`. */
  readonly text: string
}

/**
 * Explains why an instant query gives nothing or only NaN: the first cause on the way from the whole expression down to
 * its selectors. Pure; it asks the engine about the parts of the query.
 * @param query - PromQL text
 * @param timeMs - evaluation time, ms since the epoch
 * @returns undefined when the query has a value after all
 */
export function explainAbsence(engine: Engine, query: string, timeMs: number): Absence | undefined {
  const outcome = engine.instant(query, timeMs)
  if (!outcome.ok) return { code: 'query error', text: outcome.error }
  const { value } = outcome
  if (value.type === 'vector' && value.elements.some((element) => !Number.isNaN(element.value))) return undefined
  if (value.type === 'scalar' && !Number.isNaN(value.value)) return undefined
  return explain(engine, engine.parse(query), timeMs) ?? { code: 'no requests', text: 'every value is NaN' }
}

function explain(engine: Engine, expr: Expr, timeMs: number): Absence | undefined {
  const inner = unwrap(expr)
  switch (inner.kind) {
    case 'binary':
      return explainBinary(engine, inner, timeMs)
    case 'aggregation':
    case 'unary':
      return explain(engine, inner.inner, timeMs)
    case 'call': {
      const argument = inner.args.find((candidate) => typeOf(candidate) !== 'scalar' && typeOf(candidate) !== 'string')
      return argument === undefined ? undefined : explain(engine, argument, timeMs)
    }
    case 'subquery':
      return explain(engine, inner.inner, timeMs)
    case 'range':
      return explainSelector(engine, inner.selector, timeMs, inner.rangeMs)
    case 'selector':
      return explainSelector(engine, inner, timeMs, undefined)
    default:
      return undefined
  }
}

function explainBinary(engine: Engine, expr: Binary, timeMs: number): Absence | undefined {
  if (typeOf(expr.left) === 'scalar') return explain(engine, expr.right, timeMs)
  if (typeOf(expr.right) === 'scalar') return explain(engine, expr.left, timeMs)
  const left = valuesOf(engine, expr.left, timeMs)
  const right = valuesOf(engine, expr.right, timeMs)
  if (right.length === 0) return explain(engine, expr.right, timeMs)
  if (expr.operator === '/' && right.every((value) => value === 0)) {
    return { code: 'no requests', text: `${metricOf(expr.right)} did not grow` }
  }
  if (left.length === 0) {
    const cause = explain(engine, expr.left, timeMs)
    const reason = cause === undefined ? '' : `: ${cause.text}`
    return { code: 'numerator absent', text: `denominator has a value, numerator has none${reason}` }
  }
  if (left.every(Number.isNaN)) return explain(engine, expr.left, timeMs)
  if (right.every(Number.isNaN)) return explain(engine, expr.right, timeMs)
  return { code: 'label mismatch', text: `no element left and right of ${expr.operator} has matching labels` }
}

function valuesOf(engine: Engine, expr: Expr, timeMs: number): number[] {
  const outcome = engine.instant(printExpr(expr), timeMs)
  return outcome.ok && outcome.value.type === 'vector' ? outcome.value.elements.map((element) => element.value) : []
}

/** The first metric an expression names. */
function metricOf(expr: Expr): string {
  const inner = unwrap(expr)
  switch (inner.kind) {
    case 'selector':
      return inner.name === '' ? printExpr(inner) : inner.name
    case 'range':
      return metricOf(inner.selector)
    case 'aggregation':
    case 'unary':
    case 'subquery':
      return metricOf(inner.inner)
    case 'binary':
      return metricOf(inner.left)
    case 'call': {
      const argument = inner.args.find((candidate) => typeOf(candidate) !== 'scalar' && typeOf(candidate) !== 'string')
      return argument === undefined ? inner.spec.name : metricOf(argument)
    }
    default:
      return printExpr(inner)
  }
}

function explainSelector(
  engine: Engine,
  expr: VectorSelector,
  timeMs: number,
  rangeMs: number | undefined
): Absence | undefined {
  const metric = metricOf(expr)
  const series = engine.db.select(expr.matchers)
  if (series.length === 0) return explainNoMatch(engine, expr, metric)
  const endMs = timeMs - expr.offsetMs
  const counts = series.map((one) => liveSamples(one, endMs - (rangeMs ?? 300_000), endMs))
  const most = Math.max(...counts)
  if (most === 0) {
    const newestMs = Math.max(...series.map((one) => newestBefore(one, endMs)))
    const age = Number.isFinite(newestMs) ? `last sample ${formatDuration(endMs - newestMs)} ago` : 'no sample yet'
    return { code: 'target not scraped', text: `${metric}: ${age}` }
  }
  if (rangeMs !== undefined && most === 1) {
    return { code: 'fewer than two samples', text: `one sample of ${metric} in ${formatDuration(rangeMs)}` }
  }
  const window = rangeMs === undefined ? '' : ` in ${formatDuration(rangeMs)}`
  return { code: 'no requests', text: `${metric} did not grow${window}` }
}

function explainNoMatch(engine: Engine, expr: VectorSelector, metric: string): Absence {
  const named = expr.matchers.filter((matcher) => matcher.name === METRIC_NAME)
  if (named.length === 0 || engine.db.select(named).length === 0)
    return { code: 'no series', text: `no series ${metric}` }
  const others = expr.matchers.filter((matcher) => matcher.name !== METRIC_NAME)
  // The matcher that alone matches nothing is the culprit; else it is their combination.
  const culprit = others.find((matcher) => engine.db.select([...named, matcher]).length === 0)
  const shown = culprit === undefined ? others.map(String).join(', ') : culprit.toString()
  const values = culprit === undefined ? [] : valuesPresent(engine, named, culprit.name)
  const present = values.length === 0 ? '' : ` (it has ${values.map((value) => JSON.stringify(value)).join(', ')})`
  return { code: 'label mismatch', text: `no series of ${metric} has ${shown}${present}` }
}

const VALUES_SHOWN_MAX = 3

function valuesPresent(engine: Engine, named: readonly Matcher[], label: string): string[] {
  const values = new Set(engine.db.select(named).map((series) => series.labels.get(label)))
  return [...values]
    .filter((value) => value !== '')
    .sort()
    .slice(0, VALUES_SHOWN_MAX)
}

function liveSamples(series: Series, fromMs: number, toMs: number): number {
  let count = 0
  for (
    let index = series.indexAtOrAfter(fromMs);
    index < series.to && (series.timeAt(index) ?? Infinity) <= toMs;
    index++
  ) {
    if (!series.isStale(index)) count++
  }
  return count
}

function newestBefore(series: Series, timeMs: number): number {
  for (let index = series.indexAtOrAfter(timeMs + 1) - 1; index >= series.from; index--) {
    if (!series.isStale(index)) return series.timeAt(index) ?? -Infinity
  }
  return -Infinity
}
