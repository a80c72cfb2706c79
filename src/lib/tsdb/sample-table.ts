import { BUCKET_LABEL, type ColumnNames } from './column-names.ts'
import { type Labels, METRIC_NAME } from './labels.ts'
import { Series } from './series.ts'

/** Rows that may be forgotten before the arrays are cut. */
const FORGOTTEN_MAX = 512

/**
 * An empty list for numbers with fractions. One that begins with whole numbers is kept in another form until the first
 * fraction comes, and what works on lists of either form is slow.
 */
export function fractions(): number[] {
  const list = [Number.NaN]
  list.pop()
  return list
}

/** Some rows of a table. */
export interface Rows {
  /** Times of all its rows, ms. */
  readonly times: readonly number[]
  /** Values of all its rows, row after row. */
  readonly values: readonly number[]
  /** Values of one row. */
  readonly width: number
  /** The first of these rows. */
  readonly from: number
  /** The row after the last of them. */
  readonly to: number
}

/** Rows of a table between two times, staleness markers at its edges left out. */
export interface RowRange extends Rows {
  readonly firstMs: number
  readonly endMs: number
  /** How many rows the table had. */
  readonly count: number
  /** Whether there is no staleness marker among them. */
  readonly isWhole: boolean
}

/**
 * The samples of series that get theirs at the same times: a row per time, a column per series. A series of its own is a
 * table of one column. Readers go by the number of the row, from {@link SampleTable.from} to {@link SampleTable.to}.
 */
export class SampleTable {
  /** What the label sets of all columns have in common; of a series of its own: its whole label set. */
  readonly base: Labels
  /** What tells the columns apart; undefined for a series of its own. */
  readonly names: ColumnNames | undefined
  readonly width: number
  /** Times in ms since the epoch, one per row. */
  times: number[] = []
  /** Row after row. */
  values: number[] = fractions()
  /** The first retained row. */
  from = 0
  /** Its columns have become tables of their own: nobody may append here any more. */
  dissolved = false
  /** Another table with the same hash of {@link SampleTable.base}. */
  sibling: SampleTable | undefined
  /** Times of the rows that are staleness markers, ascending; NaN alone does not tell. */
  private stale: number[] | undefined
  /** What was last asked for: the series of a table ask for the same one after the other. */
  private asked: RowRange | undefined
  private readonly columns: (Series | undefined)[] = []

  constructor(base: Labels, names?: ColumnNames) {
    this.base = base
    this.names = names
    this.width = names?.list.length ?? 1
    this.sibling = undefined
    this.stale = undefined
    this.asked = undefined
  }

  /** The row after the last. */
  get to(): number {
    return this.times.length
  }

  get isEmpty(): boolean {
    return this.times.length === this.from
  }

  /** Time of the newest row; -Infinity when there is none. */
  get lastTime(): number {
    return this.times.length > this.from ? (this.times[this.times.length - 1] ?? -Infinity) : -Infinity
  }

  /** The series of a column; made when it is first asked for. */
  seriesAt(column: number): Series {
    return (this.columns[column] ??= new Series(this, column))
  }

  /** The label set of a column. */
  labelsAt(column: number): Labels {
    const { names, base } = this
    return names === undefined ? base.withNameKept() : names.labelsAt(base, column)
  }

  /** The value of a label in the set of a column; empty text when absent. */
  labelValueAt(column: number, name: string): string {
    const { names, base } = this
    return names !== undefined && (name === METRIC_NAME || name === BUCKET_LABEL)
      ? names.ownValue(column, name)
      : base.get(name)
  }

  /** Adds a row newer than all others; callers check the order. @param place - where its values begin */
  push(timeMs: number, values: readonly number[], place: number): void {
    this.times.push(timeMs)
    const own = this.values
    const end = place + this.width
    for (let index = place; index < end; index++) own.push(values[index] ?? Number.NaN)
  }

  /** Adds a row of one value. */
  pushOne(timeMs: number, value: number): void {
    this.times.push(timeMs)
    this.values.push(value)
  }

  /** Adds a row of staleness markers. */
  pushStale(timeMs: number): void {
    this.times.push(timeMs)
    for (let column = 0; column < this.width; column++) this.values.push(Number.NaN)
    if (this.stale === undefined) this.stale = [timeMs]
    else this.stale.push(timeMs)
  }

  /** Whether a row is a staleness marker. */
  isStale(row: number): boolean {
    const { stale } = this
    const timeMs = this.times[row]
    return stale !== undefined && timeMs !== undefined && stale[firstAtOrAfter(stale, 0, timeMs)] === timeMs
  }

  /** The first row at or after a time (`to` when there is none). */
  rowAtOrAfter(timeMs: number): number {
    return firstAtOrAfter(this.times, this.from, timeMs)
  }

  /** The rows between two times, both included. */
  rowsBetween(firstMs: number, endMs: number): RowRange {
    const { asked, times, values, width } = this
    const count = times.length
    if (asked !== undefined && asked.firstMs === firstMs && asked.endMs === endMs && asked.count === count) return asked
    let from = this.lastTime < firstMs ? count : this.rowAtOrAfter(firstMs)
    let to = this.lastTime <= endMs ? count : this.rowAtOrAfter(endMs + 1)
    let isWhole = true
    if (this.stale !== undefined) {
      while (from < to && this.isStale(from)) from++
      while (from < to && this.isStale(to - 1)) to--
      for (let row = from; row < to && isWhole; row++) isWhole = !this.isStale(row)
    }
    return (this.asked = { times, values, width, from, to, firstMs, endMs, count, isWhole })
  }

  /** Forgets rows older than a time. */
  truncate(beforeMs: number): void {
    this.asked = undefined
    this.from = this.rowAtOrAfter(beforeMs)
    this.stale = this.stale?.filter((timeMs) => timeMs >= beforeMs)
    if (this.stale?.length === 0) this.stale = undefined
    if (this.from < Math.min(FORGOTTEN_MAX, this.times.length)) return
    this.times = this.times.slice(this.from)
    this.values = this.values.slice(this.from * this.width)
    this.from = 0
  }

  /** Takes over the samples of another table's column. */
  takeColumn(of: SampleTable, column: number): void {
    for (let row = of.from; row < of.to; row++) {
      const timeMs = of.times[row] ?? 0
      if (of.isStale(row)) this.pushStale(timeMs)
      else this.pushOne(timeMs, of.values[row * of.width + column] ?? Number.NaN)
    }
  }

  /** Makes a series the only column. */
  adopt(series: Series): void {
    this.columns[0] = series
    series.moveTo(this, 0)
  }
}

/** Index of the first time at or after another in an ascending list, looked for from a place on. */
function firstAtOrAfter(times: readonly number[], from: number, timeMs: number): number {
  let low = from
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] ?? 0) < timeMs) low = middle + 1
    else high = middle
  }
  return low
}
