import { type Labels, METRIC_NAME, type Selection, type Series } from '../tsdb/index.ts'
import { aggregate, groupsWithoutNames } from './aggregation.ts'
import {
  type Aggregation,
  type Binary,
  type Call,
  type Expr,
  type MatrixSelector,
  type Subquery,
  typeOf,
  unwrap,
  type VectorSelector
} from './ast.ts'
import { applyOperator, setOperation, vectorScalar, vectorVector } from './binary.ts'
import { callFunction, seriesResults } from './calls.ts'
import { SET_OPERATORS } from './check.ts'
import type { EvaluationContext, QueryFacts } from './context.ts'
import { emptyVector, hasDuplicates, push, type Vector } from './vector.ts'
import { NO_ROWS, placeWindow, rowsOf, type Window } from './window.ts'

/** An execution error of a query: an expected outcome that the engine turns into a value. */
export class ExecutionError extends Error {}

/** What has a label set. */
export interface Labelled {
  readonly labels: Labels
}

/** A series and its samples, as a subquery makes them. */
export interface SampleList {
  readonly labels: Labels
  readonly times: number[]
  readonly values: number[]
}

const CACHE_ENTRIES_MAX = 20_000
const SUBQUERY_STEPS_MAX = 1_000_000

/** Evaluates an expression at one time after the other. @see Prometheus promql/engine.go, v2.55.1 */
export class Evaluator implements EvaluationContext {
  readonly facts: QueryFacts
  evaluationMs: number
  private readonly caches: Map<object, Map<object, unknown>>
  private readonly subqueryResults = new Map<Subquery, Map<number, Vector>>()
  private stepsTaken = 0
  /** First step of the query, or of the subquery being evaluated. */
  private firstStepMs: number

  /** @param caches - those of the parsed query, by owner */
  constructor(facts: QueryFacts, caches: Map<object, Map<object, unknown>>) {
    this.facts = facts
    this.caches = caches
    this.evaluationMs = facts.startMs
    this.firstStepMs = facts.startMs
  }

  dropName(labels: Labels): Labels {
    return this.facts.delayedNameRemoval ? labels.withNameDropPending() : labels.withoutName()
  }

  cacheOf<Key extends object, Value>(owner: object): Map<Key, Value> {
    let cache = this.caches.get(owner)
    if (cache === undefined || cache.size > CACHE_ENTRIES_MAX)
      this.caches.set(owner, (cache = new Map<object, unknown>()))
    return cache as Map<Key, Value>
  }

  fail(message: string): never {
    throw new ExecutionError(message)
  }

  /** Value of a scalar expression. */
  scalar(expr: Expr, timeMs: number): number {
    switch (expr.kind) {
      case 'number':
        return expr.value
      case 'paren':
        return this.scalar(expr.inner, timeMs)
      case 'unary': {
        const value = this.scalar(expr.inner, timeMs)
        return expr.operator === '-' ? -value : value
      }
      case 'binary':
        return applyOperator(expr.operator, this.scalar(expr.left, timeMs), this.scalar(expr.right, timeMs))
      case 'call':
        return this.scalarCall(expr, timeMs)
      default:
        return this.fail(`expected a scalar, got ${typeOf(expr)}`)
    }
  }

  /** Value of a string expression. */
  text(expr: Expr): string {
    const inner = unwrap(expr)
    return inner.kind === 'string' ? inner.value : this.fail('expected a string')
  }

  /** Value of an instant vector expression. */
  vector(expr: Expr, timeMs: number): Vector {
    switch (expr.kind) {
      case 'selector':
        return this.select(expr, timeMs, false)
      case 'paren':
        return this.vector(expr.inner, timeMs)
      case 'unary':
        return this.negated(this.vector(expr.inner, timeMs), expr.operator)
      case 'aggregation': {
        const { parameter } = expr
        const textual = parameter !== undefined && typeOf(parameter) === 'string'
        // 2.x asks for the parameter once, at the first step.
        const askedMs = this.facts.version === 'v2' ? this.firstStepMs : timeMs
        const value =
          parameter === undefined ? undefined : textual ? this.text(parameter) : this.scalar(parameter, askedMs)
        const input = this.aggregated(expr, timeMs)
        this.evaluationMs = timeMs
        return aggregate(this, expr, input, value)
      }
      case 'binary':
        return this.binary(expr, timeMs)
      case 'call':
        return this.checked(callFunction(this, expr, timeMs))
      default:
        return this.fail(`expected an instant vector, got ${typeOf(expr)}`)
    }
  }

  /** Elements of a selector; with `ownTime` their value is the sample's own time in seconds. */
  select(expr: VectorSelector, timeMs: number, ownTime: boolean): Vector {
    const wantedMs = this.shiftedTime(expr, timeMs)
    const oldestMs =
      this.facts.version === 'v2' ? wantedMs - this.facts.lookbackMs : wantedMs - this.facts.lookbackMs + 1
    const result = emptyVector()
    for (const { labels, table, column } of this.seriesOf(expr)) {
      const row = table.lastTime <= wantedMs ? table.to - 1 : table.rowAtOrAfter(wantedMs + 1) - 1
      if (row < table.from) continue
      const sampleMs = table.times[row] ?? 0
      if (sampleMs < oldestMs || table.isStale(row)) continue
      push(result, labels, ownTime ? sampleMs / 1000 : (table.values[row * table.width + column] ?? Number.NaN))
    }
    return result
  }

  /** Visits each series' samples in the range that ends at a time; series without samples there are left out. */
  windows(expr: MatrixSelector | Subquery, timeMs: number, visit: (series: Labelled, window: Window) => void): void {
    if (expr.kind === 'subquery') this.subqueryWindows(expr, timeMs, visit)
    else {
      const window = this.windowOf(expr, timeMs)
      for (const series of this.seriesOf(expr.selector)) if (placeWindow(window, series)) visit(series, window)
    }
  }

  /** Time a selector or subquery looks at when evaluated at a time. */
  shiftedTime(shift: Pick<VectorSelector, 'at' | 'offsetMs'>, timeMs: number): number {
    const base =
      shift.at === undefined
        ? timeMs
        : shift.at === 'start'
          ? this.facts.startMs
          : shift.at === 'end'
            ? this.facts.endMs
            : shift.at
    return base - shift.offsetMs
  }

  private scalarCall(expr: Call, timeMs: number): number {
    if (expr.spec.name === 'pi') return Math.PI
    if (expr.spec.name === 'time') return timeMs / 1000
    const argument = expr.args[0]
    if (argument === undefined) return Number.NaN
    const { values } = this.vector(argument, timeMs)
    return values.length === 1 ? (values[0] ?? Number.NaN) : Number.NaN
  }

  private negated(input: Vector, operator: '+' | '-'): Vector {
    if (operator === '+') return input
    const result = emptyVector()
    input.labels.forEach((labels, index) => push(result, this.dropName(labels), -(input.values[index] ?? Number.NaN)))
    return this.checked(result)
  }

  /** What an aggregation reads; names that play no part in its groups need not go before. */
  private aggregated(expr: Aggregation, timeMs: number): Vector | Vector<Series> {
    const inner = unwrap(expr.inner)
    const found = inner.kind === 'call' && groupsWithoutNames(expr) ? seriesResults(this, inner, timeMs) : undefined
    return found ?? this.vector(expr.inner, timeMs)
  }

  private binary(expr: Binary, timeMs: number): Vector {
    const leftType = typeOf(expr.left)
    const rightType = typeOf(expr.right)
    if (leftType === 'scalar' || rightType === 'scalar') {
      const swapped = leftType === 'scalar'
      const vector = this.vector(swapped ? expr.right : expr.left, timeMs)
      const scalar = this.scalar(swapped ? expr.left : expr.right, timeMs)
      return this.checked(vectorScalar(this, expr, { vector, scalar, swapped }))
    }
    const left = this.vector(expr.left, timeMs)
    const right = this.vector(expr.right, timeMs)
    if (SET_OPERATORS.has(expr.operator)) return this.checked(setOperation(this, expr, left, right))
    return this.checked(vectorVector(this, expr, left, right))
  }

  /** Without delayed name removal two results of one label set end the query at once. */
  private checked(vector: Vector): Vector {
    if (this.facts.delayedNameRemoval || vector.labels.length < 2) return vector
    if (hasDuplicates(vector)) this.fail('vector cannot contain metrics with the same labelset')
    return vector
  }

  /** The series of a selector, by their labels. */
  seriesOf(expr: VectorSelector): readonly Series[] {
    const cache = this.cacheOf<object, Selection>(expr.matchers)
    let selection = cache.get(expr)
    if (selection === undefined) cache.set(expr, (selection = this.facts.db.selection(expr.matchers)))
    return selection.series()
  }

  /** The window of a range at a time, to be placed at one series after the other. */
  windowOf({ selector, rangeMs }: MatrixSelector, timeMs: number): Window {
    const endMs = this.shiftedTime(selector, timeMs)
    const startMs = endMs - rangeMs
    const firstMs = this.facts.version === 'v2' ? startMs : startMs + 1
    return { rows: NO_ROWS, column: 0, startMs, firstMs, endMs, evaluationMs: timeMs }
  }

  private subqueryWindows(expr: Subquery, timeMs: number, visit: (series: Labelled, window: Window) => void): void {
    const endMs = this.shiftedTime(expr, timeMs)
    const startMs = endMs - expr.rangeMs
    for (const list of this.subquerySamples(expr, timeMs)) {
      visit(list, { rows: rowsOf(list), column: 0, startMs, firstMs: startMs, endMs, evaluationMs: timeMs })
    }
  }

  /** Samples of a subquery, series by series. */
  subquerySamples(expr: Subquery, timeMs: number): Iterable<SampleList> {
    const endMs = this.shiftedTime(expr, timeMs)
    const startMs = endMs - expr.rangeMs
    const stepMs = expr.stepMs > 0 ? expr.stepMs : this.facts.defaultStepMs
    let atMs = stepMs * Math.trunc(startMs / stepMs)
    if (this.facts.version === 'v2' ? atMs < startMs : atMs <= startMs) atMs += stepMs
    const lists = new Map<string, SampleList>()
    const outerFirstMs = this.firstStepMs
    this.firstStepMs = atMs
    for (; atMs <= endMs; atMs += stepMs) {
      if (++this.stepsTaken > SUBQUERY_STEPS_MAX)
        this.fail('query processing would load too many samples into memory in query execution')
      const vector = this.subqueryStep(expr, atMs)
      vector.labels.forEach((labels, index) => {
        let list = lists.get(labels.key)
        if (list === undefined) lists.set(labels.key, (list = { labels, times: [], values: [] }))
        list.times.push(atMs)
        list.values.push(vector.values[index] ?? Number.NaN)
      })
    }
    this.firstStepMs = outerFirstMs
    return lists.values()
  }

  /** Steps of neighbouring evaluations overlap, so each is evaluated once. */
  private subqueryStep(expr: Subquery, timeMs: number): Vector {
    let byTime = this.subqueryResults.get(expr)
    if (byTime === undefined || byTime.size > CACHE_ENTRIES_MAX) {
      this.subqueryResults.set(expr, (byTime = new Map<number, Vector>()))
    }
    let vector = byTime.get(timeMs)
    if (vector === undefined) {
      vector = this.vector(expr.inner, timeMs)
      byTime.set(timeMs, vector)
    }
    return vector
  }
}

/** Drops names that were marked to go; for the end of a query. */
export function cleanNames(vector: Vector): Vector {
  if (!vector.labels.some((labels) => labels.nameDropPending)) return vector
  return {
    labels: vector.labels.map((labels) => (labels.nameDropPending ? labels.without([METRIC_NAME]) : labels)),
    values: vector.values
  }
}
