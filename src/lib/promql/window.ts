import type { SampleTable, Series } from '../tsdb/index.ts'

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
  /** Time of the first sample that may be in it, ms. */
  firstMs: number
  /** Right edge of the range, ms. */
  endMs: number
  /** Evaluation time, ms: differs from the right edge under `offset` and `@`. */
  evaluationMs: number
}

/** Sets a window to the samples of a series. @returns whether there are any */
export function placeWindow(window: Window, series: Series): boolean {
  const { table } = series
  const rows = table.rowsBetween(window.firstMs, window.endMs)
  if (rows.from >= rows.to) return false
  window.times = table.times
  window.values = table.values
  window.width = table.width
  window.column = series.column
  window.from = rows.from
  window.to = rows.to
  if (!rows.isWhole) withoutStale(table, window)
  return true
}

/** Copies a window's values without staleness markers. */
function withoutStale(table: SampleTable, window: Window): void {
  const times: number[] = []
  const values: number[] = []
  for (let row = window.from; row < window.to; row++) {
    if (table.isStale(row)) continue
    times.push(table.times[row] ?? 0)
    values.push(table.values[row * table.width + window.column] ?? Number.NaN)
  }
  window.times = times
  window.values = values
  window.width = 1
  window.column = 0
  window.from = 0
  window.to = times.length
}
