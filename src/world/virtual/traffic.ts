import type { ApiChange } from '../../kinds/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { Instant, Timeline } from '../../lib/time/index.ts'
import type { ObjectReader } from '../../model/mesh/index.ts'
import type { Answers } from './batch.ts'
import { Batches } from './batches.ts'
import { Gates } from './gates.ts'
import { LateAnswers } from './late-answers.ts'
import type { Meter } from './meter.ts'
import type { VirtualPods } from './pods.ts'
import { type Destination, type RequestClass, Routes, type VirtualClient } from './routes.ts'
import type { Schedule } from './schedules.ts'

/** A client's stream of requests that are all alike. */
export interface FlowSpec {
  readonly client: VirtualClient
  readonly request: RequestClass
  readonly schedule: Schedule
  /** Client-side limit of one request, milliseconds. */
  readonly timeoutMs: number
  /** Told how many were sent. */
  readonly onSent?: (count: number) => void
  /** Told what became of them. */
  readonly onAnswers?: (answers: Answers) => void
}

interface Flow extends FlowSpec {
  destination: Destination
  settled: Instant
  /** Mean of what answers took lately. */
  meanMs: number
}

/** What traffic needs of its world. */
export interface TrafficOptions {
  readonly timeline: Timeline
  readonly reader: ObjectReader
  readonly pods: VirtualPods
  readonly random: Random
  readonly meter: Meter
}

/**
 * Every stream of requests in the world. They are drawn when somebody looks (a scrape) and when something they depend
 * on changes (a weight, an endpoint, a behaviour), from the last look up to now.
 */
export class Traffic {
  readonly routes: Routes
  readonly batches: Batches
  readonly #options: TrafficOptions
  readonly #gates: Gates
  readonly #late: LateAnswers
  readonly #flows = new Set<Flow>()
  #planning = false
  #settled: Instant

  constructor(options: TrafficOptions) {
    const { timeline, reader, pods, random } = options
    this.#options = options
    this.#settled = timeline.now()
    this.routes = new Routes(reader)
    this.#late = new LateAnswers(random)
    this.#gates = new Gates({
      timeline,
      settle: () => this.settle(),
      balance: (batch, backend, report) => this.batches.balance(batch, backend, report)
    })
    this.batches = new Batches({
      pods,
      random,
      late: this.#late,
      gates: this.#gates,
      resolve: (client, request) => this.routes.resolve(client, request)
    })
  }

  /** Starts a stream; the returned function ends it. */
  add(spec: FlowSpec): () => void {
    const flow: Flow = {
      ...spec,
      destination: this.routes.resolve(spec.client, spec.request),
      settled: this.#options.timeline.now(),
      meanMs: 1
    }
    this.#flows.add(flow)
    this.#lookAtGates(flow)
    return () => {
      this.#settleFlow(flow)
      this.#flows.delete(flow)
    }
  }

  /** Draws everything up to now. */
  settle(): void {
    const now = this.#options.timeline.now()
    if (now <= this.#settled) return
    this.#settled = now
    this.#options.meter.in('requests', () => {
      this.#late.settle(now)
      for (const flow of this.#flows) this.#settleFlow(flow)
    })
  }

  /** Takes note of a stored change: what moves traffic does so once this instant's changes are all made. */
  objectChanged(change: Pick<ApiChange, 'group' | 'resource'>): void {
    if (this.routes.changed(change)) this.replan()
  }

  /** Endpoints may have come or gone. */
  replan(): void {
    if (this.#planning) return
    this.#planning = true
    const { timeline } = this.#options
    timeline.at(timeline.now(), () => {
      this.#planning = false
      this.settle()
      for (const flow of this.#flows) {
        flow.destination = this.routes.resolve(flow.client, flow.request)
        this.#lookAtGates(flow)
      }
    })
  }

  #settleFlow(flow: Flow): void {
    const to = this.#options.timeline.now()
    const from = flow.settled
    if (to <= from) return
    flow.settled = to
    const count = flow.schedule.take(to, flow.meanMs)
    if (count === 0) return
    flow.onSent?.(count)
    let answered = 0
    let sumMs = 0
    const { client, request, destination, timeoutMs } = flow
    const span = { from, to }
    this.batches.send({ client, request, destination, count, span, timeoutMs, depth: 0, attempt: 0 }, (answers) => {
      answered += answers.count
      sumMs += answers.count * answers.meanMs
      flow.onAnswers?.(answers)
    })
    if (answered > 0) flow.meanMs = sumMs / answered
  }

  #lookAtGates(flow: Flow): void {
    if (flow.destination.kind !== 'service') return
    const { backends } = flow.destination
    for (const backend of backends) {
      if (backend.missing || (backends.length > 1 && backend.weight <= 0)) continue
      this.#gates.look(flow.client.key, backend, this.batches.aliveOf(backend).length > 0)
    }
  }
}
