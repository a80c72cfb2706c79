import { draw } from '../../lib/random/index.ts'
import type { Instant, Scheduled, Timeline } from '../../lib/time/index.ts'
import type { MeshEndpoint, ServicePort } from './cluster-view.ts'
import { PeakEwma } from './ewma.ts'
import { outboundTarget, outboundTcpTarget } from './labels.ts'
import type { LabelList, ProxyMetrics, TargetMetrics } from './proxy-metrics.ts'

/** How long a request may wait for an endpoint before its backend fails fast. */
export const FAILFAST_MS = 3000

/** An endpoint inside a balancer. */
export interface BalancedEndpoint {
  readonly endpoint: MeshEndpoint
  readonly load: PeakEwma
  readonly target: TargetMetrics
}

/** A request that waits for an endpoint. */
export interface Waiter {
  readonly key: string
  ready(endpoint: BalancedEndpoint): void
  failFast(): void
}

/** What a balancer is made with. */
export interface BalancerOptions {
  readonly backend: ServicePort
  readonly metrics: ProxyMetrics
  readonly timeline: Timeline
  readonly seed: number
  /** `parent_*` and `backend_*` labels of its gauges. */
  readonly labels: LabelList
  /** Whether an endpoint's proxy can be reached; a meshed endpoint that cannot leaves the balancer. */
  readonly alive: (endpoint: MeshEndpoint) => boolean
}

/**
 * The endpoints of one backend as one client's proxy sees them: power of two choices over peak-EWMA, a queue, and the
 * gate that shuts when the first in the queue has waited three seconds.
 * @see linkerd2-proxy v2.366.0 linkerd/pool/p2c, linkerd/proxy/balance/queue
 */
export class Balancer {
  readonly #options: BalancerOptions
  #endpoints: BalancedEndpoint[] = []
  #queue: Waiter[] = []
  #timer: Scheduled | undefined
  #shut = false

  constructor(options: BalancerOptions) {
    this.#options = options
    const { metrics, labels } = options
    for (const state of ['pending', 'ready'])
      metrics.set('outbound_http_balancer_endpoints', [['endpoint_state', state], ...labels], 0)
    metrics.set('outbound_http_balancer_p2c_endpoints', labels, 0)
    for (const op of ['Add', 'Remove', 'Reset'])
      metrics.add('outbound_http_balancer_p2c_updates_total', [['op', op], ...labels], 0)
    metrics.set('outbound_http_balancer_queue_length', labels, 0)
    metrics.add('outbound_http_balancer_queue_requests_total', labels, 0)
    metrics.add('outbound_http_balancer_queue_gate_open_total', labels, 1)
    metrics.add('outbound_http_balancer_queue_gate_shut_total', labels, 0)
  }

  /** Whether it takes requests; a shut gate passes its share on to others. */
  get open(): boolean {
    return !this.#shut
  }

  /** Takes over the endpoints the control plane names, keeping what is known of those that stay. */
  update(endpoints: readonly MeshEndpoint[], now: Instant): void {
    const known = new Map(this.#endpoints.map((entry) => [addressOf(entry.endpoint), entry]))
    const first = this.#endpoints.length === 0
    this.#endpoints = endpoints.filter(this.#options.alive).map((endpoint) => {
      const entry = known.get(addressOf(endpoint))
      known.delete(addressOf(endpoint))
      return entry ?? this.#added(endpoint, now, !first)
    })
    for (const gone of known.values()) this.#removed(gone)
    const { metrics, labels } = this.#options
    metrics.set('outbound_http_balancer_endpoints', [['endpoint_state', 'ready'], ...labels], this.#endpoints.length)
    const pending = endpoints.length - this.#endpoints.length
    metrics.set('outbound_http_balancer_endpoints', [['endpoint_state', 'pending'], ...labels], pending)
    metrics.set('outbound_http_balancer_p2c_endpoints', labels, this.#endpoints.length)
    if (first && this.#endpoints.length > 0)
      metrics.add('outbound_http_balancer_p2c_updates_total', [['op', 'Reset'], ...labels])
    if (this.#endpoints.length > 0) this.#flush(now)
  }

  /** Gives a request its endpoint, now or when one comes. */
  enqueue(waiter: Waiter, now: Instant): void {
    this.#options.metrics.add('outbound_http_balancer_queue_requests_total', this.#options.labels)
    const endpoint = this.#pick(waiter.key, now)
    if (endpoint !== undefined) {
      waiter.ready(endpoint)
      return
    }
    this.#queue.push(waiter)
    this.#timer ??= this.#options.timeline.at(now + FAILFAST_MS, () => this.#failFast())
  }

  /** A waiting request whose client is gone. */
  withdraw(waiter: Waiter): void {
    this.#queue = this.#queue.filter((candidate) => candidate !== waiter)
    if (this.#queue.length > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** The proxy drops the balancer (idle). */
  close(): void {
    for (const entry of this.#endpoints) this.#removed(entry)
    this.#endpoints = []
    const { metrics, labels } = this.#options
    for (const state of ['pending', 'ready'])
      metrics.set('outbound_http_balancer_endpoints', [['endpoint_state', state], ...labels], 0)
  }

  #pick(key: string, now: Instant): BalancedEndpoint | undefined {
    const count = this.#endpoints.length
    if (count <= 1) return this.#endpoints[0]
    const { seed, backend } = this.#options
    const first = Math.floor(draw(seed, 0, 'p2c', backend.name, key) * count)
    const offset = 1 + Math.floor(draw(seed, 1, 'p2c', backend.name, key) * (count - 1))
    const left = this.#endpoints[first]
    const right = this.#endpoints[(first + offset) % count]
    if (left === undefined || right === undefined) return left ?? right
    return left.load.load(now) <= right.load.load(now) ? left : right
  }

  #flush(now: Instant): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#shut) {
      this.#shut = false
      this.#options.metrics.add('outbound_http_balancer_queue_gate_open_total', this.#options.labels)
    }
    const waiting = this.#queue
    this.#queue = []
    for (const waiter of waiting) {
      const endpoint = this.#pick(waiter.key, now)
      if (endpoint !== undefined) waiter.ready(endpoint)
    }
  }

  #failFast(): void {
    this.#timer = undefined
    this.#shut = true
    this.#options.metrics.add('outbound_http_balancer_queue_gate_shut_total', this.#options.labels)
    const waiting = this.#queue
    this.#queue = []
    for (const waiter of waiting) waiter.failFast()
  }

  #added(endpoint: MeshEndpoint, now: Instant, later: boolean): BalancedEndpoint {
    const { metrics, backend, labels } = this.#options
    const targetLabels = outboundTarget(endpoint, backend)
    const target = metrics.target(targetLabels, now)
    target.holders += 1
    // A meshed endpoint's connection is part of its readiness: it is opened before the first request.
    const connection = outboundTcpTarget(targetLabels)
    metrics.add('tcp_open_total', connection, endpoint.identity === undefined ? 0 : 1)
    metrics.add('tcp_open_connections', connection, endpoint.identity === undefined ? 0 : 1)
    metrics.add('tcp_read_bytes_total', connection, 0)
    metrics.add('tcp_write_bytes_total', connection, 0)
    if (later) metrics.add('outbound_http_balancer_p2c_updates_total', [['op', 'Add'], ...labels])
    return { endpoint, load: new PeakEwma(now), target }
  }

  #removed(entry: BalancedEndpoint): void {
    entry.target.holders -= 1
    const { metrics, backend, labels } = this.#options
    const connection = outboundTcpTarget(outboundTarget(entry.endpoint, backend))
    if (entry.endpoint.identity !== undefined) {
      metrics.add('tcp_open_connections', connection, -1)
      metrics.add('tcp_close_total', [...connection, ['errno', '']])
    }
    metrics.add('outbound_http_balancer_p2c_updates_total', [['op', 'Remove'], ...labels])
  }
}

function addressOf(endpoint: MeshEndpoint): string {
  return `${endpoint.ip}:${endpoint.port} ${endpoint.pod ?? ''}`
}
