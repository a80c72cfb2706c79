import type { AppSpec } from '../../kinds/index.ts'
import type { Instant, Scheduled, Timeline } from '../../lib/time/index.ts'
import {
  type App,
  type AppAnswer,
  type AppContainer,
  type AppEffect,
  type AppEffectResult,
  type AppFetch,
  type AppFetchResult,
  type AppPlan,
  type AppRequest,
  type AppShellResult,
  argvOf,
  createApp,
  envOf
} from '../../model/app/index.ts'
import { gatherResults, loadTesterApp, type PlanEffects, runAppPlan } from '../joint/index.ts'

/** Most log lines kept per container. */
const LOG_LINES_MAX = 2000

/** Most kinds of requests whose standing answers are kept. */
const STANDING_MAX = 100

/** What a container needs of its pod and world. */
export interface ContainerPorts {
  readonly timeline: Timeline
  readonly seed: number
  fetch(request: AppFetch, done: (result: AppFetchResult) => void): void
  shell(argv: readonly string[], timeoutMs: number, done: (result: AppShellResult) => void): void
  /** The process ended by itself. */
  exited(code: number): void
  /** Called before the process begins or ceases to answer. */
  changing(): void
  /** Something reached the process that may change its answers. */
  touched(): void
  /** The process answers from now on. */
  listening(): void
}

/** A container's process: its app, whether it listens, its log. */
export class VirtualContainer {
  readonly app: App
  readonly container: AppContainer
  readonly log: string[] = []
  /** Whether the app draws by itself for each request, so that one request cannot stand for many. */
  readonly drawsItself: boolean
  spec: AppSpec
  #plainSpec: AppSpec
  readonly #ports: ContainerPorts
  readonly #cancels = new Set<() => void>()
  readonly #timers: Scheduled[] = []
  readonly #standing = new Map<AppRequest, AppAnswer | undefined>()
  #listening = false
  #ended = false

  constructor(spec: AppSpec, container: AppContainer, at: Instant, ports: ContainerPorts) {
    this.spec = spec
    this.#plainSpec = withoutChance(spec)
    this.container = container
    this.#ports = ports
    const options = { spec, container, seed: ports.seed, startedAt: at }
    this.app = spec.app === 'load-tester' ? loadTesterApp(options).app : createApp(options)
    this.drawsItself = spec.app === 'podinfo' && drawsItself(container)
    const { timeline } = ports
    this.#timers.push(timeline.at(at + this.app.startupMs, () => this.#listen()))
    const crash = this.app.crash()
    if (crash !== undefined) this.#timers.push(timeline.at(at + crash.afterMs, () => this.exit(crash.exitCode)))
  }

  /** Whether the app answers on that port. */
  listensOn(port: number): boolean {
    return this.#listening && this.app.ports.includes(port)
  }

  /** Another behaviour from now on. */
  change(spec: AppSpec): void {
    this.spec = spec
    this.#plainSpec = withoutChance(spec)
    this.app.change(spec)
    this.#touch()
  }

  /** Handles one request on the timeline, faults and service time included. @returns abandons it */
  serve(request: AppRequest, done: (answer: AppAnswer) => void): () => void {
    return this.#run(this.app.serve(request, this.#ports.timeline.now()), (answer) => {
      if (!this.app.standing(request)) this.#touch()
      done(answer)
    })
  }

  /** Handles one request in the caller's stack where the app waits for nothing but time; undefined where it calls others. */
  serveAtOnce(request: AppRequest): { readonly answer: AppAnswer; readonly elapsedMs: number } | undefined {
    const began = this.#ports.timeline.now()
    const plan = this.app.serve(request, began)
    let elapsedMs = 0
    let step = plan.next()
    while (step.done !== true) {
      const effect = step.value
      if (effect.effect !== 'sleep' && effect.effect !== 'now') return undefined
      if (effect.effect === 'sleep') elapsedMs += effect.ms
      step = plan.next(effect.effect === 'now' ? began + elapsedMs : undefined)
    }
    return { answer: step.value, elapsedMs }
  }

  /**
   * The app's own answer to a kind of request, where it stands for each of them; undefined where each has to be served.
   * @param request - the same object for requests of one kind
   */
  standingAnswer(request: AppRequest): AppAnswer | undefined {
    const known = this.#standing.get(request)
    if (known !== undefined || this.#standing.has(request)) return known
    if (this.#standing.size >= STANDING_MAX) this.#standing.clear()
    const stands = !this.drawsItself && this.app.standing(request)
    const answer = stands ? this.#evaluate(request) : undefined
    this.#standing.set(request, answer)
    return answer
  }

  /** The answer of a plan that does nothing but wait. */
  #evaluate(request: AppRequest): AppAnswer | undefined {
    const now = this.#ports.timeline.now()
    const plan = this.plainPlan(request, now)
    let step = plan.next()
    while (step.done !== true) {
      if (step.value.effect !== 'now') return undefined
      step = plan.next(now)
    }
    return step.value
  }

  /** What was known of the app's answers may hold no longer. */
  #touch(): void {
    this.#standing.clear()
    this.#ports.touched()
  }

  /** The app's own plan for a request: without declared faults, without service time. */
  plainPlan(request: AppRequest, now: Instant): AppPlan {
    this.app.change(this.#plainSpec)
    try {
      return this.app.serve(request, now)
    } finally {
      this.app.change(this.spec)
    }
  }

  /** SIGTERM. @returns milliseconds until it has ended */
  terminate(): number {
    const { timeline } = this.#ports
    const { drainMs } = this.app.terminate(timeline.now())
    this.#touch()
    for (const timer of this.#timers) timer.cancel()
    this.#timers.push(timeline.at(timeline.now() + drainMs, () => this.#close()))
    return drainMs
  }

  /** The process ends by itself. */
  exit(code: number): void {
    if (this.#ended) return
    this.end()
    this.#ports.exited(code)
  }

  /** The process ends by itself, after what is going on in this instant. */
  exitSoon(code: number): void {
    const { timeline } = this.#ports
    timeline.at(timeline.now(), () => this.exit(code))
  }

  /** The process is gone. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const timer of this.#timers) timer.cancel()
    this.#close()
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }

  #close(): void {
    if (!this.#listening) return
    this.#ports.changing()
    this.#listening = false
  }

  #listen(): void {
    this.#ports.changing()
    this.#listening = true
    // A load client's requests are drawn by the world, not sent one by one.
    if (this.spec.app !== 'slow-cooker') for (const { task } of this.app.background()) this.#run(task, () => {})
    this.#ports.listening()
  }

  /** Runs a plan that ends with the process. */
  #run<Value>(plan: Generator<AppEffect, Value, AppEffectResult>, done: (value: Value) => void): () => void {
    const running: { cancel: () => void; over: boolean } = { cancel: () => {}, over: false }
    running.cancel = runAppPlan(plan, this.#effects(), (value) => {
      running.over = true
      this.#cancels.delete(running.cancel)
      done(value)
    })
    if (!running.over) this.#cancels.add(running.cancel)
    return running.cancel
  }

  #effects(): PlanEffects {
    const { timeline } = this.#ports
    return {
      now: () => timeline.now(),
      sleep: (ms, resume) => {
        const timer = timeline.at(timeline.now() + ms, resume)
        return () => timer.cancel()
      },
      fetch: (requests, resume) => {
        gatherResults(requests, (request, _index, answered) => this.#ports.fetch(request, answered), resume)
        return () => {}
      },
      shell: (argv, timeoutMs, resume) => {
        this.#ports.shell(argv, timeoutMs, resume)
        return () => {}
      },
      head: () => {},
      exit: (code) => this.exitSoon(code),
      log: (line) => {
        this.log.push(line)
        if (this.log.length > LOG_LINES_MAX) this.log.splice(0, LOG_LINES_MAX / 10)
      },
      spawn: (_name, task) => void this.#run(task, () => {})
    }
  }
}

function withoutChance(spec: AppSpec): AppSpec {
  return {
    ...spec,
    faults: spec.faults.filter((fault) => fault.kind === 'not-ready'),
    latency: { kind: 'constant', ms: 0 }
  }
}

/** podinfo's `--random-delay` and `--random-error`. */
function drawsItself(container: AppContainer): boolean {
  const asked = argvOf(container).some((word) => /^--random-(delay|error)(=true)?$/.test(word))
  return asked || ['DELAY', 'ERROR'].some((what) => envOf(container, `PODINFO_RANDOM_${what}`) === 'true')
}
