import {
  type ExpositionSample,
  type MetricMetadata,
  parseExposition,
  SeriesMemory
} from '../../lib/exposition/index.ts'
import { Labels, METRIC_NAME, type Series, type Tsdb } from '../../lib/tsdb/index.ts'
import { relabel } from './relabel.ts'
import type { Target } from './target.ts'

/** What a scrape brought, as the world that made it saw it. */
export type ScrapeResult =
  | { readonly ok: true; readonly body: string | Uint8Array; readonly contentType: string; readonly durationMs: number }
  | { readonly ok: true; readonly samples: readonly ExpositionSample[]; readonly durationMs: number }
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

const REPORT_NAMES = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added'
] as const

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
  /** Series in the order of the last scrape: the next one mostly has the same. */
  private order: (KnownSeries | 'dropped')[] = []
  private texts: string[] = []
  private reportSeries: Series[] | undefined
  private scrapeNumber = 0

  constructor(db: Tsdb, target: Target) {
    this.db = db
    this.target = target
  }

  /**
   * Stores a scrape.
   * @param timeMs - the scheduled time of the scrape, which stamps every sample
   */
  ingest(result: ScrapeResult, timeMs: number): ScrapeReport {
    this.scrapeNumber++
    const { samples, error } = this.samplesOf(result)
    const failed = error === '' ? this.overLimit(samples) : error
    const kept = failed === '' ? this.store(samples, timeMs) : { kept: 0, added: 0 }
    this.markVanished(timeMs)
    const report = {
      up: failed === '',
      error: failed,
      samplesScraped: samples.length,
      samplesKept: kept.kept,
      seriesAdded: kept.added
    }
    this.report(timeMs, [Number(report.up), result.durationMs / 1000, samples.length, kept.kept, kept.added])
    return report
  }

  /** Marks every series of the target stale: it is gone. */
  end(timeMs: number): void {
    this.scrapeNumber++
    this.markVanished(timeMs)
    for (const series of this.ownSeries()) this.db.appendStaleTo(series, timeMs)
  }

  private samplesOf(result: ScrapeResult): { samples: readonly ExpositionSample[]; error: string } {
    if (!result.ok) return { samples: [], error: result.error }
    if ('samples' in result) return { samples: result.samples, error: '' }
    const outcome = parseExposition(result.body, result.contentType, this.parsed)
    if (!outcome.ok) return { samples: [], error: outcome.error }
    this.metadata = outcome.metadata
    return { samples: outcome.samples, error: '' }
  }

  private overLimit(samples: readonly ExpositionSample[]): string {
    const limit = this.target.config.sampleLimit ?? 0
    return limit > 0 && samples.length > limit ? 'sample limit exceeded' : ''
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
    const labels = joinLabels(sample.labels, this.target.labels, this.target.config.honorLabels === true)
    const rules = this.target.config.metricRelabelRules ?? []
    const relabelled = rules.length === 0 ? labels : relabel(labels, rules)
    if (relabelled === undefined || (relabelled[METRIC_NAME] ?? '') === '') return 'dropped'
    return { series: this.db.series(Labels.of(relabelled)), text: sample.series, lastScrape: 0, live: false }
  }

  private markVanished(timeMs: number): void {
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

  private ownSeries(): Series[] {
    this.reportSeries ??= REPORT_NAMES.map((name) =>
      this.db.series(Labels.of({ ...this.target.labels, [METRIC_NAME]: name }))
    )
    return this.reportSeries
  }

  private report(timeMs: number, values: readonly number[]): void {
    this.ownSeries().forEach((series, index) => this.db.appendTo(series, timeMs, values[index] ?? 0))
  }
}

/** Joins exposed and target labels; the loser of a clash is kept as `exported_…`, unless labels are honoured. */
function joinLabels(exposed: Labels, target: Readonly<Record<string, string>>, honor: boolean): Record<string, string> {
  const labels = exposed.toRecord()
  for (const [name, value] of Object.entries(target)) {
    const clash = labels[name]
    if (clash === undefined || clash === '') labels[name] = value
    else if (!honor) {
      let renamed = `exported_${name}`
      while (labels[renamed] !== undefined || target[renamed] !== undefined) renamed = `exported_${renamed}`
      labels[renamed] = clash
      labels[name] = value
    }
  }
  return labels
}
