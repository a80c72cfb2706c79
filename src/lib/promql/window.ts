import type { Rows, SampleTable, Series } from '../tsdb/index.ts'

/** The samples of one series in a range; reused from series to series. */
export interface Window {
  /** Where its samples are. */
  rows: Rows
  /** Which of a row's values is the series'. */
  column: number
  /** Left edge of the range, ms. */
  readonly startMs: number
  /** Time of the first sample that may be in it, ms. */
  readonly firstMs: number
  /** Right edge of the range, ms. */
  readonly endMs: number
  /** Evaluation time, ms: differs from the right edge under `offset` and `@`. */
  readonly evaluationMs: number
}

/** Rows of one value each. */
export function rowsOf({ times, values }: Pick<Rows, 'times' | 'values'>): Rows {
  return { times, values, width: 1, from: 0, to: times.length }
}

/** Those of a window before it is placed. */
export const NO_ROWS: Rows = rowsOf({ times: [], values: [] })

/** Sets a window to the samples of a series. @returns whether there are any */
export function placeWindow(window: Window, series: Series): boolean {
  const { table } = series
  const rows = table.rowsBetween(window.firstMs, window.endMs)
  if (rows.from >= rows.to) return false
  window.rows = rows.isWhole ? rows : withoutStale(table, series.column, rows)
  window.column = rows.isWhole ? series.column : 0
  return true
}

/** Copies a column without its staleness markers. */
function withoutStale(table: SampleTable, column: number, { from, to }: Rows): Rows {
  const times: number[] = []
  const values: number[] = []
  for (let row = from; row < to; row++) {
    if (table.isStale(row)) continue
    times.push(table.times[row] ?? 0)
    values.push(table.values[row * table.width + column] ?? Number.NaN)
  }
  return rowsOf({ times, values })
}
