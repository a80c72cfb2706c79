import type { Instant, Scheduled, Timeline } from '../../lib/time/index.ts'
import type { ServicePort } from '../../model/mesh/index.ts'
import type { Batch, Report } from './batch.ts'
import type { RoutedBackend } from './routes.ts'

/** How long a request may wait for an endpoint before its backend fails fast. @see model/mesh balancer */
const FAILFAST_MS = 3000

interface Waiting {
  readonly batch: Batch
  readonly report: Report
}

interface Gate {
  readonly service: ServicePort
  shut: boolean
  waiting: Waiting[]
  timer: Scheduled | undefined
}

/** What gates need of the traffic they hold up. */
export interface GatesOptions {
  readonly timeline: Timeline
  /** Draws everything up to now. */
  settle(): void
  /** Sends waiting requests on to the endpoints that have come. */
  balance(batch: Batch, backend: RoutedBackend, report: Report): void
}

/** Backends without endpoints, per client: requests wait three seconds, are then answered 504, and 503 from there on. */
export class Gates {
  readonly #options: GatesOptions
  readonly #gates = new Map<string, Gate>()

  constructor(options: GatesOptions) {
    this.#options = options
  }

  /** Whether the backend fails fast for that client. */
  isShut(client: string, service: ServicePort): boolean {
    if (this.#gates.size === 0) return false
    return this.#gates.get(keyOf(client, service))?.shut === true
  }

  /** Lets requests wait for an endpoint. */
  wait(batch: Batch, backend: RoutedBackend, report: Report): void {
    this.#gate(batch.client.key, backend.service, batch.span.from).waiting.push({ batch, report })
  }

  /** A client's backend has these endpoints now. */
  look(client: string, backend: RoutedBackend, alive: boolean): void {
    if (!alive) {
      this.#gate(client, backend.service, this.#options.timeline.now())
      return
    }
    if (this.#gates.size === 0) return
    const key = keyOf(client, backend.service)
    const gate = this.#gates.get(key)
    if (gate === undefined) return
    this.#gates.delete(key)
    gate.timer?.cancel()
    for (const { batch, report } of gate.waiting) {
      const now = this.#options.timeline.now()
      this.#options.balance({ ...batch, span: { from: now, to: now } }, backend, report)
    }
  }

  #gate(client: string, service: ServicePort, since: Instant): Gate {
    const key = keyOf(client, service)
    const known = this.#gates.get(key)
    if (known !== undefined) return known
    const gate: Gate = { service, shut: false, waiting: [], timer: undefined }
    gate.timer = this.#options.timeline.at(since + FAILFAST_MS, () => {
      this.#options.settle()
      gate.shut = true
      const waiting = gate.waiting
      gate.waiting = []
      for (const { batch, report } of waiting) report({ count: batch.count, status: 504, meanMs: FAILFAST_MS })
    })
    this.#gates.set(key, gate)
    return gate
  }
}

function keyOf(client: string, service: ServicePort): string {
  return `${client} ${service.namespace}/${service.name}:${service.port}`
}
