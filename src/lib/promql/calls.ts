import { Labels, METRIC_NAME, type Series } from '../tsdb/index.ts'
import { type Call, type Expr, type MatrixSelector, type Subquery, unwrap } from './ast.ts'
import type { Evaluator } from './evaluator.ts'
import { histogramFraction, histogramQuantile, labelsForAbsent } from './histogram.ts'
import {
  CALENDAR_FUNCTIONS,
  clampValues,
  labelJoin,
  labelReplace,
  mapValues,
  roundTo,
  sortByLabel,
  sortByValue,
  VALUE_FUNCTIONS
} from './instant-functions.ts'
import { quote } from './lexer.ts'
import { formatG } from './numbers.ts'
import { type RangeFunction, RANGE_FUNCTIONS } from './range-functions.ts'
import { emptyVector, push, type Vector } from './vector.ts'
import { placeWindow } from './window.ts'

const COUNTER_SUFFIX = /_(?:total|sum|count|bucket)$/
/** Functions whose results are samples of the series itself, so that it keeps its name. */
const KEEPS_NAME = new Set(['last_over_time', 'first_over_time'])
const READS_COUNTERS = new Set(['rate', 'increase'])
const SMOOTHING = new Set(['holt_winters', 'double_exponential_smoothing'])

/** Evaluates a call that gives an instant vector. */
export function callFunction(evaluator: Evaluator, expr: Call, timeMs: number): Vector {
  const range = rangeOf(expr)
  if (range !== undefined) return rangeCall(evaluator, expr, range, timeMs)
  const change = VALUE_FUNCTIONS.get(expr.spec.name)
  if (change !== undefined) return mapValues(evaluator, argumentVector(evaluator, expr, 0, timeMs), change)
  const part = CALENDAR_FUNCTIONS.get(expr.spec.name)
  if (part !== undefined) return calendarCall(evaluator, expr, part, timeMs)
  return namedCall(evaluator, expr, timeMs)
}

/**
 * Evaluates a call of a range function to values of the series themselves, for a reader to whom the labels of results
 * make no difference but by their values; undefined where that could be told from the usual way: names that differ hide
 * equal sets, which end a query.
 */
export function seriesResults(evaluator: Evaluator, expr: Call, timeMs: number): Vector<Series> | undefined {
  const range = rangeOf(expr)
  if (range?.kind !== 'range' || evaluator.facts.delayedNameRemoval || expr.spec.name === 'absent_over_time')
    return undefined
  const isOneMetric = range.selector.matchers.some(({ name, operator }) => name === METRIC_NAME && operator === '=')
  if (!isOneMetric) return undefined
  const { compute, parameters } = rangeFunction(evaluator, expr, range, timeMs)
  const result = emptyVector<Series>()
  const window = evaluator.windowOf(range, timeMs)
  let checked = false
  for (const series of evaluator.seriesOf(range.selector)) {
    if (!placeWindow(window, series)) continue
    if (!checked) checkParameters(evaluator, expr, parameters)
    checked = true
    const value = compute(window, parameters)
    if (value === undefined) continue
    // All have one name.
    if (result.values.length === 0) hintNonCounter(evaluator, expr, series.metricName)
    push(result, series, value)
  }
  return result
}

function rangeOf(expr: Call): MatrixSelector | Subquery | undefined {
  for (const argument of expr.args) {
    const inner = unwrap(argument)
    if (inner.kind === 'range' || inner.kind === 'subquery') return inner
  }
  return undefined
}

function argumentVector(evaluator: Evaluator, expr: Call, index: number, timeMs: number): Vector {
  const argument = expr.args[index]
  const vector = argument === undefined ? emptyVector() : evaluator.vector(argument, timeMs)
  evaluator.evaluationMs = timeMs
  return vector
}

function argumentScalar(evaluator: Evaluator, expr: Call, index: number, timeMs: number): number {
  const argument = expr.args[index]
  return argument === undefined ? Number.NaN : evaluator.scalar(argument, timeMs)
}

function calendarCall(evaluator: Evaluator, expr: Call, part: (seconds: number) => number, timeMs: number): Vector {
  if (expr.args.length === 0) return { labels: [Labels.EMPTY], values: [part(timeMs / 1000)] }
  return mapValues(evaluator, argumentVector(evaluator, expr, 0, timeMs), part)
}

function namedCall(evaluator: Evaluator, expr: Call, timeMs: number): Vector {
  const vector = (index = 0): Vector => argumentVector(evaluator, expr, index, timeMs)
  const scalar = (index: number): number => argumentScalar(evaluator, expr, index, timeMs)
  const texts = (): string[] => expr.args.slice(1).map((argument) => evaluator.text(argument))
  switch (expr.spec.name) {
    case 'absent':
      return absent(vector(), expr.args[0])
    case 'clamp':
      return clampValues(evaluator, vector(), scalar(1), scalar(2))
    case 'clamp_max':
      return clampValues(evaluator, vector(), -Infinity, scalar(1))
    case 'clamp_min':
      return clampValues(evaluator, vector(), scalar(1), Infinity)
    case 'histogram_quantile':
      return histogramQuantile(evaluator, expr, scalar(0), vector(1))
    case 'histogram_fraction':
      return histogramFraction(evaluator, expr, { lower: scalar(0), upper: scalar(1) }, vector(2))
    case 'label_join':
      return labelJoin(evaluator, vector(), texts())
    case 'label_replace':
      return labelReplace(evaluator, vector(), texts())
    case 'round':
      return mapValues(evaluator, vector(), roundTo(expr.args.length > 1 ? scalar(1) : 1))
    case 'sort':
    case 'sort_desc':
    case 'sort_by_label':
    case 'sort_by_label_desc':
      return sorted(evaluator, expr, vector(), texts())
    case 'timestamp':
      return timestamp(evaluator, expr, timeMs)
    case 'vector':
      return { labels: [Labels.EMPTY], values: [scalar(0)] }
    case 'histogram_avg':
    case 'histogram_count':
    case 'histogram_sum':
    case 'histogram_stddev':
    case 'histogram_stdvar':
      // These take native histograms only, which the database does not hold; floats give no element.
      vector()
      return emptyVector()
    default:
      return evaluator.fail(`function ${quote(expr.spec.name)} is not supported`)
  }
}

function sorted(evaluator: Evaluator, expr: Call, input: Vector, names: readonly string[]): Vector {
  if (evaluator.facts.version === 'v3' && evaluator.facts.startMs !== evaluator.facts.endMs) {
    evaluator.facts.annotations.warn(
      'sort is ineffective for range queries since results are always ordered by labels',
      expr.start
    )
  }
  const descending = expr.spec.name.endsWith('_desc')
  if (expr.spec.name.startsWith('sort_by_label')) return sortByLabel(input, names, descending)
  return sortByValue(input, descending)
}

function timestamp(evaluator: Evaluator, expr: Call, timeMs: number): Vector {
  const argument = expr.args[0]
  const inner = argument === undefined ? undefined : unwrap(argument)
  if (inner?.kind === 'selector') {
    const selected = evaluator.select(inner, timeMs, true)
    return mapValues(evaluator, selected, (seconds) => seconds)
  }
  return mapValues(evaluator, argumentVector(evaluator, expr, 0, timeMs), () => timeMs / 1000)
}

function absent(input: Vector, argument: Expr | undefined): Vector {
  if (input.labels.length > 0) return emptyVector()
  return { labels: [absentLabels(argument)], values: [1] }
}

function absentLabels(argument: Expr | undefined): Labels {
  const inner = argument === undefined ? undefined : unwrap(argument)
  if (inner?.kind === 'selector') return Labels.fromPairs(labelsForAbsent(inner.matchers))
  if (inner?.kind === 'range') return Labels.fromPairs(labelsForAbsent(inner.selector.matchers))
  return Labels.EMPTY
}

function rangeCall(evaluator: Evaluator, expr: Call, range: MatrixSelector | Subquery, timeMs: number): Vector {
  const { name } = expr.spec
  const keepsName = KEEPS_NAME.has(name)
  const { compute, parameters } = rangeFunction(evaluator, expr, range, timeMs)
  const result = emptyVector()
  let checked = false
  evaluator.windows(range, timeMs, ({ labels }, window) => {
    if (!checked) checkParameters(evaluator, expr, parameters)
    checked = true
    const value = compute(window, parameters)
    if (value === undefined) return
    hintNonCounter(evaluator, expr, labels.metricName)
    push(result, keepsName ? labels : evaluator.dropName(labels), value)
  })
  return name === 'absent_over_time' ? absent(result, range) : result
}

interface RangeComputation {
  readonly compute: RangeFunction
  readonly parameters: readonly number[]
}

function rangeFunction(
  evaluator: Evaluator,
  expr: Call,
  range: MatrixSelector | Subquery,
  timeMs: number
): RangeComputation {
  const { name } = expr.spec
  const compute = RANGE_FUNCTIONS.get(name)
  if (compute === undefined) return evaluator.fail(`function ${quote(name)} is not supported`)
  const scalars = expr.args.filter((argument) => unwrap(argument) !== range)
  return { compute, parameters: scalars.map((argument) => evaluator.scalar(argument, timeMs)) }
}

function checkParameters(evaluator: Evaluator, expr: Call, parameters: readonly number[]): void {
  if (SMOOTHING.has(expr.spec.name)) {
    const names = ['smoothing', 'trend']
    parameters.forEach((value, index) => {
      if (value > 0 && value < 1) return
      const symbol = index === 0 ? 'sf' : 'tf'
      const shown = Number.isFinite(value) ? value.toFixed(6) : formatG(value)
      evaluator.fail(`invalid ${names[index] ?? ''} factor. Expected: 0 < ${symbol} < 1, got: ${shown}`)
    })
  }
  const phi = parameters[0] ?? Number.NaN
  if (expr.spec.name === 'quantile_over_time' && !(phi >= 0 && phi <= 1)) {
    const text = `quantile value should be between 0 and 1, got ${formatG(phi)}`
    evaluator.facts.annotations.warn(text, expr.args[0]?.start ?? expr.start)
  }
}

/** The name that was looked at last, and what came of it: neighbouring series mostly share theirs. */
let lastName = ''
let lastIsCounter = false

function isCounterName(name: string): boolean {
  if (name !== lastName) {
    lastIsCounter = COUNTER_SUFFIX.test(name)
    lastName = name
  }
  return lastIsCounter
}

/** Of the functions that read counters. */
function hintNonCounter(evaluator: Evaluator, expr: Call, name: string): void {
  if (name === '' || !READS_COUNTERS.has(expr.spec.name) || isCounterName(name)) return
  const text = `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quote(name)}`
  evaluator.facts.annotations.info(text, expr.args[0]?.start ?? expr.start)
}
