import { BUCKET_LABEL, ColumnNames, type SeriesName } from './column-names.ts'
import { compareLabels, Labels, METRIC_NAME, pairHash } from './labels.ts'
import type { Matcher } from './matcher.ts'
import { Postings } from './postings.ts'
import { SampleTable } from './sample-table.ts'
import { Selection } from './selection.ts'
import type { Series } from './series.ts'

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
  private readonly postings = new Postings()
  /** Series with a table of their own by the hash of their label set; those that share one are chained. */
  private readonly byHash = new Map<number, Series>()
  /** Tables of several columns by the hash of what these have in common; those that share one are chained. */
  private readonly tables = new Map<number, SampleTable>()
  private newestMs = -Infinity
  private truncatedToMs = -Infinity

  constructor(options: TsdbOptions = {}) {
    this.retentionMs = options.retentionMs ?? RETENTION_MS_DEFAULT
  }

  /** Number of series in the head. */
  get seriesCount(): number {
    return this.postings.seriesCount
  }

  /** Time in ms of the newest sample; -Infinity when there is none. */
  get newestTime(): number {
    return this.newestMs
  }

  /** The series of a label set, created when new. Keep it to append without looking it up again. */
  series(labels: Labels): Series {
    const known = this.known(labels)
    if (known !== undefined) return known
    const table = new SampleTable(labels)
    this.enter(table)
    return table.seriesAt(0)
  }

  /**
   * The table of series that have some labels in common and will get their samples together, created when new.
   * @param base - a set with neither a metric name nor a bound
   * @returns undefined where some of them are there already, but not together
   */
  table(base: Labels, list: readonly SeriesName[]): SampleTable | undefined {
    const names = ColumnNames.of(list)
    for (let known = this.tables.get(base.hash); known !== undefined; known = known.sibling) {
      if (!known.base.equals(base)) continue
      if (known.names === names) return known
      if (known.names?.overlaps(names) === true) return undefined
    }
    for (const metric of names.byMetric.keys()) if (this.postings.hasSingle(metric)) return undefined
    const made = new SampleTable(base, names)
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
    const table = this.ownTable(series)
    const refused = this.refusal(table, timeMs)
    if (refused === 'duplicate timestamp') return sameValue(series, value) ? 'same' : refused
    if (refused !== undefined) return refused
    this.claim(table)
    table.pushOne(timeMs, value)
    this.advance(timeMs)
    return 'added'
  }

  /** Appends a staleness marker to a series. */
  appendStaleTo(series: Series, timeMs: number): AppendOutcome {
    const table = this.ownTable(series)
    const refused = this.refusal(table, timeMs)
    if (refused === 'duplicate timestamp') return series.endsStale ? 'same' : refused
    if (refused !== undefined) return refused
    this.claim(table)
    table.pushStale(timeMs)
    this.advance(timeMs)
    return 'added'
  }

  /**
   * Appends a row to a table that has not dissolved; nothing happens where each of its values would be refused.
   * @param values - those of the row from `place` on, one per column; undefined: staleness markers
   */
  appendRow(table: SampleTable, timeMs: number, values?: readonly number[], place = 0): void {
    if (this.refusal(table, timeMs) !== undefined) return
    this.claim(table)
    if (values === undefined) table.pushStale(timeMs)
    else table.push(timeMs, values, place)
    this.advance(timeMs)
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
        return index < series.to && (series.timeAt(index) ?? Infinity) <= maxMs
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
    this.keep([])
    this.newestMs = -Infinity
    this.truncatedToMs = -Infinity
  }

  /** The series of a label set, if there is one. */
  private known(labels: Labels): Series | undefined {
    for (let known = this.byHash.get(labels.hash); known !== undefined; known = known.sibling) {
      if (known.labels.equals(labels)) return known
    }
    if (this.tables.size === 0) return undefined
    const name = labels.metricName
    const bound = labels.get(BUCKET_LABEL)
    const own = pairHash(METRIC_NAME, name) + (bound === '' ? 0 : pairHash(BUCKET_LABEL, bound))
    for (let table = this.tables.get((labels.hash - own) | 0); table !== undefined; table = table.sibling) {
      const column = table.names?.columnOf(name, bound) ?? -1
      if (column < 0) continue
      const series = table.seriesAt(column)
      if (series.labels.equals(labels)) return series
    }
    return undefined
  }

  private enter(table: SampleTable): void {
    this.postings.add(table)
    const { hash } = table.base
    if (table.names === undefined) {
      const series = table.seriesAt(0)
      series.sibling = this.byHash.get(hash)
      this.byHash.set(hash, series)
    } else {
      table.sibling = this.tables.get(hash)
      this.tables.set(hash, table)
    }
  }

  /** The table of a series that gets a sample for itself: its neighbours and it part. */
  private ownTable(series: Series): SampleTable {
    const { table } = series
    if (table.names === undefined) return table
    const kept = this.postings.all.map((posted) => posted.table).filter((other) => other !== table)
    for (let column = 0; column < table.width; column++) {
      const member = table.seriesAt(column)
      const own = new SampleTable(member.labels)
      own.takeColumn(table, column)
      own.adopt(member)
      kept.push(own)
    }
    table.dissolved = true
    this.keep(kept)
    return series.table
  }

  private refusal(table: SampleTable, timeMs: number): AppendOutcome | undefined {
    if (timeMs < this.newestMs - this.retentionMs) return 'out of bounds'
    const last = table.lastTime
    if (timeMs > last) return undefined
    return timeMs === last ? 'duplicate timestamp' : 'out of order'
  }

  /** A table may have been forgotten since its holder got it: then it comes back as the same object. */
  private claim(table: SampleTable): void {
    if (!table.isEmpty) return
    const { hash } = table.base
    if (table.names === undefined) {
      for (let known = this.byHash.get(hash); known !== undefined; known = known.sibling) {
        if (known.table === table) return
      }
    } else {
      for (let known = this.tables.get(hash); known !== undefined; known = known.sibling) if (known === table) return
    }
    this.enter(table)
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
    const kept: SampleTable[] = []
    for (const { table } of this.postings.all) {
      table.truncate(beforeMs)
      if (!table.isEmpty) kept.push(table)
    }
    if (kept.length < this.postings.all.length) this.keep(kept)
  }

  private keep(tables: readonly SampleTable[]): void {
    this.byHash.clear()
    this.tables.clear()
    this.postings.reset([])
    for (const table of tables) this.enter(table)
  }
}

function sameValue(series: Series, value: number): boolean {
  return !series.endsStale && Object.is(series.valueAt(series.to - 1), value)
}

/** A fresh label set from a record, for callers that hold plain data. */
export function labelsOf(record: Readonly<Record<string, string>>): Labels {
  return Labels.of(record)
}
