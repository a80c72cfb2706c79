import type { Instant, Scheduled, Timeline } from '../../lib/time/index.ts'
import type { Canary } from '../../kinds/index.ts'
import {
  advanceCanary,
  analysisIntervalMs,
  decodeCanary,
  optOut,
  reactToUpdate,
  startLines,
  syncCanary,
  totalGauge,
  undecodable,
  type ControllerSettings,
  type Effect,
  type Plan
} from '../../model/canary/index.ts'
import type { RunContext } from './run-context.ts'
import { WorkQueue } from './work-queue.ts'

/** Informers deliver everything again after this long. */
const RESYNC_MS = 30_000

/** What a scheduler needs of its world. */
export interface SchedulerOptions {
  readonly settings: ControllerSettings
  readonly timeline: Timeline
  /** Runs a plan and calls back when it is done; `value` is absent when the plan was abandoned or broke. */
  readonly execute: <Value>(plan: Plan<Value>, context: RunContext, done: (value?: Value) => void) => void
  /** Effects of the scheduler itself (log lines, gauges). */
  readonly report: (effect: Effect) => void
}

interface Job {
  readonly intervalMs: number
  readonly stop: () => void
}

/**
 * Flagger's scheduling: an informer's events go to workers, workers fill a map of canaries, a control loop gives each
 * canary of the map a job, and a job ticks at once and then at its interval, never overlapping itself.
 * @see fluxcd/flagger pkg/controller/controller.go, scheduler.go scheduleCanaries, job.go 1.44.0
 */
export class CanaryScheduler {
  readonly #options: SchedulerOptions
  /** What the informer knows, by `<namespace>/<name>`. */
  readonly #cache = new Map<string, Canary>()
  /** Scheduled canaries by `<name>.<namespace>`, and whether they are others than at the last pass of the control loop. */
  readonly #canaries = new Map<string, Canary>()
  #canariesChanged = false
  /** Canaries that the typed client cannot decode, and those that changed meanwhile. */
  readonly #undecodable = new Set<string>()
  readonly #unseen = new Map<string, Canary>()
  readonly #jobs = new Map<string, Job>()
  readonly #ticks = new Map<string, number>()
  readonly #queue: WorkQueue
  #timers: Scheduled[] = []
  #stopped = false

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#queue = new WorkQueue({
      timeline: options.timeline,
      workers: options.settings.threadiness,
      process: (key, done) => this.#sync(key, done)
    })
  }

  /** Starts workers and control loop: its first pass comes one interval from now. Until then changes only queue up. */
  start(): void {
    for (const effect of startLines(this.#options.settings)) this.#options.report(effect)
    this.#every(this.#options.settings.controlLoopIntervalMs, () => this.#scheduleCanaries())
    this.#every(RESYNC_MS, () => this.#resync())
    this.#queue.start()
  }

  /** Nothing new begins from now on. */
  stop(): void {
    this.#stopped = true
    this.#queue.stop()
    for (const timer of this.#timers) timer.cancel()
    for (const job of this.#jobs.values()) job.stop()
    this.#jobs.clear()
  }

  /** The informer's canary, for lookups. */
  cached(namespace: string, name: string): Canary | undefined {
    return this.#cache.get(`${namespace}/${name}`)
  }

  /** A canary appeared or changed. While any canary cannot be decoded, the typed client sees none of them. */
  changed(object: Canary): void {
    const canary = decodeCanary(object)
    const key = cacheKey(canary)
    const problem = undecodable(canary)
    if (problem === undefined) this.#undecodable.delete(key)
    else this.#undecodable.add(key)
    if (problem !== undefined) this.#log('error', `Failed to watch: failed to list *v1beta1.Canary: ${problem}`)
    this.#unseen.set(key, canary)
    this.#seeWaiting()
  }

  #seeWaiting(): void {
    if (this.#undecodable.size > 0) return
    for (const [key, canary] of this.#unseen) {
      this.#unseen.delete(key)
      this.#see(canary)
    }
  }

  #see(canary: Canary): void {
    const key = cacheKey(canary)
    const before = this.#cache.get(key)
    this.#cache.set(key, canary)
    if (before === undefined) return this.#queue.add(key)
    const reaction = reactToUpdate(before, canary)
    if (!sameService(before, canary)) this.#warnAboutServiceName(before, canary)
    if (reaction.enqueue) this.#queue.add(key)
    if (reaction.optOut) this.#options.execute(optOut(canary), this.#context(canary, true), () => {})
  }

  /** A canary is gone: its job is stopped at the next pass of the control loop. */
  deleted(canary: Canary): void {
    const key = cacheKey(canary)
    this.#cache.delete(key)
    this.#unseen.delete(key)
    this.#undecodable.delete(key)
    this.#log('info', `Deleting ${scheduleKey(canary)} from cache`)
    if (this.#canaries.delete(scheduleKey(canary))) this.#canariesChanged = true
    this.#seeWaiting()
  }

  #sync(key: string, done: (failed: boolean) => void): void {
    const canary = this.#cache.get(key)
    if (canary === undefined) {
      this.#log('error', `${key} in work queue no longer exists`)
      return done(false)
    }
    this.#options.execute(syncCanary(this.#options.settings, canary), this.#context(canary, true), (outcome) => {
      if (outcome?.stored === true && this.#cache.has(key)) {
        this.#canaries.set(scheduleKey(canary), canary)
        this.#canariesChanged = true
      }
      done(outcome?.failed === true)
    })
  }

  #resync(): void {
    for (const canary of this.#cache.values())
      if (reactToUpdate(canary, canary).enqueue) this.#queue.add(cacheKey(canary))
  }

  #scheduleCanaries(): void {
    const changed = this.#canariesChanged
    this.#canariesChanged = false
    if (changed) this.#adjustJobs()
    this.#warnAboutSharedTargets()
    if (changed) this.#countCanaries()
  }

  #adjustJobs(): void {
    for (const [key, canary] of this.#canaries) {
      const intervalMs = analysisIntervalMs(canary)
      const job = this.#jobs.get(key)
      if (job?.intervalMs === intervalMs) continue
      job?.stop()
      this.#jobs.set(key, this.#startJob(canary, intervalMs))
    }
    for (const [key, job] of this.#jobs) {
      if (this.#canaries.has(key)) continue
      job.stop()
      this.#jobs.delete(key)
    }
  }

  /** Ticks at once, then at each interval; a tick that overruns keeps one fire pending, others are lost. */
  #startJob(canary: Canary, intervalMs: number): Job {
    const begin = this.#options.timeline.now()
    let fire: Scheduled | undefined
    let running = false
    let pending = false
    let stopped = false
    const tick = (): void => {
      running = true
      this.#tick(canary, () => {
        running = false
        if (!pending || stopped) return
        pending = false
        this.#options.timeline.at(this.#options.timeline.now(), () => {
          if (!stopped && !running) tick()
        })
      })
    }
    const arm = (due: Instant): void => {
      fire = this.#options.timeline.at(due, () => {
        arm(due + intervalMs)
        if (running) pending = true
        else tick()
      })
    }
    arm(begin + intervalMs)
    tick()
    return {
      intervalMs,
      stop: () => {
        stopped = true
        fire?.cancel()
      }
    }
  }

  #tick(canary: Canary, done: () => void): void {
    const { name, namespace = '' } = canary.metadata
    const key = scheduleKey(canary)
    this.#ticks.set(key, (this.#ticks.get(key) ?? 0) + 1)
    this.#options.execute(
      advanceCanary({ name, namespace }, this.#options.settings),
      this.#context(canary, false),
      done
    )
  }

  #context(canary: Canary, worker: boolean): RunContext {
    const key = scheduleKey(canary)
    return { canary: key, tick: this.#ticks.get(key) ?? 0, worker }
  }

  #warnAboutSharedTargets(): void {
    if (this.#canaries.size < 2) return
    for (const [key, canary] of this.#canaries) {
      const target = targetKey(canary)
      const shared = [...this.#canaries].some(([other, candidate]) => other !== key && targetKey(candidate) === target)
      if (!shared) continue
      const message = `Bad things will happen! Found more than one canary with the same target ${target}`
      this.#options.report({ effect: 'log', level: 'error', message, canary: key })
    }
  }

  #countCanaries(): void {
    const counts = new Map<string, number>()
    for (const { metadata } of this.#canaries.values()) {
      counts.set(metadata.namespace ?? '', (counts.get(metadata.namespace ?? '') ?? 0) + 1)
    }
    for (const [namespace, count] of counts) this.#options.report(totalGauge(namespace, count))
  }

  #warnAboutServiceName(before: Canary, after: Canary): void {
    const [old, now] = [before.spec.service.name, after.spec.service.name ?? '']
    const message = `The service name changed to ${now}, remove ${old ?? ''} objects to avoid routing conflicts`
    this.#options.report({ effect: 'log', level: 'warn', message, canary: scheduleKey(before) })
  }

  #log(level: 'info' | 'error', message: string): void {
    this.#options.report({ effect: 'log', level, message })
  }

  #every(intervalMs: number, run: () => void): void {
    const index = this.#timers.length
    const arm = (due: Instant): void => {
      this.#timers[index] = this.#options.timeline.at(due, () => {
        if (this.#stopped) return
        arm(due + intervalMs)
        run()
      })
    }
    arm(this.#options.timeline.now() + intervalMs)
  }
}

function cacheKey({ metadata }: Canary): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function scheduleKey({ metadata }: Canary): string {
  return `${metadata.name}.${metadata.namespace ?? ''}`
}

function targetKey({ metadata, spec }: Canary): string {
  return `${spec.targetRef.name}.${metadata.namespace ?? ''}`
}

function sameService(before: Canary, after: Canary): boolean {
  return !before.spec.service.name || before.spec.service.name === after.spec.service.name
}
