import { compareLabels, Labels, METRIC_NAME } from './labels.ts'
import type { Matcher } from './matcher.ts'
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
  /** Grows whenever a series is created or forgotten: selections may be cached until then. */
  generation = 0
  private readonly retentionMs: number
  private readonly byKey = new Map<string, Series>()
  private readonly postings = new Map<string, Map<string, Series[]>>()
  private all: Series[] = []
  private newestMs = -Infinity
  private truncatedToMs = -Infinity

  constructor(options: TsdbOptions = {}) {
    this.retentionMs = options.retentionMs ?? RETENTION_MS_DEFAULT
  }

  /** Number of series in the head. */
  get seriesCount(): number {
    return this.all.length
  }

  /** Time in ms of the newest sample; -Infinity when there is none. */
  get newestTime(): number {
    return this.newestMs
  }

  /** The series of a label set, created when new. Keep it to append without looking it up again. */
  series(labels: Labels): Series {
    const known = this.byKey.get(labels.key)
    if (known !== undefined) return known
    const made = new Series(labels.withNameKept())
    this.byKey.set(labels.key, made)
    this.all.push(made)
    for (let index = 0; index < labels.size; index++) {
      this.post(labels.names[index] ?? '', labels.values[index] ?? '', made)
    }
    this.generation++
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
    this.claim(series).push(timeMs, value)
    this.advance(timeMs)
    return 'added'
  }

  /** Appends a staleness marker to a series. */
  appendStaleTo(series: Series, timeMs: number): AppendOutcome {
    const refused = this.refusal(series, timeMs)
    if (refused === 'duplicate timestamp') return series.endsStale ? 'same' : refused
    if (refused !== undefined) return refused
    this.claim(series).pushStale(timeMs)
    this.advance(timeMs)
    return 'added'
  }

  /** Every series that passes all matchers, in no particular order. An empty list selects all. */
  select(matchers: readonly Matcher[]): Series[] {
    let narrowest: readonly Series[] = this.all
    for (const matcher of matchers) {
      if (matcher.operator !== '=' || matcher.value === '') continue
      const posted = this.postings.get(matcher.name)?.get(matcher.value)
      if (posted === undefined) return []
      if (posted.length < narrowest.length) narrowest = posted
    }
    return narrowest.filter((series) => matchers.every((matcher) => matcher.matchesLabels(series.labels)))
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
    return [...(this.postings.get(METRIC_NAME)?.keys() ?? [])].sort()
  }

  /** Forgets everything. */
  clear(): void {
    this.byKey.clear()
    this.postings.clear()
    this.all = []
    this.newestMs = -Infinity
    this.truncatedToMs = -Infinity
    this.generation++
  }

  private post(name: string, value: string, series: Series): void {
    let byValue = this.postings.get(name)
    if (byValue === undefined) this.postings.set(name, (byValue = new Map<string, Series[]>()))
    const posted = byValue.get(value)
    if (posted === undefined) byValue.set(value, [series])
    else posted.push(series)
  }

  private refusal(series: Series, timeMs: number): AppendOutcome | undefined {
    if (timeMs < this.newestMs - this.retentionMs) return 'out of bounds'
    const last = series.lastTime
    if (timeMs > last) return undefined
    return timeMs === last ? 'duplicate timestamp' : 'out of order'
  }

  /** A series may have been forgotten since its holder got it: then it comes back under its old object. */
  private claim(series: Series): Series {
    if (series.to > series.from || this.byKey.get(series.labels.key) === series) return series
    this.byKey.set(series.labels.key, series)
    this.all.push(series)
    const { names, values } = series.labels
    for (let index = 0; index < names.length; index++) this.post(names[index] ?? '', values[index] ?? '', series)
    this.generation++
    return series
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
    for (const series of this.all) {
      series.truncate(beforeMs)
      if (series.to > series.from) kept.push(series)
    }
    if (kept.length === this.all.length) return
    this.all = kept
    this.byKey.clear()
    this.postings.clear()
    for (const series of kept) {
      this.byKey.set(series.labels.key, series)
      const { names, values } = series.labels
      for (let index = 0; index < names.length; index++) this.post(names[index] ?? '', values[index] ?? '', series)
    }
    this.generation++
  }
}

function sameValue(series: Series, value: number): boolean {
  return !series.endsStale && Object.is(series.values[series.to - 1], value)
}

/** A fresh label set from a record, for callers that hold plain data. */
export function labelsOf(record: Readonly<Record<string, string>>): Labels {
  return Labels.of(record)
}
