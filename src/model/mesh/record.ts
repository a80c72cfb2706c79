import type { Instant } from '../../lib/time/index.ts'
import { classify } from './classification.ts'
import type { TargetMetrics } from './proxy-metrics.ts'

/** How a recorded request ended, for the families by route. */
export interface RecordEnd {
  readonly status: number | undefined
  readonly error: string | undefined
  readonly at: Instant
}

/**
 * One request at the layer that counts `request_total`, `response_latency_ms` and `response_total`.
 * The request counts at its dispatch, the latency at the first part of the body, the response at its end;
 * a client that goes before the headers leaves no response at all.
 * @see linkerd2-proxy v2.366.0 linkerd/http/metrics/src/requests/service.rs
 */
export class RequestRecord {
  readonly startedAt: Instant
  readonly #target: TargetMetrics
  readonly #grpc: boolean
  #status: number | undefined
  #grpcStatus: string | undefined
  #latencyDone = false
  #ended = false

  constructor(target: TargetMetrics, options: { readonly grpc: boolean; readonly startedAt: Instant }) {
    this.#target = target
    this.#grpc = options.grpc
    this.startedAt = options.startedAt
  }

  /** The request's body is at its end or its first part was sent on. */
  dispatched(now: Instant): void {
    this.#target.request(now)
  }

  /** Response headers arrived. */
  head(status: number, grpcStatus?: string): void {
    this.#status = status
    this.#grpcStatus = grpcStatus
  }

  /** A part of the response's body arrived. */
  body(now: Instant): void {
    if (this.#latencyDone || this.#ended) return
    this.#latencyDone = true
    this.#target.latency(this.#status, now - this.startedAt, now)
  }

  /** The response is complete, or its reader went away in the middle (which counts as a normal end). */
  end(now: Instant, grpcStatus?: string): RecordEnd | undefined {
    if (this.#ended || this.#status === undefined) return undefined
    this.body(now)
    this.#ended = true
    this.#target.response(classify(this.#status, this.#grpc, grpcStatus ?? this.#grpcStatus), now)
    return { status: this.#status, error: undefined, at: now }
  }

  /** The body broke after the headers. */
  broken(now: Instant, error = 'unclassified'): RecordEnd | undefined {
    if (this.#ended || this.#status === undefined) return undefined
    this.body(now)
    this.#ended = true
    this.#target.response({ status: this.#status, success: false, error }, now)
    return { status: this.#status, error, at: now }
  }

  /** The service failed before there were headers. */
  fail(now: Instant, error = 'unclassified'): RecordEnd | undefined {
    if (this.#ended) return undefined
    this.#ended = true
    this.#target.latency(undefined, undefined, now)
    this.#target.response({ status: undefined, success: false, error }, now)
    return { status: undefined, error, at: now }
  }

  /** The client is gone. @returns the end it counts as; undefined when nothing is counted */
  abandoned(now: Instant): RecordEnd | undefined {
    if (this.#status === undefined) {
      this.#ended = true
      return undefined
    }
    return this.end(now)
  }

  /** The status that arrived; undefined before the headers. */
  get status(): number | undefined {
    return this.#status
  }

  /** Whether headers have arrived. */
  get headed(): boolean {
    return this.#status !== undefined
  }
}
