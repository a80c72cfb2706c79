import { type Labels, METRIC_NAME } from './labels.ts'
import type { SampleTable } from './sample-table.ts'

/**
 * A label set and its samples in time order: a column of a table. Samples are known by the number of their row, from
 * {@link Series.from} to {@link Series.to}; nothing is copied. A staleness marker reads as NaN, so ask {@link Series.isStale}.
 */
export class Series {
  /** Another series whose label set has the same hash. */
  sibling: Series | undefined
  private samples: SampleTable
  private place: number
  private known: Labels | undefined

  /** @param table - where its samples are @param column - which of that table's */
  constructor(table: SampleTable, column: number) {
    this.known = undefined
    this.sibling = undefined
    this.samples = table
    this.place = column
  }

  /** Its label set; the same object on every call, made at the first. */
  get labels(): Labels {
    return (this.known ??= this.samples.labelsAt(this.place))
  }

  /** The value of a label; empty text when absent. */
  labelValue(name: string): string {
    return this.samples.labelValueAt(this.place, name)
  }

  /** Its metric name, empty when there is none. */
  get metricName(): string {
    return this.labelValue(METRIC_NAME)
  }

  /** Where its samples are; another table once something else gets samples at other times than its neighbours. */
  get table(): SampleTable {
    return this.samples
  }

  /** Its column of the table. */
  get column(): number {
    return this.place
  }

  /** The first retained sample. */
  get from(): number {
    return this.samples.from
  }

  /** The place after the last sample. */
  get to(): number {
    return this.samples.to
  }

  /** Time of the newest sample; -Infinity when there is none. */
  get lastTime(): number {
    return this.samples.lastTime
  }

  /** Whether the newest sample is a staleness marker. */
  get endsStale(): boolean {
    return this.to > this.from && this.samples.isStale(this.to - 1)
  }

  /** Time of a sample in ms since the epoch; undefined where there is none. */
  timeAt(row: number): number | undefined {
    return this.samples.times[row]
  }

  /** Value of a sample; undefined where there is none. */
  valueAt(row: number): number | undefined {
    return this.samples.values[row * this.samples.width + this.place]
  }

  /** Whether a sample is a staleness marker. */
  isStale(row: number): boolean {
    return this.samples.isStale(row)
  }

  /** The first sample at or after a time (`to` when there is none). */
  indexAtOrAfter(timeMs: number): number {
    return this.samples.rowAtOrAfter(timeMs)
  }

  /** Its samples are elsewhere from now on. */
  moveTo(table: SampleTable, column: number): void {
    this.samples = table
    this.place = column
  }
}
