import type { AppSpec } from '../../kinds/index.ts'
import type { Hold, Instant, Timeline } from '../../lib/time/index.ts'
import {
  type App,
  type AppContainer,
  type AppCore,
  type AppFetch,
  type AppFetchResult,
  type AppShellResult,
  type AppTask,
  createApp,
  wrapApp
} from '../../model/app/index.ts'
import type { LoadTester } from '../../model/loadtester/index.ts'
import { loadTesterApp } from '../joint/index.ts'
import { appServer } from './app-server.ts'
import type { Cancellable, Holds, HoldUsers } from './holds.ts'
import { Listener } from './listener.ts'
import { type PlanPorts, runPlan } from './plan-runner.ts'
import { Upstream } from './upstream.ts'

/** Most log lines kept per container. */
const LOG_LINES_MAX = 10_000

/** What a container's process needs of its pod. */
export interface ContainerHostOptions {
  readonly spec: AppSpec
  readonly container: AppContainer
  /** The app of the world itself that runs here. */
  readonly own?: AppCore | undefined
  readonly seed: number
  readonly timeline: Timeline
  readonly holds: Holds | undefined
  readonly users: HoldUsers
  readonly startedAt: Instant
  /** Address to listen on; default loopback. */
  readonly bindHost?: string
  /** Real port for a port of the app; default any free one. */
  realPorts?(port: number): number
  fetch(request: AppFetch, hold: Hold | undefined, done: (result: AppFetchResult) => void): Cancellable
  shell(argv: readonly string[], timeoutMs: number, hold: Hold | undefined): Promise<AppShellResult>
  exited(code: number): void
  /** Called with each line of its log. */
  logged?(line: string): void
}

/** A line an app has written. */
export interface AppLogLine {
  readonly at: Instant
  readonly text: string
}

interface OpenPort {
  readonly listener: Listener
  upstream: Upstream | undefined
}

/** A container's process: its app, its listeners, its tasks and its log. */
export class ContainerHost {
  readonly app: App
  readonly image: string
  readonly log: AppLogLine[] = []
  readonly #options: ContainerHostOptions
  readonly #open = new Map<number, OpenPort>()
  readonly #tasks = new Set<Cancellable>()
  readonly #loadTester: LoadTester | undefined
  #start: Cancellable | undefined
  #ended = false

  constructor(options: ContainerHostOptions) {
    this.#options = options
    this.image = options.container.image
    const appOptions = {
      spec: options.spec,
      container: options.container,
      seed: options.seed,
      startedAt: options.startedAt
    }
    if (options.spec.app === 'load-tester') {
      const made = loadTesterApp(appOptions)
      this.app = made.app
      this.#loadTester = made.loadTester
    } else if (options.own !== undefined) this.app = wrapApp(options.own, appOptions)
    else this.app = createApp(appOptions)
    const { timeline, startedAt } = options
    this.#start = timeline.at(startedAt + this.app.startupMs, () => this.#listen())
  }

  /** The load tester's gates, where this is one. */
  get loadTester(): LoadTester | undefined {
    return this.#loadTester
  }

  /** Connections to a port of the app; undefined when nothing listens. */
  upstream(port: number): Upstream | undefined {
    const open = this.#open.get(port)
    if (open === undefined || open.listener.port === 0) return undefined
    open.upstream ??= new Upstream(open.listener.port)
    return open.upstream
  }

  /** The real port on loopback behind a port of the app. */
  realPort(port: number): number | undefined {
    const real = this.#open.get(port)?.listener.port
    return real === 0 ? undefined : real
  }

  /** SIGTERM. @returns milliseconds until the process has ended */
  terminate(now: Instant): number {
    const { drainMs } = this.app.terminate(now)
    this.#cancelTasks()
    this.#start?.cancel()
    this.#start = this.#options.timeline.at(now + drainMs, () => {
      for (const open of this.#open.values()) open.listener.drain()
      this.#forget()
    })
    return drainMs
  }

  /** The process is gone: connections break. */
  async end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#start?.cancel()
    this.#cancelTasks()
    const listeners = [...this.#open.values()].map((open) => open.listener)
    this.#forget()
    await Promise.all(listeners.map((listener) => listener.close()))
  }

  /** Opens the listeners without waiting for the app's start-up time. @returns the real port of the app's first port; 0: it has none */
  async listenNow(): Promise<number> {
    this.#start?.cancel()
    this.#listen()
    const ports = await Promise.all([...this.#open.values()].map((open) => open.listener.opened))
    return ports[0] ?? 0
  }

  #forget(): void {
    for (const open of this.#open.values()) open.upstream?.close()
    this.#open.clear()
  }

  #cancelTasks(): void {
    for (const task of this.#tasks) task.cancel()
    this.#tasks.clear()
  }

  #listen(): void {
    this.#start = undefined
    const { timeline, holds, users, container } = this.#options
    for (const port of this.app.ports) {
      const handle = appServer({ app: this.app, port, timeline, holds, users, ports: this.#ports() })
      const listener = new Listener(handle, {
        name: `${container.hostname}:${port}`,
        holds,
        port: this.#options.realPorts?.(port) ?? 0,
        host: this.#options.bindHost ?? '127.0.0.1'
      })
      this.#open.set(port, { listener, upstream: undefined })
    }
    for (const { name, task } of this.app.background()) this.#spawn(name, task)
  }

  #ports(): PlanPorts {
    const { timeline, holds, fetch, shell } = this.#options
    return {
      timeline,
      holds,
      fetch,
      shell,
      childHold: (name) => holds?.hold(name),
      head: () => {},
      exit: (code) => this.#exit(code),
      log: (line) => this.#logLine(line),
      spawn: (name, task) => this.#spawn(name, task)
    }
  }

  #exit(code: number): void {
    if (this.#ended) return
    // The world ends the process; the plan that asked for it still answers (its connection breaks with the rest).
    this.#options.exited(code)
  }

  #logLine(line: string): void {
    this.log.push({ at: this.#options.timeline.now(), text: line })
    this.#options.logged?.(line)
    if (this.log.length > LOG_LINES_MAX) this.log.splice(0, this.log.length - LOG_LINES_MAX)
  }

  /** Runs a task under a hold of its own. */
  #spawn(name: string, task: AppTask): void {
    if (this.#ended) return
    const { holds, container } = this.#options
    const hold = holds?.hold(`${container.hostname} ${name}`)
    let running: Cancellable | undefined
    let over = false
    const run = runPlan<void>(task, this.#ports(), hold, () => {
      over = true
      hold?.release()
      if (running !== undefined) this.#tasks.delete(running)
    })
    running = {
      cancel: () => {
        run.cancel()
        hold?.release()
      }
    }
    if (!over) this.#tasks.add(running)
  }
}
