import { invariant, TwinError } from '../../lib/errors/index.ts'
import { randomStream, type Random } from '../../lib/random/index.ts'
import type { Hold, Timeline } from '../../lib/time/index.ts'
import type { ApiResponse, Canary } from '../../kinds/index.ts'
import { ControllerPanic, Gauges, type ControllerSettings, type Plan } from '../../model/canary/index.ts'
import { chance } from './chance.ts'
import { drive, type Perform } from './driver.ts'
import { EventSink, type OnEventWrite } from './event-sink.ts'
import { HttpExchange } from './http-exchange.ts'
import { Informer, type InformerHandlers } from './informer.ts'
import { Leadership } from './leadership.ts'
import { restartPauseMs } from './restart.ts'
import type { KubeConnection, ClusterConnection } from './kube-connection.ts'
import { isReported, type OnEffect, type RunContext } from './run-context.ts'
import { CanaryScheduler } from './scheduler.ts'

/** Settings of a controller that talks to an API server over HTTP. */
export interface ControllerOptions {
  readonly connection: ClusterConnection
  readonly timeline: Timeline
  readonly settings: ControllerSettings
  /** Name of its pod, for the leader election; default `flagger`. */
  readonly hostname?: string
  /** Keeps simulated time standing while the controller works; absent: time follows the wall. */
  readonly holds?: { hold(name: string): Hold }
  /** Seeded chance (cookies, pod identities, jitter); default seed 1. */
  readonly random?: Random
  readonly onEffect?: OnEffect
  /** Called before and after each tick. */
  readonly onTick?: (moment: 'begin' | 'end', context: RunContext) => void
  readonly onEventWrite?: OnEventWrite
  /** Called before a worker or a tick goes on after a pause. */
  readonly onWake?: (context: RunContext) => void
  /** A watch event of this version was handled: the hold that came with it may be given back. */
  readonly watchSeen?: (resourceVersion: string) => void
  /** Address behind a URL with a cluster host name (`http://flagger-loadtester.test/`); undefined: a host outside. */
  readonly resolve?: (url: string) => string | undefined
  /** Makes requests to hosts outside; default the global fetch. */
  readonly fetchImpl?: typeof fetch
  /** A plan broke: a programmer error. Default: it is thrown as an unhandled rejection. */
  readonly onError?: (error: unknown) => void
  /** The process ended by itself. Default: it is started again after the kubelet's pause. */
  readonly onExit?: (exitCode: number) => void
}

/** A running controller. */
export interface Controller {
  readonly gauges: Gauges
  /** Whether it works on canaries: always, but for a replica that is not elected. */
  readonly leads: boolean
  /** SIGTERM: it stops working and, as leader, gives its lease back; settled when the process has ended. */
  terminate(): Promise<void>
  /** Ends it: nothing new begins, running work is abandoned, connections are closed. */
  stop(): Promise<void>
}

/**
 * Starts Flagger's twin: informers, workers, control loop and a job per canary, over HTTP.
 * @throws TwinError TWIN_WORLD_START when Flagger's custom resources cannot be listed
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  // client-node takes 0.4 s to load: only a world that talks HTTP pays for it.
  const connections = await import('./kube-connection.ts')
  const connection = connections.KubeConnection.open(options.connection)
  const controller = new RemoteController(options, connection)
  await controller.start()
  return controller
}

const INFORMED = ['metrictemplates', 'alertproviders', 'canaries'] as const

class RemoteController implements Controller {
  readonly gauges: Gauges
  readonly #options: ControllerOptions
  readonly #connection: KubeConnection
  readonly #exchange: HttpExchange
  readonly #random: Random
  readonly #sink: EventSink
  #scheduler: CanaryScheduler
  #leadership: Leadership
  #exits = 0
  readonly #informers: Readonly<Record<(typeof INFORMED)[number], Informer>>
  readonly #running = new Set<{ abandon: () => void; hold: Hold | undefined }>()
  #stopped = false
  /** Set by SIGTERM. */
  #ended: PromiseWithResolvers<void> | undefined

  constructor(options: ControllerOptions, connection: KubeConnection) {
    const { settings, timeline } = options
    this.#options = options
    this.#connection = connection
    this.gauges = new Gauges(settings.meshProvider)
    this.#random = options.random ?? randomStream(1, 'controller')
    this.#exchange = new HttpExchange({
      timeline,
      holds: options.holds,
      resolve: options.resolve ?? ((): undefined => undefined),
      fetchImpl: options.fetchImpl ?? fetch
    })
    this.#sink = new EventSink({
      timeline,
      random: this.#random,
      send: (request, answer) => this.#background('event', this.#connection.send(request), answer),
      ...(options.onEventWrite === undefined ? {} : { onWrite: options.onEventWrite })
    })
    this.#scheduler = this.#newScheduler()
    this.#leadership = this.#newLeadership()
    this.#informers = {
      metrictemplates: this.#informer('metrictemplates', {}),
      alertproviders: this.#informer('alertproviders', {}),
      canaries: this.#informer('canaries', {
        changed: (object) => this.#scheduler.changed(object as Canary),
        deleted: (object) => this.#scheduler.deleted(object as Canary)
      })
    }
  }

  async start(): Promise<void> {
    const hold = this.#options.holds?.hold('controller start')
    try {
      for (const resource of INFORMED) {
        const error = await this.#informers[resource].start()
        if (error !== undefined)
          throw new TwinError('TWIN_WORLD_START', `the controller cannot list ${resource}: ${error}`)
      }
      this.#leadership.start()
    } finally {
      hold?.release()
    }
  }

  get leads(): boolean {
    return !this.#stopped && this.#leadership.leads
  }

  async terminate(): Promise<void> {
    if (this.#ended !== undefined) return await this.#ended.promise
    this.#ended = Promise.withResolvers<void>()
    this.#scheduler.stop()
    this.#abandonAll()
    this.#leadership.terminate()
    await this.#ended.promise
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#ended?.resolve()
    this.#scheduler.stop()
    this.#abandonAll()
    await Promise.all(INFORMED.map((resource) => this.#informers[resource].stop()))
    await this.#exchange.close()
    await this.#connection.close()
  }

  #newScheduler(): CanaryScheduler {
    return new CanaryScheduler({
      settings: this.#options.settings,
      timeline: this.#options.timeline,
      execute: (plan, context, done) => this.#execute(plan, context, done),
      report: (effect) => {
        this.gauges.apply(effect)
        this.#options.onEffect?.(effect, undefined, { canary: '', tick: 0, worker: true })
      }
    })
  }

  #newLeadership(): Leadership {
    return new Leadership({
      settings: this.#options.settings,
      hostname: this.#options.hostname ?? 'flagger',
      random: this.#random,
      execute: (plan, context, done) => this.#execute(plan, context, () => done()),
      onElected: () => this.#scheduler.start(),
      onLost: () => this.#leadershipLost()
    })
  }

  /** Flagger exits as soon as it does not lead any more, also at its own end. */
  #leadershipLost(): void {
    if (!this.#options.settings.leaderElection) return this.#ended?.resolve()
    this.#exit({ message: 'Leadership lost', level: 'info', code: 1 })
  }

  /** The process ended: everything under way is lost, and it is started again after a pause. */
  #exit({ message, level, code }: { message: string; level: 'info' | 'error'; code: number }): void {
    const { timeline, onEffect, onExit } = this.#options
    onEffect?.({ effect: 'log', level, message }, undefined, { canary: '', tick: 0, worker: true })
    this.#scheduler.stop()
    this.#abandonAll()
    if (this.#ended !== undefined) return this.#ended.resolve()
    if (onExit !== undefined) return onExit(code)
    timeline.at(timeline.now() + restartPauseMs(this.#exits++), () => {
      if (!this.#stopped) this.#boot()
    })
  }

  #boot(): void {
    this.#scheduler = this.#newScheduler()
    this.#leadership = this.#newLeadership()
    for (const canary of this.#informers.canaries.all()) this.#scheduler.changed(canary as Canary)
    this.#leadership.start()
  }

  #abandonAll(): void {
    for (const { abandon, hold } of this.#running) {
      abandon()
      hold?.release()
    }
    this.#running.clear()
  }

  #informer(resource: string, handlers: Partial<InformerHandlers>): Informer {
    const { namespace } = this.#options.settings
    const scope = namespace === '' ? '' : `/namespaces/${namespace}`
    return new Informer(this.#connection, `/apis/flagger.app/v1beta1${scope}/${resource}`, {
      changed: () => {},
      deleted: () => {},
      ...handlers,
      seen: (version) => this.#options.watchSeen?.(version)
    })
  }

  #execute<Value>(plan: Plan<Value>, context: RunContext, done: (value?: Value) => void): void {
    const hold = this.#options.holds?.hold(`${context.worker ? 'worker' : 'tick'} ${context.canary}`.trimEnd())
    if (!context.worker) this.#options.onTick?.('begin', context)
    const run = { abandon: (): void => {}, hold }
    this.#running.add(run)
    run.abandon = drive(plan, this.#performFor(context, hold), (outcome) => {
      this.#running.delete(run)
      if ('error' in outcome) {
        hold?.release()
        return this.#fail(outcome.error)
      }
      if (!context.worker) this.#options.onTick?.('end', context)
      done(outcome.value)
      hold?.release()
    })
  }

  #fail(error: unknown): void {
    if (error instanceof ControllerPanic)
      return this.#exit({ message: `panic: ${error.message}`, level: 'error', code: 2 })
    if (this.#options.onError === undefined) throw error
    this.#options.onError(error)
  }

  #performFor(context: RunContext, hold: Hold | undefined): Perform {
    return (effect, resume) => {
      const answer = (result: unknown): void => {
        if (this.#stopped) return
        if (isReported(effect, context)) this.#options.onEffect?.(effect, result, context)
        resume(result)
      }
      switch (effect.effect) {
        case 'api':
          return this.#settle(this.#connection.send(effect.request), answer)
        case 'query':
        case 'webhook':
        case 'alert':
          return this.#settle(this.#exchange.perform(effect, hold), answer)
        case 'lookup':
          return answer(this.#informers[effect.resource].get(effect.namespace, effect.name))
        case 'event':
          this.#sink.record(effect)
          return answer(undefined)
        case 'gauge':
          this.gauges.apply(effect)
          return answer(undefined)
        case 'sleep':
          return this.#sleep(effect.ms, hold, () => {
            this.#options.onWake?.(context)
            answer(undefined)
          })
        case 'now':
          return answer(this.#options.timeline.now())
        case 'random':
          return answer(chance(this.#random, effect.of))
        case 'log':
        case 'decision':
          return answer(undefined)
        default:
          invariant(false, `unknown effect ${JSON.stringify(effect satisfies never)}`)
      }
    }
  }

  #sleep(ms: number, hold: Hold | undefined, wake: () => void): void {
    const { timeline } = this.#options
    timeline.at(timeline.now() + ms, () => {
      hold?.resume()
      wake()
    })
    hold?.suspend()
  }

  #settle<Value>(promise: Promise<Value>, answer: (value: Value) => void): void {
    promise.then(answer).catch((error: unknown) => this.#fail(error))
  }

  /** Work beside the ticks, under a hold of its own. */
  #background(name: string, promise: Promise<ApiResponse>, answer: (response: ApiResponse) => void): void {
    const hold = this.#options.holds?.hold(`controller ${name}`)
    this.#settle(promise, (response) => {
      if (!this.#stopped) answer(response)
      hold?.release()
    })
  }
}
