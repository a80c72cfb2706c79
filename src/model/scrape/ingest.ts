import {
  type ExpositionSample,
  type MetricMetadata,
  parseExposition,
  SeriesMemory
} from '../../lib/exposition/index.ts'
import { METRIC_NAME, type Series, type SeriesName, type Tsdb } from '../../lib/tsdb/index.ts'
import type { CounterGroup } from './counter-book.ts'
import { GroupIngester, type StoredCounts } from './group-ingester.ts'
import { storedLabels } from './stored-labels.ts'
import { StoredRow } from './stored-row.ts'
import type { Target } from './target.ts'

/** What a scrape brought, as the world that made it saw it. */
export type ScrapeResult =
  | { readonly ok: true; readonly body: string | Uint8Array; readonly contentType: string; readonly durationMs: number }
  | { readonly ok: true; readonly groups: Iterable<CounterGroup>; readonly durationMs: number }
  | { readonly ok: false; readonly error: string; readonly durationMs: number }

/** What became of a scrape. */
export interface ScrapeReport {
  readonly up: boolean
  /** Empty when the scrape worked. */
  readonly error: string
  readonly samplesScraped: number
  readonly samplesKept: number
  readonly seriesAdded: number
}

interface KnownSeries {
  readonly series: Series
  /** Text of the series as exposed. */
  readonly text: string
  /** Number of the scrape that last had it. */
  lastScrape: number
  /** It is among the live ones, which are marked stale when they vanish. */
  live: boolean
}

/** The series that tell of a target's scrapes. */
const REPORTS: readonly SeriesName[] = [
  { name: 'up' },
  { name: 'scrape_duration_seconds' },
  { name: 'scrape_samples_scraped' },
  { name: 'scrape_samples_post_metric_relabeling' },
  { name: 'scrape_series_added' }
]

/**
 * Stores the scrapes of one target: labels, staleness, the target's own series.
 * @see Prometheus scrape/scrape.go scrapeLoop, v2.55.1
 */
export class TargetIngester {
  /** Type, help and unit seen in the last successful scrape. */
  metadata: ReadonlyMap<string, MetricMetadata> = new Map<string, MetricMetadata>()
  private readonly db: Tsdb
  private readonly target: Target
  private readonly parsed = new SeriesMemory()
  private readonly known = new Map<string, KnownSeries | 'dropped'>()
  private readonly live = new Set<KnownSeries>()
  private readonly groups: GroupIngester
  /** Series in the order of the last scrape: the next one mostly has the same. */
  private order: (KnownSeries | 'dropped')[] = []
  private texts: string[] = []
  private reports: StoredRow | undefined
  private scrapeNumber = 0

  constructor(db: Tsdb, target: Target) {
    this.db = db
    this.target = target
    this.groups = new GroupIngester(db, target)
  }

  /**
   * Stores a scrape.
   * @param timeMs - the scheduled time of the scrape, which stamps every sample
   */
  ingest(result: ScrapeResult, timeMs: number): ScrapeReport {
    this.scrapeNumber++
    const { error, scraped, kept, added } = this.storeResult(result, timeMs)
    this.markVanished(timeMs)
    const report = { up: error === '', error, samplesScraped: scraped, samplesKept: kept, seriesAdded: added }
    this.ownRow().append(timeMs, [Number(report.up), result.durationMs / 1000, scraped, kept, added], 0)
    return report
  }

  /** Marks every series of the target stale: it is gone. */
  end(timeMs: number): void {
    this.scrapeNumber++
    this.markVanished(timeMs)
    this.ownRow().appendStale(timeMs)
  }

  private storeResult(result: ScrapeResult, timeMs: number): StoredCounts & { readonly error: string } {
    const nothing = { scraped: 0, kept: 0, added: 0 }
    if (!result.ok) return { ...nothing, error: result.error }
    if ('groups' in result) return this.storeGroups(result.groups, timeMs)
    const outcome = parseExposition(result.body, result.contentType, this.parsed)
    if (!outcome.ok) return { ...nothing, error: outcome.error }
    this.metadata = outcome.metadata
    const { samples } = outcome
    if (this.isOverLimit(samples.length)) return { ...nothing, scraped: samples.length, error: OVER_LIMIT }
    return { ...this.store(samples, timeMs), scraped: samples.length, error: '' }
  }

  private storeGroups(groups: Iterable<CounterGroup>, timeMs: number): StoredCounts & { readonly error: string } {
    const scraped = countOf(groups)
    if (this.isOverLimit(scraped)) return { scraped, kept: 0, added: 0, error: OVER_LIMIT }
    return { ...this.groups.store(groups, timeMs, this.scrapeNumber), error: '' }
  }

  private isOverLimit(samples: number): boolean {
    const limit = this.target.config.sampleLimit ?? 0
    return limit > 0 && samples > limit
  }

  private store(samples: readonly ExpositionSample[], timeMs: number): { kept: number; added: number } {
    let kept = 0
    let added = 0
    for (let index = 0; index < samples.length; index++) {
      const sample = samples[index]
      if (sample === undefined) continue
      let known = this.texts[index] === sample.series ? this.order[index] : this.known.get(sample.series)
      if (known === undefined) {
        known = this.resolve(sample)
        this.known.set(sample.series, known)
        if (known !== 'dropped') added++
      }
      this.texts[index] = sample.series
      this.order[index] = known
      if (known === 'dropped') continue
      kept++
      this.append(known, sample, timeMs)
    }
    return { kept, added }
  }

  private append(known: KnownSeries, sample: ExpositionSample, timeMs: number): void {
    const honoured = sample.timestampMs !== undefined && this.target.config.honorTimestamps !== false
    const outcome = this.db.appendTo(known.series, honoured ? (sample.timestampMs ?? timeMs) : timeMs, sample.value)
    // A series that states its own times is not tracked for staleness.
    if (honoured || outcome === 'out of bounds') return
    known.lastScrape = this.scrapeNumber
    if (known.live) return
    known.live = true
    this.live.add(known)
  }

  /** The stored series of an exposed one: target labels, then metric relabelling. */
  private resolve(sample: ExpositionSample): KnownSeries | 'dropped' {
    const labels = storedLabels(sample.labels, this.target)
    if (labels === undefined) return 'dropped'
    return { series: this.db.series(labels), text: sample.series, lastScrape: 0, live: false }
  }

  private markVanished(timeMs: number): void {
    this.groups.markVanished(timeMs, this.scrapeNumber)
    let vanished = false
    for (const known of this.live) {
      if (known.lastScrape === this.scrapeNumber) continue
      vanished = true
      known.live = false
      this.live.delete(known)
      this.known.delete(known.text)
      this.db.appendStaleTo(known.series, timeMs)
    }
    if (!vanished) return
    this.order = []
    this.texts = []
  }

  private ownRow(): StoredRow {
    const { labelSet } = this.target
    this.reports ??= new StoredRow(this.db, labelSet, REPORTS, ({ name }) => labelSet.with(METRIC_NAME, name))
    return this.reports
  }
}

const OVER_LIMIT = 'sample limit exceeded'

function countOf(groups: Iterable<CounterGroup>): number {
  let count = 0
  for (const { values } of groups) count += values.length
  return count
}
