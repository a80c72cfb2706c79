import type { Instant } from '../../lib/time/index.ts'
import type { BalancedEndpoint } from './balancer.ts'
import type { MeshEndpoint } from './cluster-view.ts'
import type { RouteSeries } from './outbound-stack.ts'
import type { RecordEnd, RequestRecord } from './record.ts'
import type { HeaderChange } from './route-rules.ts'

/** Where the proxy sends a request next. */
export interface OutboundAttempt {
  readonly endpoint: MeshEndpoint
  /** Attempt number, from 0. */
  readonly index: number
  readonly headers: HeaderChange | undefined
  /** The request's body ended or its first part was sent. */
  dispatched(now: Instant): void
  /** Headers arrived. @returns whether they go to the client; otherwise the answer is dropped and another attempt follows */
  head(status: number, grpcStatus: string | undefined, now: Instant): boolean
  body(now: Instant): void
  end(now: Instant, grpcStatus?: string): void
  /** The body broke off. */
  broken(now: Instant): void
  /** No answer came: the connection was lost or could not be made. */
  lost(reason: 'refused' | 'reset' | 'connect-timeout', now: Instant): void
  /** After {@link OutboundAttempt.head} said no: go on with the next attempt. */
  next(): void
}

/** What an attempt is made of. */
export interface AttemptOptions {
  readonly endpoint: BalancedEndpoint
  readonly record: RequestRecord
  readonly series: RouteSeries
  readonly index: number
  readonly headers: HeaderChange
  readonly events: {
    head(status: number): boolean
    end(end: RecordEnd): void
    lost(status: number, at: Instant): void
    next(): void
  }
}

/** One attempt at one endpoint. */
export class Attempt implements OutboundAttempt {
  readonly #options: AttemptOptions
  #released = false
  #passed = true

  constructor(options: AttemptOptions) {
    this.#options = options
  }

  get endpoint(): MeshEndpoint {
    return this.#options.endpoint.endpoint
  }

  get index(): number {
    return this.#options.index
  }

  get headers(): HeaderChange {
    return this.#options.headers
  }

  get record(): RequestRecord {
    return this.#options.record
  }

  get series(): RouteSeries {
    return this.#options.series
  }

  dispatched(now: Instant): void {
    this.record.dispatched(now)
  }

  head(status: number, grpcStatus: string | undefined, _now: Instant): boolean {
    if (this.#released) return false
    this.record.head(status, grpcStatus)
    this.#passed = this.#options.events.head(status)
    return this.#passed
  }

  body(now: Instant): void {
    if (this.#released) return
    this.record.body(now)
    this.#options.endpoint.load.observe(now - this.record.startedAt, now)
  }

  next(): void {
    this.#options.events.next()
  }

  end(now: Instant, grpcStatus?: string): void {
    this.#finish(this.record.end(now, grpcStatus), now)
  }

  broken(now: Instant): void {
    this.#finish(this.record.broken(now), now)
  }

  lost(reason: 'refused' | 'reset' | 'connect-timeout', now: Instant): void {
    if (this.#released) return
    const status = reason === 'connect-timeout' ? 504 : 502
    this.record.head(status)
    this.record.end(now)
    this.#release(now)
    this.#options.events.lost(status, now)
  }

  /** The answer is dropped for another attempt. @returns its status */
  drop(now: Instant): number | undefined {
    if (this.#released) return undefined
    this.record.end(now)
    this.#release(now)
    return this.record.status
  }

  /** The proxy itself cut the attempt off. */
  cut(now: Instant): void {
    if (this.#released) return
    if (this.record.headed) this.record.broken(now)
    else this.record.fail(now)
    this.#release(now)
  }

  /** The client is gone. */
  abandon(now: Instant): RecordEnd | undefined {
    if (this.#released) return undefined
    this.#release(now)
    return this.record.abandoned(now)
  }

  #finish(end: RecordEnd | undefined, now: Instant): void {
    if (this.#released) return
    this.#options.endpoint.load.observe(now - this.record.startedAt, now)
    this.#release(now)
    if (end !== undefined && this.#passed) this.#options.events.end(end)
  }

  #release(now: Instant): void {
    if (this.#released) return
    this.#released = true
    this.#options.endpoint.load.pending -= 1
    this.#options.endpoint.target.lastUpdate = now
  }
}
