import type { LoadSpec } from '../../../kinds/index.ts'
import { TwinError } from '../../../lib/errors/index.ts'
import type { TraceBody } from '../../../trace/index.ts'
import type { LoadTotals } from '../../world.ts'
import type { WorldClock } from '../clock.ts'
import { CONNECTIONS_MAX, type Gate, openGate } from './gate.ts'
import type { Upstream, UpstreamAnswer } from './upstream.ts'

/** Connections that a load begins with. */
const CONNECTIONS_START = 4

/** What an open loop needs of its world. */
export interface OpenLoopOptions {
  readonly clock: WorldClock
  readonly upstream: Upstream
  /** Arrival times in milliseconds since the start of the run, ascending. */
  readonly arrivals: Iterator<number, void, undefined>
  /** Version of the pod that answered the request of that key; undefined when no pod did. */
  readonly versionOf: (key: string) => string | undefined
  readonly record: (body: TraceBody) => void
  /** Told the wall milliseconds of each request. */
  readonly onRequest?: (wallMs: number) => void
  readonly onFailure: (error: TwinError) => void
}

/** A load that sends each request at its simulated arrival time, however long the answers take. */
export interface OpenLoop {
  /** Closes the current step of the weights with a `load` event and opens the next. */
  changeWeight(weightPercent: number): void
  /** Closes the current step: the run is over. */
  closeStep(): void
  totals(): LoadTotals
  close(): Promise<void>
}

interface Counts {
  intended: number
  delivered: number
  failed: number
  readonly byVersion: Record<string, number>
}

/** Starts an open loop: opens the gate, then follows the schedule until it ends or the loop is closed. */
export async function startOpenLoop(spec: LoadSpec, options: OpenLoopOptions): Promise<OpenLoop> {
  const loop = new RunningOpenLoop(spec, options)
  await loop.open()
  return loop
}

class RunningOpenLoop implements OpenLoop {
  readonly #spec: LoadSpec
  readonly #options: OpenLoopOptions
  readonly #total: Counts = newCounts()
  #step: Counts = newCounts()
  #weightPercent = 0
  #gate: Gate | undefined
  #closed = false
  readonly #abort = new AbortController()

  constructor(spec: LoadSpec, options: OpenLoopOptions) {
    this.#spec = spec
    this.#options = options
  }

  async open(): Promise<void> {
    const { spec, options } = { spec: this.#spec, options: this.#options }
    const request = {
      method: spec.method,
      url: spec.to,
      headers: spec.headers,
      ...(spec.body === undefined ? {} : { body: spec.body })
    }
    this.#gate = await openGate(request, CONNECTIONS_START, (error) => options.onFailure(error))
    this.#scheduleNext()
  }

  changeWeight(weightPercent: number): void {
    if (weightPercent === this.#weightPercent) return
    this.closeStep()
    this.#weightPercent = weightPercent
  }

  totals(): LoadTotals {
    const { intended, delivered, failed, byVersion } = this.#total
    return { load: this.#spec.name, intended, delivered, failed, byVersion: { ...byVersion } }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.closeStep()
    this.#abort.abort()
    await this.#gate?.close()
    await this.#options.upstream.close()
  }

  closeStep(): void {
    const { intended, delivered, failed, byVersion } = this.#step
    this.#step = newCounts()
    if (intended === 0 && delivered === 0 && failed === 0) return
    const { name: load } = this.#spec
    const weightPercent = this.#weightPercent
    this.#options.record({ kind: 'load', load, weightPercent, intended, delivered, failed, byVersion })
  }

  #scheduleNext(): void {
    const next = this.#options.arrivals.next()
    if (next.done === true) return
    const { clock } = this.#options
    clock.at(clock.startInstant + next.value, () => {
      if (this.#closed) return
      this.#scheduleNext()
      this.#arrive()
    })
  }

  #arrive(): void {
    const { clock } = this.#options
    const hold = clock.hold(`load ${this.#spec.name}: request`)
    this.#count((counts) => counts.intended++)
    const key = `load ${this.#spec.name} ${this.#total.intended}`
    this.#gate?.take((parked) => {
      if (parked === undefined) {
        hold.release()
        this.#options.onFailure(this.#notDelivered())
        return
      }
      this.#count((counts) => counts.delivered++)
      const request = {
        method: parked.method,
        path: parked.path,
        host: parked.host,
        headers: parked.headers,
        timeoutMs: this.#spec.timeoutMs,
        key,
        ...(parked.body.length === 0 ? {} : { body: parked.body })
      }
      const began = performance.now()
      const finish = (answer: UpstreamAnswer): void => {
        this.#options.onRequest?.(performance.now() - began)
        this.#countAnswer(key, answer)
        parked.answer(answer)
        hold.release()
      }
      this.#options.upstream.send(request, hold, this.#abort.signal).then(finish, (cause: unknown) => {
        hold.release()
        this.#options.onFailure(
          new TwinError('TWIN_LOAD_NOT_DELIVERED', `Load ${this.#spec.name} could not be sent.`, { cause })
        )
      })
    })
  }

  #countAnswer(key: string, answer: UpstreamAnswer): void {
    const version = this.#options.versionOf(key)
    if (this.#closed) return
    if (!answer.ok || answer.status >= 500) this.#count((counts) => counts.failed++)
    if (!answer.ok || version === undefined) return
    this.#count((counts) => (counts.byVersion[version] = (counts.byVersion[version] ?? 0) + 1))
  }

  #count(change: (counts: Counts) => void): void {
    change(this.#step)
    change(this.#total)
  }

  #notDelivered(): TwinError {
    const { intended, delivered } = this.#total
    return new TwinError(
      'TWIN_LOAD_NOT_DELIVERED',
      `Load ${this.#spec.name} delivered ${delivered} of ${intended} requests: ${CONNECTIONS_MAX} connections are waiting for answers.`,
      { details: { load: this.#spec.name, intended, delivered } }
    )
  }
}

function newCounts(): Counts {
  return { intended: 0, delivered: 0, failed: 0, byVersion: {} }
}
