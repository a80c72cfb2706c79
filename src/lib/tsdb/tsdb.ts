import { compareLabels, Labels, METRIC_NAME } from './labels.ts'
import type { Matcher } from './matcher.ts'
import { Postings } from './postings.ts'
import { SampleRoom } from './sample-room.ts'
import { Selection } from './selection.ts'
import { Series } from './series.ts'

/** What became of an append. @see Prometheus tsdb/head_append.go, v2.55.1 */
type AppendOutcome = 'added' | 'same' | 'duplicate timestamp' | 'out of order' | 'out of bounds'

/** Options of {@link Tsdb}. */
interface TsdbOptions {
  /** Age in ms after which samples are forgotten; default 6 hours, as Linkerd viz runs its Prometheus. */
  readonly retentionMs?: number
}

const RETENTION_MS_DEFAULT = 6 * 3_600_000

/** An in-memory time series database: one head block with an inverted index. */
export class Tsdb {
  private readonly retentionMs: number
  private readonly room = new SampleRoom()
  private readonly postings = new Postings()
  /** Series by the hash of their label set; those that share one are chained. */
  private readonly byHash = new Map<number, Series>()
  private newestMs = -Infinity
  private truncatedToMs = -Infinity

  constructor(options: TsdbOptions = {}) {
    this.retentionMs = options.retentionMs ?? RETENTION_MS_DEFAULT
  }

  /** Number of series in the head. */
  get seriesCount(): number {
    return this.postings.all.length
  }

  /** Time in ms of the newest sample; -Infinity when there is none. */
  get newestTime(): number {
    return this.newestMs
  }

  /** The series of a label set, created when new. Keep it to append without looking it up again. */
  series(labels: Labels): Series {
    const first = this.byHash.get(labels.hash)
    for (let known = first; known !== undefined; known = known.sibling) if (known.labels.equals(labels)) return known
    const made = new Series(labels.withNameKept(), this.room)
    this.enter(made)
    return made
  }

  /** Appends a value by label set. */
  append(labels: Labels, timeMs: number, value: number): AppendOutcome {
    return this.appendTo(this.series(labels), timeMs, value)
  }

  /** Appends a staleness marker by label set. */
  appendStale(labels: Labels, timeMs: number): AppendOutcome {
    return this.appendStaleTo(this.series(labels), timeMs)
  }

  /** Appends a value to a series got from {@link Tsdb.series}. */
  appendTo(series: Series, timeMs: number, value: number): AppendOutcome {
    const refused = this.refusal(series, timeMs)
    if (refused === 'duplicate timestamp') return sameValue(series, value) ? 'same' : refused
    if (refused !== undefined) return refused
    this.claim(series)
    series.push(timeMs, value)
    this.advance(timeMs)
    return 'added'
  }

  /**
   * Appends to many series at one time.
   * @param row - the series, each with the place of its value
   */
  appendRow(
    row: { readonly series: readonly Series[]; readonly places: readonly number[] },
    values: readonly number[],
    timeMs: number
  ): void {
    const { series, places } = row
    const isKept = timeMs >= this.newestMs - this.retentionMs
    for (let index = 0; index < series.length; index++) {
      const one = series[index]
      const value = values[places[index] ?? -1]
      if (one === undefined || value === undefined) continue
      // A series that has samples is in the index: only the order is left to be looked at.
      if (isKept && one.to > one.from && timeMs > one.lastTime) one.push(timeMs, value)
      else this.appendTo(one, timeMs, value)
    }
    this.advance(timeMs)
  }

  /** Appends a staleness marker to a series. */
  appendStaleTo(series: Series, timeMs: number): AppendOutcome {
    const refused = this.refusal(series, timeMs)
    if (refused === 'duplicate timestamp') return series.endsStale ? 'same' : refused
    if (refused !== undefined) return refused
    this.claim(series)
    series.pushStale(timeMs)
    this.advance(timeMs)
    return 'added'
  }

  /** Every series that passes all matchers, in no particular order. An empty list selects all. */
  select(matchers: readonly Matcher[]): Series[] {
    return this.postings.select(matchers)
  }

  /** The series that pass all matchers, now and whenever it is asked again. */
  selection(matchers: readonly Matcher[]): Selection {
    return new Selection(this.postings, matchers)
  }

  /** Label sets with a sample in [minMs, maxMs] that pass, sorted. */
  labelSets(matchers: readonly Matcher[], minMs: number, maxMs: number): Labels[] {
    return this.select(matchers)
      .filter((series) => {
        const index = series.indexAtOrAfter(minMs)
        return index < series.to && (series.times[index] ?? Infinity) <= maxMs
      })
      .map((series) => series.labels)
      .sort(compareLabels)
  }

  /** Metric names known, sorted. */
  metricNames(): string[] {
    return this.postings.valuesOf(METRIC_NAME).sort()
  }

  /** Forgets everything. */
  clear(): void {
    this.byHash.clear()
    this.postings.reset([])
    this.newestMs = -Infinity
    this.truncatedToMs = -Infinity
  }

  private enter(series: Series): void {
    const { hash } = series.labels
    series.sibling = this.byHash.get(hash)
    this.byHash.set(hash, series)
    this.postings.add(series)
  }

  private refusal(series: Series, timeMs: number): AppendOutcome | undefined {
    if (timeMs < this.newestMs - this.retentionMs) return 'out of bounds'
    const last = series.lastTime
    if (timeMs > last) return undefined
    return timeMs === last ? 'duplicate timestamp' : 'out of order'
  }

  /** A series may have been forgotten since its holder got it: then it comes back under its old object. */
  private claim(series: Series): void {
    if (series.to > series.from) return
    for (let known = this.byHash.get(series.labels.hash); known !== undefined; known = known.sibling) {
      if (known === series) return
    }
    this.enter(series)
  }

  private advance(timeMs: number): void {
    if (timeMs <= this.newestMs) return
    this.newestMs = timeMs
    const keepFromMs = timeMs - this.retentionMs
    if (this.truncatedToMs === -Infinity) this.truncatedToMs = keepFromMs
    // Truncating at every append would cost more than the memory it frees.
    if (keepFromMs - this.truncatedToMs < this.retentionMs / 8) return
    this.truncatedToMs = keepFromMs
    this.truncate(keepFromMs)
  }

  private truncate(beforeMs: number): void {
    const kept: Series[] = []
    for (const series of this.postings.all) {
      series.truncate(beforeMs)
      if (series.to > series.from) kept.push(series)
      else series.clear()
    }
    if (kept.length === this.postings.all.length) return
    this.byHash.clear()
    this.postings.reset([])
    for (const series of kept) this.enter(series)
  }
}

function sameValue(series: Series, value: number): boolean {
  return !series.endsStale && Object.is(series.values[series.to - 1], value)
}

/** A fresh label set from a record, for callers that hold plain data. */
export function labelsOf(record: Readonly<Record<string, string>>): Labels {
  return Labels.of(record)
}
