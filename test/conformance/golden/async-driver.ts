import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SteppedClock, type Hold } from '../../../src/lib/time/index.ts'
import { bindApi, type BoundApi } from '../../../src/world/wire/index.ts'
import {
  startController,
  type Controller,
  type HttpEffect,
  type HttpOutcome
} from '../../../src/world/controller/index.ts'
import type { GoldenCase, GoldenTrace } from './case.ts'
import { START } from './environment.ts'
import { Replay, type ReplayStep } from './replay.ts'

const CONTROLLER_AGENT = 'rollout-twin-controller'
/** Alerts, queries and webhooks of a case last at most so long in simulated time. */
const REQUEST_TIMEOUT_MS = 3_600_000

/**
 * Replays cases over HTTP: one TLS binding of the API and one server for all test hosts serve case after case; the
 * clock is stepped, so that delays and pauses take no real time.
 */
export class AsyncReplayer {
  readonly #bound: BoundApi
  readonly #hosts: Server
  readonly #stage: Stage

  private constructor(bound: BoundApi, hosts: Server, stage: Stage) {
    this.#bound = bound
    this.#hosts = hosts
    this.#stage = stage
  }

  /** Binds both servers to free ports on loopback. */
  static async start(): Promise<AsyncReplayer> {
    const stage: Stage = { driver: undefined }
    const bound = await bindApi({
      api: {
        handle: (request) => driverOf(stage).handle(request),
        openWatch: (request, onEvent) => driverOf(stage).replay.environment.api.openWatch(request, onEvent)
      },
      hooks: { watchEvent: (agent, version) => stage.driver?.watchSent(agent, version) }
    })
    const hosts = createServer((request, response) => void answer(stage, request, response))
    await new Promise<void>((resolve) => hosts.listen(0, '127.0.0.1', resolve))
    return new AsyncReplayer(bound, hosts, stage)
  }

  /** Replays one case. */
  async replay(golden: GoldenCase): Promise<GoldenTrace> {
    const { port } = this.#hosts.address() as AddressInfo
    const driver = new AsyncDriver(golden, this.#bound, port)
    this.#stage.driver = driver
    try {
      return await driver.run()
    } finally {
      await driver.stop()
      this.#stage.driver = undefined
    }
  }

  /** Closes both servers. */
  async stop(): Promise<void> {
    this.#hosts.closeAllConnections()
    this.#hosts.close()
    await this.#bound.close()
  }
}

interface Stage {
  driver: AsyncDriver | undefined
}

function driverOf(stage: Stage): AsyncDriver {
  if (stage.driver === undefined) throw new Error('no case is being replayed')
  return stage.driver
}

class AsyncDriver {
  readonly clock = new SteppedClock(START)
  readonly replay: Replay
  readonly #bound: BoundApi
  readonly #hostsPort: number
  readonly #watchHolds = new Map<string, Hold>()
  #controller: Controller | undefined
  #failure: unknown

  constructor(golden: GoldenCase, bound: BoundApi, hostsPort: number) {
    this.replay = new Replay(golden, this.clock)
    this.#bound = bound
    this.#hostsPort = hostsPort
  }

  async run(): Promise<GoldenTrace> {
    const steps = this.replay.run()
    for (let next = steps.next(); next.done !== true;) next = steps.next(await this.#perform(next.value))
    return this.replay.trace(this.#controller?.gauges.lines() ?? [])
  }

  async stop(): Promise<void> {
    await this.#controller?.stop()
    for (const hold of this.#watchHolds.values()) hold.release()
    this.#watchHolds.clear()
  }

  /** Requests of the controller meet the injected faults; its Events do not. */
  handle(request: Parameters<Replay['handle']>[0]): ReturnType<Replay['handle']> {
    return this.replay.handle(request)
  }

  /** A watch event is on its way to the controller: time stands until it was seen. */
  watchSent(agent: string, version: string): void {
    if (!agent.startsWith(CONTROLLER_AGENT) || this.#watchHolds.has(version)) return
    this.#watchHolds.set(version, this.clock.hold(`watch event ${version}`))
  }

  async #perform(step: ReplayStep): Promise<boolean> {
    if (step.step === 'tick') return await this.#nextTick()
    if (step.step === 'start') await this.#start()
    else await this.#advance(step.to)
    return true
  }

  async #nextTick(): Promise<boolean> {
    const { recorder, idleMs } = this.replay
    this.replay.ticked = false
    let { activity } = recorder
    let since = this.clock.now()
    for (;;) {
      await this.#quiet()
      if (this.replay.ticked) return true
      if (recorder.activity !== activity) {
        activity = recorder.activity
        since = this.clock.now()
      }
      this.replay.letEnvironmentWork()
      await this.#quiet()
      if ((this.clock.nextDue() ?? Number.POSITIVE_INFINITY) > since + idleMs) return false
      this.clock.step()
    }
  }

  async #advance(to: number): Promise<void> {
    this.clock.at(to, () => {})
    while (this.clock.now() < to) {
      await this.#quiet()
      this.clock.step()
    }
    await this.#quiet()
  }

  /** Waits until nothing is in flight. */
  async #quiet(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.clock.idle) {
        // What was just released may have left something to read.
        await new Promise<void>((resolve) => setImmediate(resolve))
        if (this.clock.idle) return
      }
      await new Promise<void>((resolve) => this.clock.onIdle(resolve))
    }
  }

  async #start(): Promise<void> {
    await this.stop()
    this.#controller = await startController({
      ...this.replay.nextProcess(),
      connection: { url: this.#bound.url, ca: this.#bound.ca, token: this.#bound.token },
      timeline: this.clock,
      holds: this.clock,
      watchSeen: (version) => {
        this.#watchHolds.get(version)?.release()
        this.#watchHolds.delete(version)
      },
      resolve: (url) => this.#local(url),
      fetchImpl: (url, init) => fetch(this.#local(String(url)), withHost(String(url), init)),
      onWake: (context) => {
        if (context.worker) this.replay.environment.settle()
      },
      onError: (error) => {
        this.#failure = error
      }
    })
    await this.#quiet()
  }

  #local(url: string): string {
    const parsed = new URL(url)
    return `http://127.0.0.1:${this.#hostsPort}${parsed.pathname}${parsed.search}`
  }
}

/** A browser-like fetch may not set Host: the name travels in a header of its own. */
function withHost(url: string, init: RequestInit | undefined): RequestInit {
  const headers = new Headers(init?.headers)
  headers.set('x-test-host', new URL(url).host)
  return { ...init, headers }
}

/** One request to any of the test hosts. */
async function answer(stage: Stage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const driver = driverOf(stage)
  const hold = driver.clock.find(Number(request.headers['x-twin-hold']))
  let answered = false
  driver.replay.hosts.answer(
    effectOf(request, Buffer.concat(chunks).toString('utf8')),
    { canary: '', tick: 0, worker: !driver.replay.recorder.inTick },
    (outcome) => {
      answered = true
      hold?.resume()
      respond(response, outcome)
    }
  )
  // The answer comes at a later simulated time: until then time may move.
  if (!answered) hold?.suspend()
}

function respond(response: ServerResponse, outcome: HttpOutcome): void {
  // A time-out is the client's own affair.
  if (!outcome.ok || response.destroyed) return
  response.writeHead(outcome.status, { ...outcome.headers })
  response.end(outcome.body)
}

function effectOf(request: IncomingMessage, body: string): HttpEffect {
  const { 'x-test-host': testHost, 'x-twin-hold': _hold, host, ...rest } = request.headers
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(rest)) headers[name] = String([value ?? ''].flat()[0])
  const url = `http://${String(testHost ?? host)}${request.url ?? '/'}`
  const common = {
    method: request.method === 'GET' ? 'GET' : 'POST',
    url,
    headers,
    timeoutMs: REQUEST_TIMEOUT_MS,
    ...(body === '' ? {} : { body })
  } as const
  if (url.includes('/api/v1/query')) return { effect: 'query', metric: '', query: '', request: common }
  return { effect: 'webhook', hook: '', type: '', request: common }
}
