import { createEngine, type Engine } from '../../lib/promql/index.ts'
import type { Scheduled, Timeline } from '../../lib/time/index.ts'
import { Tsdb } from '../../lib/tsdb/index.ts'
import type { ApiServer } from '../../model/apiserver/index.ts'
import { meshIdentity } from '../../model/mesh/index.ts'
import { createPromApi, type PromApi } from '../../model/promapi/index.ts'
import { createScraper, type ScrapeTask, VIZ_JOBS } from '../../model/scrape/index.ts'
import { podDiscovery } from '../joint/index.ts'
import type { Meter } from './meter.ts'
import type { VirtualPods } from './pods.ts'
import type { Traffic } from './traffic.ts'

/** Step of subqueries that name none: viz' evaluation interval. */
const EVALUATION_MS = 10_000

/** Who scrapes. */
const PROMETHEUS = meshIdentity('prometheus', 'linkerd-viz')

const PROXY_PORT = ':4191'

/** The Prometheus of a world: database, engine and HTTP API, scraping by itself. */
export interface VirtualMetrics {
  readonly engine: Engine
  readonly api: PromApi
  /** Pods have changed. */
  podsChanged(): void
  stop(): void
}

/** What metrics are made from. */
export interface VirtualMetricsOptions {
  readonly timeline: Timeline
  readonly seed: number
  readonly api: Pick<ApiServer, 'list'>
  readonly pods: VirtualPods
  readonly traffic: Traffic
  readonly meter: Meter
}

/** Starts scraping: each scrape draws what has happened since the last look and stores the counters. */
export function startMetrics(options: VirtualMetricsOptions): VirtualMetrics {
  const { seed, api, meter } = options
  const timeline = meter.timeline(options.timeline, 'scrapes')
  const db = new Tsdb()
  const engine = createEngine({ db, defaultStepMs: EVALUATION_MS })
  const scraper = createScraper({ db, seed, configs: VIZ_JOBS.filter((job) => job.staticConfigs === undefined) })
  const discovered = podDiscovery()
  let armed: { readonly due: number; readonly scheduled: Scheduled } | undefined
  let podsPending = false
  let stopped = false
  const arm = (): void => {
    const due = scraper.nextDueMs()
    if (stopped || due === undefined || (armed !== undefined && armed.due <= due)) return
    armed?.scheduled.cancel()
    armed = { due, scheduled: timeline.at(due, tick) }
  }
  const tick = (): void => {
    armed = undefined
    const tasks = scraper.tick(timeline.now())
    if (tasks.length > 0) options.traffic.settle()
    for (const task of tasks) scrape(options, task, (result) => scraper.finish(task, result))
    arm()
  }
  return {
    engine,
    api: createPromApi({
      engine,
      now: () => timeline.now(),
      targets: () => scraper.targets(),
      droppedTargets: () => scraper.droppedTargets(),
      startMs: timeline.now()
    }),
    podsChanged(): void {
      if (podsPending || stopped) return
      podsPending = true
      timeline.at(timeline.now(), () => {
        podsPending = false
        scraper.setPods(api.list('', 'pods').map(discovered), timeline.now())
        arm()
      })
    },
    stop(): void {
      stopped = true
      armed?.scheduled.cancel()
    }
  }
}

type Finish = (result: Parameters<ReturnType<typeof createScraper>['finish']>[1]) => void

function scrape({ pods, timeline }: VirtualMetricsOptions, task: ScrapeTask, finish: Finish): void {
  const { address } = task.target
  const ip = address.endsWith(PROXY_PORT) ? address.slice(0, -PROXY_PORT.length) : undefined
  const pod = ip === undefined ? undefined : pods.byIp(ip)
  if (pod?.meshed !== true || !pod.up) {
    const error = `Get "${task.target.url}": dial tcp ${address}: connect: connection refused`
    finish({ ok: false, error, durationMs: 0 })
    return
  }
  const { groups, counted } = pod.scrape(PROMETHEUS, timeline.now())
  finish({ ok: true, groups, durationMs: 1 })
  counted()
}
