import type { Labels } from '../tsdb/index.ts'

/** An instant vector as two parallel lists: no object per sample. */
export interface Vector {
  readonly labels: Labels[]
  readonly values: number[]
}

/** An empty vector. */
export function emptyVector(): Vector {
  return { labels: [], values: [] }
}

/** Adds an element. */
export function push(vector: Vector, labels: Labels, value: number): void {
  vector.labels.push(labels)
  vector.values.push(value)
}

/** Whether two elements have the same labels. */
export function hasDuplicates(vector: Vector): boolean {
  if (vector.labels.length < 2) return false
  const seen = new Set<number>()
  for (const labels of vector.labels) {
    // Sets of one hash are mostly equal; only the keys tell for sure.
    if (seen.has(labels.hash)) return hasEqualKeys(vector)
    seen.add(labels.hash)
  }
  return false
}

function hasEqualKeys(vector: Vector): boolean {
  return new Set(vector.labels.map((labels) => labels.key)).size < vector.labels.length
}

/** The samples of one series in a range: rows of a table from `from` to `to`; reused from series to series. */
export interface Window {
  /** Of each row, ms. */
  times: readonly number[]
  /** Row after row. */
  values: readonly number[]
  /** Values of one row. */
  width: number
  /** Which of them is the series'. */
  column: number
  from: number
  to: number
  /** Left edge of the range, ms. */
  startMs: number
  /** Right edge of the range, ms. */
  endMs: number
  /** Evaluation time, ms: differs from the right edge under `offset` and `@`. */
  evaluationMs: number
}
