import { createEngine, type Engine } from '../../lib/promql/index.ts'
import { Tsdb } from '../../lib/tsdb/index.ts'
import { createPromApi } from '../../model/promapi/index.ts'
import {
  createScraper,
  type DiscoveredPod,
  type ScrapeResult,
  type ScrapeTask,
  VIZ_JOBS
} from '../../model/scrape/index.ts'
import type { WorldClock } from './clock.ts'
import { listenPrometheus, type PrometheusListener } from './prometheus-listener.ts'
import { type ScrapeLoop, startScrapeLoop } from './scrape-loop.ts'

/** Step of subqueries that name none: viz' evaluation interval. */
const EVALUATION_MS = 10_000

/** The Prometheus of a world: database, engine, HTTP API and the loop that scrapes. */
export interface WorldMetrics {
  readonly engine: Engine
  readonly listener: PrometheusListener
  /** Starts scraping. */
  scrape(options: ScrapeSource): ScrapeLoop
}

/** Where scrapes get their targets and their answers. */
export interface ScrapeSource {
  readonly pods: () => readonly DiscoveredPod[]
  readonly fetch: (task: ScrapeTask, holdId: number) => Promise<ScrapeResult>
  readonly onScrape: (wallMs: number) => void
}

/** Options of {@link startMetrics}. */
export interface WorldMetricsOptions {
  readonly clock: WorldClock
  readonly seed: number
  readonly port?: number
  readonly onQuery: (wallMs: number) => void
}

/** Makes the database and binds the HTTP API; jobs are those of Linkerd viz. */
export async function startMetrics(options: WorldMetricsOptions): Promise<WorldMetrics> {
  const { clock, seed } = options
  const db = new Tsdb()
  const engine = createEngine({ db, defaultStepMs: EVALUATION_MS })
  // The server scrapes itself over its own listener only when somebody asks for its targets; its series tell nothing.
  const scraper = createScraper({ db, seed, configs: VIZ_JOBS.filter((job) => job.staticConfigs === undefined) })
  const api = createPromApi({
    engine,
    now: () => clock.now(),
    targets: () => scraper.targets(),
    droppedTargets: () => scraper.droppedTargets(),
    startMs: clock.startInstant
  })
  const listener = await listenPrometheus({
    ...(options.port === undefined ? {} : { port: options.port }),
    handle: (request) => api.handle(request),
    onRequest: options.onQuery
  })
  return {
    engine,
    listener,
    scrape: (source) => startScrapeLoop({ clock, scraper, ...source })
  }
}
