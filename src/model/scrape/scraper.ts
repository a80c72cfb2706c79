import type { MetricMetadata } from '../../lib/exposition/index.ts'
import { draw } from '../../lib/random/index.ts'
import type { Tsdb } from '../../lib/tsdb/index.ts'
import type { ScrapeConfig } from './config.ts'
import { type DiscoveredPod, discoverPod } from './discovery.ts'
import { type ScrapeReport, type ScrapeResult, TargetIngester } from './ingest.ts'
import type { LabelRow } from './label-row.ts'
import { type DroppedTarget, isTarget, type MadeBefore, makeTarget, type Target, targetOf } from './target.ts'

/** Options of {@link createScraper}. */
interface ScraperOptions {
  readonly db: Tsdb
  readonly configs: readonly ScrapeConfig[]
  /** Seeds the phase of each target and of the discovery ticks. */
  readonly seed: number
}

/** A scrape to be made now. */
export interface ScrapeTask {
  readonly target: Target
  /** Scheduled time; hand it back to {@link Scraper.finish}. */
  readonly scheduledMs: number
}

/** A target with its last scrape, for the targets API. */
interface TargetStatus {
  readonly target: Target
  readonly health: 'up' | 'down' | 'unknown'
  readonly lastError: string
  /** ms since the epoch; undefined before the first scrape. */
  readonly lastScrapeMs: number | undefined
  readonly lastScrapeDurationMs: number
  readonly metadata: ReadonlyMap<string, MetricMetadata>
}

/**
 * Decides when which target is scraped and stores what comes back; the world fetches. Changes of pods take effect as
 * in the real server: at the first discovery tick (every 5 s), then at the first reload tick (every 5 s); a new target
 * waits for its own phase within the interval; a removed one is marked stale one interval and a tenth after the scrape
 * it missed.
 * @see Prometheus discovery/manager.go, scrape/manager.go, scrape/scrape.go endOfRunStaleness, v2.55.1
 */
export interface Scraper {
  /** Tells the pods that exist now; cheap when called often. A pod that has changed is another object. */
  setPods(pods: readonly DiscoveredPod[], nowMs: number): void
  /** When the scraper next wants {@link Scraper.tick}; undefined when nothing is pending. */
  nextDueMs(): number | undefined
  /** Does what is due at or before now and returns the scrapes to make. */
  tick(nowMs: number): ScrapeTask[]
  /** Stores a scrape's outcome. */
  finish(task: ScrapeTask, result: ScrapeResult): ScrapeReport | undefined
  /** Every active target. */
  targets(): TargetStatus[]
  /** Discovered label sets that relabelling dropped. */
  droppedTargets(): readonly DroppedTarget[]
}

/** Period of both the discovery and the reload tick, ms. */
const DISCOVERY_TICK_MS = 5000
const PENDING_MAX = 64

/** Creates a scraper. Fixed targets are active at once. */
export function createScraper(options: ScraperOptions): Scraper {
  return new ScrapePool(options)
}

interface Active {
  readonly target: Target
  readonly ingester: TargetIngester
  nextMs: number
  health: 'up' | 'down' | 'unknown'
  lastError: string
  lastScrapeMs: number | undefined
  lastScrapeDurationMs: number
}

interface Ending {
  readonly ingester: TargetIngester
  readonly markerMs: number
  readonly dueMs: number
}

interface Pending {
  readonly dueMs: number
  pods: readonly DiscoveredPod[]
}

/** What was made of a pod. */
interface SeenPod {
  readonly discovered: readonly LabelRow[]
  readonly made: Map<ScrapeConfig, readonly MadeBefore[]>
  /** The same of the pod as it was before; undefined once it has changed again. */
  before: SeenPod | undefined
}

class ScrapePool implements Scraper {
  private readonly db: Tsdb
  private readonly configs: readonly ScrapeConfig[]
  private readonly seed: number
  private readonly active = new Map<string, Active>()
  private readonly seen = new WeakMap<DiscoveredPod, SeenPod>()
  /** What was last made of each pod, by uid. */
  private latest = new Map<string | undefined, SeenPod>()
  private readonly discoveryPhaseMs: number
  private readonly reloadPhaseMs: number
  private dropped: readonly DroppedTarget[] = []
  private endings: Ending[] = []
  private pending: Pending[] = []
  private started = false

  constructor(options: ScraperOptions) {
    this.db = options.db
    this.configs = options.configs
    this.seed = options.seed
    this.discoveryPhaseMs = Math.floor(draw(this.seed, 0, 'discovery-tick') * DISCOVERY_TICK_MS)
    this.reloadPhaseMs = Math.floor(draw(this.seed, 0, 'reload-tick') * DISCOVERY_TICK_MS)
  }

  setPods(pods: readonly DiscoveredPod[], nowMs: number): void {
    if (!this.started) {
      this.started = true
      this.apply([], nowMs)
    }
    const sentMs = nextTick(nowMs, DISCOVERY_TICK_MS, this.discoveryPhaseMs)
    const dueMs = nextTick(sentMs, DISCOVERY_TICK_MS, this.reloadPhaseMs)
    const last = this.pending[this.pending.length - 1]
    if (last !== undefined && (last.dueMs === dueMs || this.pending.length >= PENDING_MAX)) last.pods = pods
    else this.pending.push({ dueMs, pods })
  }

  nextDueMs(): number | undefined {
    let earliest = this.pending[0]?.dueMs ?? Infinity
    for (const { nextMs } of this.active.values()) earliest = Math.min(earliest, nextMs)
    for (const { dueMs } of this.endings) earliest = Math.min(earliest, dueMs)
    return earliest === Infinity ? undefined : earliest
  }

  tick(nowMs: number): ScrapeTask[] {
    if (!this.started) {
      this.started = true
      this.apply([], nowMs)
    }
    while (this.pending[0] !== undefined && this.pending[0].dueMs <= nowMs) {
      const due = this.pending.shift()
      if (due !== undefined) this.apply(due.pods, due.dueMs)
    }
    this.endings = this.endings.filter((ending) => {
      if (ending.dueMs > nowMs) return true
      ending.ingester.end(ending.markerMs)
      return false
    })
    const tasks: ScrapeTask[] = []
    for (const active of this.active.values()) {
      if (active.nextMs > nowMs) continue
      tasks.push({ target: active.target, scheduledMs: active.nextMs })
      // A scrape that came too late is skipped, not made up for.
      active.nextMs +=
        active.target.intervalMs * Math.max(1, Math.ceil((nowMs - active.nextMs + 1) / active.target.intervalMs))
    }
    return tasks
  }

  finish(task: ScrapeTask, result: ScrapeResult): ScrapeReport | undefined {
    const active = this.active.get(task.target.key)
    // The target is gone: what it answered last is not stored.
    if (active === undefined) return undefined
    const report = active.ingester.ingest(result, task.scheduledMs)
    active.health = report.up ? 'up' : 'down'
    active.lastError = report.error
    active.lastScrapeMs = task.scheduledMs
    active.lastScrapeDurationMs = result.durationMs
    return report
  }

  targets(): TargetStatus[] {
    return [...this.active.values()].map(
      ({ target, ingester, health, lastError, lastScrapeMs, lastScrapeDurationMs }) => ({
        target,
        health,
        lastError,
        lastScrapeMs,
        lastScrapeDurationMs,
        metadata: ingester.metadata
      })
    )
  }

  droppedTargets(): readonly DroppedTarget[] {
    return this.dropped
  }

  private apply(pods: readonly DiscoveredPod[], nowMs: number): void {
    const wanted = new Map<string, Target>()
    const dropped: DroppedTarget[] = []
    const add = (made: Target | DroppedTarget): void => {
      if (isTarget(made)) wanted.set(made.key, made)
      else dropped.push(made)
    }
    for (const config of this.configs) this.visitMade(config, pods, add)
    this.dropped = dropped
    this.latest = new Map(pods.map((pod) => [pod.metadata?.uid, this.seenOf(pod)]))
    for (const [key, active] of this.active) {
      if (wanted.has(key)) continue
      this.active.delete(key)
      this.retire(active)
    }
    for (const [key, target] of wanted) if (!this.active.has(key)) this.active.set(key, this.activate(target, nowMs))
  }

  /** What a job makes of fixed targets and of pods; a pod that was seen before is not looked at again. */
  private visitMade(
    config: ScrapeConfig,
    pods: readonly DiscoveredPod[],
    visit: (made: Target | DroppedTarget) => void
  ): void {
    for (const { targets, labels } of config.staticConfigs ?? []) {
      for (const address of targets) visit(makeTarget(config, { ...labels, __address__: address }))
    }
    if (config.podDiscovery === undefined) return
    const { namespaces } = config.podDiscovery
    for (const pod of pods) {
      if (namespaces === undefined || namespaces.includes(pod.metadata?.namespace ?? ''))
        for (const { made } of this.madeOf(config, pod)) visit(made)
    }
  }

  private madeOf(config: ScrapeConfig, pod: DiscoveredPod): readonly MadeBefore[] {
    const { discovered, made, before } = this.seenOf(pod)
    let known = made.get(config)
    if (known === undefined) {
      const earlier = before?.made.get(config)
      known = discovered.map((row, index) => ({ row, made: targetOf(config, row, earlier?.[index]) }))
      made.set(config, known)
    }
    return known
  }

  private seenOf(pod: DiscoveredPod): SeenPod {
    let known = this.seen.get(pod)
    if (known !== undefined) return known
    const before = this.latest.get(pod.metadata?.uid)
    if (before !== undefined) before.before = undefined
    known = { discovered: discoverPod(pod), made: new Map(), before }
    this.seen.set(pod, known)
    return known
  }

  private activate(target: Target, nowMs: number): Active {
    const phaseMs = targetPhaseMs(this.seed, target)
    return {
      target,
      ingester: new TargetIngester(this.db, target),
      nextMs: nextTick(nowMs, target.intervalMs, phaseMs),
      health: 'unknown',
      lastError: '',
      lastScrapeMs: undefined,
      lastScrapeDurationMs: 0
    }
  }

  private retire(active: Active): void {
    if (active.lastScrapeMs === undefined) return
    const { intervalMs } = active.target
    const dueMs = active.nextMs + intervalMs + intervalMs / 10
    this.endings.push({ ingester: active.ingester, markerMs: active.nextMs, dueMs })
  }
}

/** Where in its interval a target is scraped, ms: its own for ever, spread evenly over targets. */
function targetPhaseMs(seed: number, target: Pick<Target, 'key' | 'intervalMs'>): number {
  return Math.floor(draw(seed, 0, 'scrape-phase', target.key) * target.intervalMs)
}

/** First time at or after an instant with a phase within a period. */
function nextTick(nowMs: number, periodMs: number, phaseMs: number): number {
  return nowMs + ((((phaseMs - nowMs) % periodMs) + periodMs) % periodMs)
}
