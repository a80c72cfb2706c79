import { compareLabels, Labels, type Tsdb } from '../tsdb/index.ts'
import { Annotations } from './annotations.ts'
import { type Expr, typeName, typeOf, unwrap } from './ast.ts'
import { cleanNames, Evaluator, ExecutionError } from './evaluator.ts'
import { parsePromql } from './parse.ts'
import { PromqlParseError } from './parse-error.ts'
import { hasDuplicates } from './vector.ts'

/** Options of {@link createEngine}. */
interface EngineOptions {
  readonly db: Tsdb
  /** How far an instant selector looks back, ms; default 5 min. */
  readonly lookbackDeltaMs?: number
  /** `v2`: Prometheus 2.55.1 (ranges closed at both ends), the default; `v3`: 3.x (open on the left). */
  readonly version?: 'v2' | 'v3'
  /** Step of subqueries that name none, ms; default 1 min (Linkerd viz: 10 s, its evaluation interval). */
  readonly defaultStepMs?: number
  /** Names go at the end of the query (a switch of 3.x); default off, as in the server. */
  readonly delayedNameRemoval?: boolean
  /** Accept experimental functions; default off, as in the server. */
  readonly experimentalFunctions?: boolean
}

/** One element of an instant vector. */
interface VectorElement {
  readonly labels: Labels
  readonly value: number
}

/** One series of a matrix. */
export interface MatrixSeries {
  readonly labels: Labels
  /** Times in ms. */
  readonly times: readonly number[]
  readonly values: readonly number[]
}

/** Value of a query. */
export type QueryValue =
  | { readonly type: 'scalar'; readonly timeMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timeMs: number; readonly value: string }
  | { readonly type: 'vector'; readonly timeMs: number; readonly elements: readonly VectorElement[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] }

/** Outcome of a query; errors are values. */
export type QueryOutcome = (
  | { readonly ok: true; readonly value: QueryValue }
  | { readonly ok: false; readonly errorType: 'bad_data' | 'execution'; readonly error: string }
) & { readonly warnings: readonly string[]; readonly infos: readonly string[] }

/** Per-query settings. */
interface QueryOptions {
  readonly lookbackDeltaMs?: number
}

/** A PromQL engine over one database. */
export interface Engine {
  readonly db: Tsdb
  readonly version: 'v2' | 'v3'
  /** Parses and type-checks; the result is cached. @throws PromqlParseError */
  parse(query: string): Expr
  /** Evaluates at one time. @param timeMs - ms since the epoch */
  instant(query: string, timeMs: number, options?: QueryOptions): QueryOutcome
  /** Evaluates at each step from start to end, both included; all in ms. */
  range(query: string, span: { startMs: number; endMs: number; stepMs: number }, options?: QueryOptions): QueryOutcome
}

interface Prepared {
  readonly expr: Expr
  readonly caches: Map<object, Map<object, unknown>>
}

const PREPARED_MAX = 500
const LOOKBACK_MS_DEFAULT = 300_000
const STEP_MS_DEFAULT = 60_000
const DUPLICATE_TEXT = 'vector cannot contain metrics with the same labelset'

/** Creates an engine. Parsed queries and what was learnt about their series are kept, the 500 last used ones. */
export function createEngine(options: EngineOptions): Engine {
  return new PromqlEngine(options)
}

class PromqlEngine implements Engine {
  readonly db: Tsdb
  readonly version: 'v2' | 'v3'
  private readonly options: EngineOptions
  private readonly prepared = new Map<string, Prepared>()

  constructor(options: EngineOptions) {
    this.options = options
    this.db = options.db
    this.version = options.version ?? 'v2'
  }

  parse(query: string): Expr {
    return this.prepare(query).expr
  }

  instant(query: string, timeMs: number, options: QueryOptions = {}): QueryOutcome {
    return this.run(query, { startMs: timeMs, endMs: timeMs, stepMs: 1 }, options, (expr, evaluator) =>
      instantValue(expr, evaluator, timeMs)
    )
  }

  range(
    query: string,
    span: { startMs: number; endMs: number; stepMs: number },
    options: QueryOptions = {}
  ): QueryOutcome {
    return this.run(query, span, options, (expr, evaluator) => rangeValue(expr, evaluator))
  }

  private run(
    query: string,
    span: { startMs: number; endMs: number; stepMs: number },
    options: QueryOptions,
    evaluate: (expr: Expr, evaluator: Evaluator) => QueryValue
  ): QueryOutcome {
    const annotations = new Annotations(query)
    try {
      const { expr, caches } = this.prepare(query)
      const { startMs, endMs, stepMs } = span
      const facts = {
        db: this.db,
        version: this.version,
        delayedNameRemoval: this.options.delayedNameRemoval ?? false,
        annotations,
        startMs,
        endMs,
        stepMs,
        lookbackMs: options.lookbackDeltaMs ?? this.options.lookbackDeltaMs ?? LOOKBACK_MS_DEFAULT,
        defaultStepMs: this.options.defaultStepMs ?? STEP_MS_DEFAULT
      }
      const evaluator = new Evaluator(facts, caches)
      const value = evaluate(expr, evaluator)
      return { ok: true, value, warnings: annotations.warnings, infos: annotations.infos }
    } catch (error) {
      return this.failure(error, annotations)
    }
  }

  private failure(error: unknown, annotations: Annotations): QueryOutcome {
    const { warnings, infos } = annotations
    if (error instanceof PromqlParseError || error instanceof BadData) {
      return { ok: false, errorType: 'bad_data', error: error.message, warnings, infos }
    }
    if (error instanceof ExecutionError) {
      return { ok: false, errorType: 'execution', error: error.message, warnings, infos }
    }
    throw error
  }

  private prepare(query: string): Prepared {
    const known = this.prepared.get(query)
    if (known !== undefined) {
      // Re-inserting keeps the map in the order of last use.
      this.prepared.delete(query)
      this.prepared.set(query, known)
      return known
    }
    const experimentalFunctions = this.options.experimentalFunctions ?? false
    const made = { expr: parsePromql(query, { version: this.version, experimentalFunctions }), caches: new Map() }
    if (this.prepared.size >= PREPARED_MAX) this.prepared.delete(this.prepared.keys().next().value ?? '')
    this.prepared.set(query, made)
    return made
  }
}

class BadData extends Error {}

function instantValue(expr: Expr, evaluator: Evaluator, timeMs: number): QueryValue {
  switch (typeOf(expr)) {
    case 'scalar':
      return { type: 'scalar', timeMs, value: evaluator.scalar(expr, timeMs) }
    case 'string':
      return { type: 'string', timeMs, value: evaluator.text(expr) }
    case 'matrix':
      return { type: 'matrix', series: matrixOf(expr, evaluator, timeMs) }
    case 'vector': {
      const vector = cleanNames(evaluator.vector(expr, timeMs))
      if (evaluator.facts.delayedNameRemoval && hasDuplicates(vector)) evaluator.fail(DUPLICATE_TEXT)
      const elements = vector.labels.map((labels, index) => ({ labels, value: vector.values[index] ?? Number.NaN }))
      return { type: 'vector', timeMs, elements }
    }
  }
}

function matrixOf(expr: Expr, evaluator: Evaluator, timeMs: number): MatrixSeries[] {
  const inner = unwrap(expr)
  if (inner.kind !== 'range' && inner.kind !== 'subquery') return evaluator.fail('expected a range vector')
  const made: MatrixSeries[] = []
  evaluator.windows(inner, timeMs, ({ labels }, window) => {
    const times: number[] = []
    const values: number[] = []
    const { rows, column } = window
    for (let row = rows.from; row < rows.to; row++) {
      times.push(rows.times[row] ?? 0)
      values.push(rows.values[row * rows.width + column] ?? Number.NaN)
    }
    made.push({ labels: labels.nameDropPending ? labels.withoutName() : labels, times, values })
  })
  return made.sort((left, right) => compareLabels(left.labels, right.labels))
}

interface GrowingSeries {
  readonly labels: Labels
  readonly times: number[]
  readonly values: number[]
}

function rangeValue(expr: Expr, evaluator: Evaluator): QueryValue {
  const type = typeOf(expr)
  if (type !== 'scalar' && type !== 'vector') {
    throw new BadData(
      `invalid expression type ${JSON.stringify(typeName(type))} for range query, must be Scalar or instant Vector`
    )
  }
  const byKey = new Map<string, GrowingSeries>()
  for (let atMs = evaluator.facts.startMs; atMs <= evaluator.facts.endMs; atMs += evaluator.facts.stepMs) {
    if (type === 'scalar') addSample(byKey, evaluator, { labels: undefined, atMs, value: evaluator.scalar(expr, atMs) })
    else addVector(byKey, evaluator, expr, atMs)
  }
  const series = [...byKey.values()].sort((left, right) => compareLabels(left.labels, right.labels))
  return { type: 'matrix', series }
}

function addVector(byKey: Map<string, GrowingSeries>, evaluator: Evaluator, expr: Expr, atMs: number): void {
  const vector = cleanNames(evaluator.vector(expr, atMs))
  vector.labels.forEach((labels, index) => {
    addSample(byKey, evaluator, { labels, atMs, value: vector.values[index] ?? Number.NaN })
  })
}

function addSample(
  byKey: Map<string, GrowingSeries>,
  evaluator: Evaluator,
  sample: { readonly labels: Labels | undefined; readonly atMs: number; readonly value: number }
): void {
  const key = sample.labels?.key ?? ''
  let series = byKey.get(key)
  if (series === undefined) {
    series = { labels: sample.labels ?? Labels.EMPTY, times: [], values: [] }
    byKey.set(key, series)
  }
  if (series.times[series.times.length - 1] === sample.atMs) evaluator.fail(DUPLICATE_TEXT)
  series.times.push(sample.atMs)
  series.values.push(sample.value)
}
