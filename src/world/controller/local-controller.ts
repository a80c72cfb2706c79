import { invariant } from '../../lib/errors/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { Timeline } from '../../lib/time/index.ts'
import type { ApiChange, ApiRequest, ApiResponse, Canary, KubeObject } from '../../kinds/index.ts'
import {
  ControllerPanic,
  Gauges,
  NOT_YET,
  type ControllerSettings,
  type Effect,
  type HttpOutcome,
  type Plan
} from '../../model/canary/index.ts'
import { chance } from './chance.ts'
import { drive, type Perform } from './driver.ts'
import { restartPauseMs } from './restart.ts'
import { EventSink, type OnEventWrite } from './event-sink.ts'
import { isReported, type OnEffect, type RunContext } from './run-context.ts'
import { Leadership } from './leadership.ts'
import { CanaryScheduler } from './scheduler.ts'

/** Effects that are HTTP requests to something else than the API server. */
export type HttpEffect = Extract<Effect, { effect: 'query' | 'webhook' | 'alert' }>

/** The part of the API server a controller in the same process uses. */
export interface LocalApi {
  handle(request: ApiRequest): ApiResponse
  subscribe(listener: (change: ApiChange) => void): () => void
  list(group: string, resource: string, namespace?: string): readonly KubeObject[]
  get(group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined
}

/**
 * What goes wrong at one effect: the process dies before or after it, or an API request is answered otherwise than the
 * server did, whether it was applied or not.
 */
export type Fault =
  | { readonly fault: 'crash'; readonly moment: 'before' | 'after' }
  | { readonly fault: 'answer'; readonly response: ApiResponse; readonly applied: boolean }

/** Settings of a controller in the same process. */
export interface LocalControllerOptions {
  readonly settings: ControllerSettings
  readonly timeline: Timeline
  readonly api: LocalApi
  readonly random: Random
  /** Name of its pod, for the leader election; default `flagger`. */
  readonly hostname?: string
  /** Answers metric queries, webhooks and alerts, at once or at a later simulated time. */
  readonly http: (effect: HttpEffect, context: RunContext, answer: (outcome: HttpOutcome) => void) => void
  readonly onEffect?: OnEffect
  /** Called before and after each tick. */
  readonly onTick?: (moment: 'begin' | 'end', context: RunContext) => void
  readonly onEventWrite?: OnEventWrite
  /** Drills: what goes wrong at an effect; asked once before each. */
  readonly fault?: (effect: Effect, context: RunContext) => Fault | undefined
  /** Drills: the process died by a crash fault. Default: it is started again after the kubelet's pause. */
  readonly onCrash?: () => void
  /** Called before a worker or a tick goes on after a pause. */
  readonly onWake?: (context: RunContext) => void
}

/** A running controller in the same process. */
export interface LocalController {
  readonly gauges: Gauges
  /** Whether it works on canaries: always, but for a replica that is not elected. */
  readonly leads: boolean
  /** Nothing more happens, whatever was going on (the process is dead). */
  kill(): void
  /** SIGTERM: it stops working and, as leader, gives its lease back. */
  terminate(): void
}

/** Starts the controller on an API server in the same process; everything runs on the timeline, synchronously. */
export function startLocalController(options: LocalControllerOptions): LocalController {
  return new InProcessController(options)
}

/** One life of the controller: it ends with the process. */
interface Process {
  alive: boolean
  stop: () => void
}

/** Most changes of gauges that are kept before they are added up. */
const GAUGES_PENDING_MAX = 1000

class InProcessController implements LocalController {
  readonly #gauges: Gauges
  #pendingGauges: Effect[] = []
  readonly #options: LocalControllerOptions
  readonly #sink: EventSink
  #process: Process = { alive: false, stop: () => {} }
  #leadership: Leadership | undefined
  #exits = 0
  #terminated = false

  constructor(options: LocalControllerOptions) {
    const { settings, timeline, api, random } = options
    this.#options = options
    this.#gauges = new Gauges(settings.meshProvider)
    this.#sink = new EventSink({
      timeline,
      random,
      send: (request, answer) => answer(api.handle(request)),
      ...(options.onEventWrite === undefined ? {} : { onWrite: options.onEventWrite })
    })
    this.#boot()
  }

  get leads(): boolean {
    return this.#process.alive && this.#leadership?.leads === true
  }

  /** Few look at them: what has changed is added up then. */
  get gauges(): Gauges {
    for (const effect of this.#pendingGauges) this.#gauges.apply(effect)
    this.#pendingGauges = []
    return this.#gauges
  }

  #noteGauge(effect: Effect): void {
    if (effect.effect !== 'gauge') return
    this.#pendingGauges.push(effect)
    if (this.#pendingGauges.length >= GAUGES_PENDING_MAX) void this.gauges
  }

  kill(): void {
    this.#process.alive = false
    this.#process.stop()
  }

  terminate(): void {
    if (!this.#process.alive) return
    this.#terminated = true
    this.kill()
    // Giving the lease back is the last thing the process does.
    this.#process = { alive: true, stop: () => {} }
    this.#leadership?.terminate()
  }

  #boot(): void {
    const { settings, timeline, hostname = 'flagger', random } = this.#options
    const process: Process = { alive: true, stop: () => {} }
    this.#process = process
    const scheduler = new CanaryScheduler({
      settings,
      timeline,
      execute: (plan, context, done) => this.#execute(plan, context, done),
      report: (effect) => this.#report(effect)
    })
    const unsubscribe = watchCanaries(this.#options, scheduler)
    // Not assigned as it is written: V8 gives such a function to the old generation, where it keeps its world for long.
    const stop = (): void => {
      unsubscribe()
      scheduler.stop()
    }
    process.stop = stop
    this.#leadership = new Leadership({
      settings,
      hostname,
      random,
      execute: (plan, context, done) => this.#execute(plan, context, () => done()),
      onElected: () => scheduler.start(),
      onLost: () => this.#leadershipLost()
    })
    this.#leadership.start()
  }

  #execute<Value>(plan: Plan<Value>, context: RunContext, done: (value?: Value) => void): void {
    if (!context.worker) this.#options.onTick?.('begin', context)
    drive(plan, this.#performFor(context, this.#process), (outcome) => {
      if ('error' in outcome) return this.#broken(outcome.error)
      if (!context.worker) this.#options.onTick?.('end', context)
      done(outcome.value)
    })
  }

  /** A panic kills the process, and it is started again; any other error is a mistake in the twin. */
  #broken(error: unknown): void {
    if (!(error instanceof ControllerPanic)) throw error
    this.#exit(`panic: ${error.message}`, 'error')
  }

  /** Flagger exits as soon as it does not lead any more, also at its own end. */
  #leadershipLost(): void {
    if (this.#options.settings.leaderElection) return this.#exit('Leadership lost', 'info')
    this.kill()
  }

  #exit(message: string, level: 'info' | 'error'): void {
    const { timeline } = this.#options
    this.#report({ effect: 'log', level, message })
    this.kill()
    if (!this.#terminated) timeline.at(timeline.now() + restartPauseMs(this.#exits++), () => this.#boot())
  }

  #crash(): void {
    if (this.#options.onCrash === undefined) return this.#broken(new ControllerPanic('killed'))
    this.kill()
    this.#options.onCrash()
  }

  #report(effect: Effect): void {
    this.#noteGauge(effect)
    this.#options.onEffect?.(effect, undefined, { canary: '', tick: 0, worker: true })
  }

  #performFor(context: RunContext, process: Process): Perform {
    const { fault: faultOf, onEffect } = this.#options
    const answer = (effect: Effect, result: unknown, resume: (result: unknown) => void): void => {
      if (!process.alive) return
      if (onEffect !== undefined && isReported(effect, context)) onEffect(effect, result, context)
      resume(result)
    }
    const perform: Perform = (effect, resume) => {
      const result = this.#performAtOnce(effect)
      if (result === NOT_YET) this.#performLater(effect, context, (late) => answer(effect, late, resume))
      else answer(effect, result, resume)
    }
    if (faultOf === undefined) return perform
    return (effect, resume) => {
      const fault = faultOf(effect, context)
      if (fault === undefined) return perform(effect, resume)
      if (fault.fault === 'answer') {
        if (fault.applied) this.#performAtOnce(effect)
        return answer(effect, fault.response, resume)
      }
      if (fault.moment === 'before') return this.#crash()
      perform(effect, () => this.#crash())
    }
  }

  /** The result of an effect that this process sees to alone. */
  #performAtOnce(effect: Effect): unknown {
    const { api, timeline, random } = this.#options
    switch (effect.effect) {
      case 'api':
        return api.handle(effect.request)
      case 'lookup':
        return api.get('flagger.app', effect.resource, effect.namespace, effect.name)
      case 'event':
        return this.#sink.record(effect)
      case 'gauge':
        return this.#noteGauge(effect)
      case 'now':
        return timeline.now()
      case 'random':
        return chance(random, effect.of)
      case 'log':
      case 'decision':
        return undefined
      default:
        return NOT_YET
    }
  }

  /** An effect that others answer, or time. */
  #performLater(effect: Effect, context: RunContext, resume: (result: unknown) => void): void {
    switch (effect.effect) {
      case 'query':
      case 'webhook':
      case 'alert':
        return this.#options.http(effect, context, resume)
      case 'sleep': {
        const { timeline } = this.#options
        timeline.at(timeline.now() + effect.ms, () => {
          this.#options.onWake?.(context)
          resume(undefined)
        })
        return
      }
      default:
        invariant(false, `unknown effect ${JSON.stringify(effect)}`)
    }
  }
}

/** Hands existing and changing canaries to the scheduler: changes in the same instant, but after what caused them. */
function watchCanaries({ settings, timeline, api }: LocalControllerOptions, scheduler: CanaryScheduler): () => void {
  let watching = true
  const inScope = ({ metadata }: KubeObject): boolean =>
    settings.namespace === '' || metadata.namespace === settings.namespace
  const later = (run: () => void): void => {
    timeline.at(timeline.now(), () => {
      if (watching) run()
    })
  }
  for (const canary of api.list('flagger.app', 'canaries')) {
    if (inScope(canary)) later(() => scheduler.changed(canary as Canary))
  }
  const unsubscribe = api.subscribe(({ group, resource, type, object }) => {
    if (group !== 'flagger.app' || resource !== 'canaries' || !inScope(object)) return
    later(() => (type === 'DELETED' ? scheduler.deleted(object as Canary) : scheduler.changed(object as Canary)))
  })
  return () => {
    watching = false
    unsubscribe()
  }
}
