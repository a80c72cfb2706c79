import { draw } from '../../lib/random/index.ts'
import type { Instant, Scheduled } from '../../lib/time/index.ts'
import { type ProxyAnswer, proxyError } from './answers.ts'
import { Attempt, type OutboundAttempt } from './attempt.ts'
import type { BalancedEndpoint, Balancer, Waiter } from './balancer.ts'
import { isGrpc } from './classification.ts'
import type { MeshEndpoint, RouteIdentity, WeightedBackend } from './cluster-view.ts'
import { PeakEwma } from './ewma.ts'
import {
  countBackendEnd,
  countProfileEnd,
  countProfileRequest,
  countRouteEnd,
  withoutHost
} from './exchange-metrics.ts'
import { backendLabels, outboundTarget, parentLabels, routeLabels } from './labels.ts'
import type { OutboundStack, RouteSeries, StackContext } from './outbound-stack.ts'
import { type RecordEnd, RequestRecord } from './record.ts'
import { DEFAULT_ROUTE, type HeaderChange, pickRule, type RouteRule } from './route-rules.ts'

/** A request as the client's proxy gets it. */
export interface OutboundRequest {
  /** Identity of the request; draws are keyed by it. */
  readonly key: string
  readonly method: string
  /** Path with query. */
  readonly target: string
  /** What the client called: `host[:port]`. */
  readonly authority: string
  header(name: string): string | undefined
  /** Bytes of the body; absent: none. */
  readonly bodyBytes?: number
}

/** What the proxy asks of the one who carries the bytes. */
export interface OutboundSink {
  /** Send the request there. */
  forward(attempt: OutboundAttempt): void
  /** Give the client this answer; what is on its way to an endpoint is dropped. */
  respond(answer: ProxyAnswer): void
  /** The authority is no address of the cluster. */
  outside(host: string, port: number): void
  /** The authority is the client itself. */
  loopback(port: number): void
}

/** A request in the proxy. */
export interface OutboundExchange {
  /** The client is gone. */
  abandoned(now: Instant): void
}

/** A larger body is not kept for another attempt. */
const RETRY_BODY_BYTES_MAX = 65_536

/** First wait before another attempt; it doubles, and up to as much again is drawn on top. */
const RETRY_BACKOFF_MS = { least: 25, most: 250 }

const NO_CHANGE: HeaderChange = { set: {}, add: {}, remove: [] }

/** What an exchange is made of. */
export interface ExchangeOptions {
  readonly context: StackContext
  readonly request: OutboundRequest
  readonly sink: OutboundSink
  readonly stack: OutboundStack | undefined
}

/** One request through the client's proxy, over all its attempts. */
export class Exchange implements OutboundExchange {
  readonly #options: ExchangeOptions
  readonly #startedAt: Instant
  readonly #grpc: boolean
  #rule: RouteRule | undefined
  #profile = false
  #attempt: Attempt | undefined
  #waiting: { readonly balancer: Balancer; readonly waiter: Waiter } | undefined
  #timer: Scheduled | undefined
  #streamTimer: Scheduled | undefined
  #retryTimer: Scheduled | undefined
  #attempts = 0
  #done = false

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#startedAt = options.context.timeline.now()
    this.#grpc = isGrpc(options.request.header('content-type'))
    if (options.stack !== undefined) options.stack.inFlight += 1
  }

  start(): OutboundExchange {
    const { stack, request } = this.#options
    if (stack === undefined) return this
    const routing = stack.routing()
    if (routing.mode === 'profile') {
      this.#profile = true
      if (stack !== undefined) countProfileRequest(this.#options.context.metrics, stack.service)
      this.#dispatch(routing.backends)
      return this
    }
    if (routing.rules.length === 0) {
      this.#dispatch([{ service: stack.service, weight: 1, missing: false }])
      return this
    }
    this.#rule = pickRule(routing.rules, request)
    if (this.#rule === undefined) this.#reject(404, 'no route found for request', undefined, false)
    else {
      this.#armRequestTimeout(this.#rule)
      this.#dispatch(this.#rule.backends)
    }
    return this
  }

  /** A call by pod address: one endpoint, no balancer. */
  direct(endpoint: MeshEndpoint, now: Instant): OutboundExchange {
    const { metrics } = this.#options.context
    const target = metrics.target(outboundTarget(endpoint, undefined), now)
    const route = { group: '', kind: 'default', namespace: '', name: 'endpoint' }
    const parent = parentLabels(undefined, endpoint.port)
    const series = {
      request: [...parent, ...routeLabels(route), ['hostname', '']],
      backend: [...parent, ...routeLabels(route), ...backendLabels('unknown')]
    } as const
    metrics.add('outbound_http_route_backend_requests_total', series.backend)
    this.#forward({ endpoint, load: new PeakEwma(now), target }, series)
    return this
  }

  abandoned(now: Instant): void {
    if (this.#done) return
    if (this.#waiting !== undefined) this.#waiting.balancer.withdraw(this.#waiting.waiter)
    const end = this.#attempt?.abandon(now)
    if (end !== undefined && this.#attempt !== undefined) this.#count(this.#attempt.series, end, 'UNKNOWN')
    this.#close()
  }

  #route(): RouteIdentity {
    return this.#rule?.route ?? DEFAULT_ROUTE
  }

  #dispatch(backends: readonly WeightedBackend[]): void {
    const { stack, request, sink, context } = this.#options
    if (stack === undefined) return
    const chosen = stack.draw(backends, this.#attempts === 0 ? request.key : `${request.key} ${this.#attempts}`)
    if (chosen === 'closed') {
      this.#close()
      sink.respond({ status: 0, headers: {}, body: '', close: true })
      return
    }
    if (chosen === undefined) {
      this.#reject(503, `${this.#where()}: service unavailable`, 'LOAD_SHED', true)
      return
    }
    const series = stack.series(this.#route(), chosen.missing ? 'fail' : chosen.service)
    if (!this.#profile) context.metrics.add('outbound_http_route_backend_requests_total', series.backend)
    if (chosen.missing) {
      this.#inject(chosen, series)
      return
    }
    const balancer = stack.balancer(chosen.service)
    const waiter: Waiter = {
      key: `${request.key} ${this.#attempts}`,
      ready: (endpoint) => {
        this.#waiting = undefined
        this.#forward(endpoint, series)
      },
      failFast: () => {
        this.#waiting = undefined
        this.#failFast(chosen, series)
      }
    }
    this.#waiting = { balancer, waiter }
    balancer.enqueue(waiter, context.timeline.now())
  }

  #inject(chosen: WeightedBackend, series: RouteSeries): void {
    const now = this.#options.context.timeline.now()
    this.#count(series, { status: 500, error: undefined, at: now }, '')
    this.#reject(500, `Service not found ${chosen.service.name}`, undefined, false)
  }

  #failFast(chosen: WeightedBackend, series: RouteSeries): void {
    const { metrics } = this.#options.context
    if (!this.#profile) countBackendEnd(metrics, series, { status: undefined, error: 'FAIL_FAST', ms: 0 })
    const retry = this.#rule?.retry
    if (retry !== undefined && this.#attempts < retry.limit) {
      this.#retry()
      return
    }
    const name = `Service.${chosen.service.namespace}.${chosen.service.name}:${chosen.service.port}`
    const middle = this.#profile ? name : `backend ${name}: ${name}`
    this.#reject(504, `${this.#where()}: ${middle}: service in fail-fast`, 'FAIL_FAST', true)
  }

  #where(): string {
    const { stack, context } = this.#options
    const service = stack?.service
    if (service === undefined) return 'endpoint'
    if (this.#profile) return `logical service ${service.name}.${service.namespace}.svc.cluster.local:${service.port}`
    const ip = context.view.clusterIp(service.namespace, service.name) ?? `${service.name}.${service.namespace}`
    const route = this.#route()
    const named = route.kind === 'default' ? 'default.http' : `${route.kind}.${route.namespace}.${route.name}`
    return `logical service ${ip}:${service.port}: route ${named}`
  }

  #forward(endpoint: BalancedEndpoint, series: RouteSeries): void {
    const { sink, context } = this.#options
    const now = context.timeline.now()
    const record = new RequestRecord(endpoint.target, { grpc: this.#grpc, startedAt: now })
    endpoint.load.pending += 1
    const attempt: Attempt = new Attempt({
      endpoint,
      record,
      series,
      index: this.#attempts,
      headers: this.#rule?.requestHeaders ?? NO_CHANGE,
      events: {
        head: (status) => this.#headed(status),
        end: (end) => this.#ended(series, end),
        lost: (status, at) => this.#lost(endpoint.endpoint, series, { status, at }),
        next: () => this.#backOff()
      }
    })
    this.#attempt = attempt
    this.#armAttemptTimeout(attempt)
    sink.forward(attempt)
  }

  /** Whether an answer's headers go to the client. */
  #headed(status: number): boolean {
    const retry = this.#rule?.retry
    const again =
      retry !== undefined &&
      this.#attempts < retry.limit &&
      (this.#options.request.bodyBytes ?? 0) <= RETRY_BODY_BYTES_MAX &&
      retry.statuses.some(([low, high]) => status >= low && status <= high)
    // A retry's limit is for the headers alone; the others go on until the end of the stream.
    this.#retryTimer?.cancel()
    if (!again) return true
    return false
  }

  /** Waits before the next attempt; the answer that is dropped counts as over only then. */
  #backOff(): void {
    const { context, request } = this.#options
    const base = Math.min(RETRY_BACKOFF_MS.most, RETRY_BACKOFF_MS.least * 2 ** this.#attempts)
    const wait = base * (1 + draw(context.seed, this.#attempts, 'retry-backoff', request.key))
    const attempt = this.#attempt
    this.#retryTimer = context.timeline.at(context.timeline.now() + wait, () => {
      const now = context.timeline.now()
      if (attempt?.record.headed === true) {
        const status = attempt.drop(now)
        countBackendEnd(context.metrics, attempt.series, { status, error: '', ms: now - attempt.record.startedAt })
      }
      this.#retry()
    })
  }

  #retry(): void {
    if (this.#done || this.#rule === undefined) return
    const { metrics } = this.#options.context
    const series = this.#attempt?.series
    if (series !== undefined) metrics.add('outbound_http_route_retry_requests_total', withoutHost(series.request))
    this.#attempts += 1
    this.#attempt = undefined
    this.#dispatch(this.#rule.backends)
  }

  #ended(series: RouteSeries, end: RecordEnd): void {
    this.#count(series, end, end.error === undefined ? '' : 'UNKNOWN')
    this.#close()
  }

  #lost(endpoint: MeshEndpoint, series: RouteSeries, end: { readonly status: number; readonly at: Instant }): void {
    this.#count(series, { status: end.status, error: undefined, at: end.at }, '')
    const what = end.status === 504 ? 'client error (Connect)' : 'connection error'
    const message = `endpoint ${endpoint.ip}:${endpoint.port}: ${what}`
    this.#close()
    this.#options.sink.respond(proxyError(end.status, { message, fatal: true, grpc: this.#grpc }))
  }

  #armRequestTimeout(rule: RouteRule): void {
    const ms = rule.requestTimeoutMs
    if (ms === undefined) return
    const { timeline } = this.#options.context
    this.#timer = timeline.at(timeline.now() + ms, () => this.#timedOut(`request timeout: ${ms}ms`, 'REQUEST_TIMEOUT'))
  }

  #armAttemptTimeout(attempt: Attempt): void {
    const { timeline } = this.#options.context
    const retry = this.#rule?.retry
    const streamMs = this.#rule?.backendTimeoutMs
    this.#streamTimer?.cancel()
    this.#retryTimer?.cancel()
    if (streamMs !== undefined) {
      this.#streamTimer = timeline.at(timeline.now() + streamMs, () => {
        this.#timedOut(`response stream timeout: ${streamMs}ms`, 'RESPONSE_STREAM_TIMEOUT')
      })
    }
    // The per-attempt limit of a retry does not apply to the last attempt.
    if (retry?.timeoutMs === undefined || this.#attempts >= retry.limit) return
    this.#retryTimer = timeline.at(timeline.now() + retry.timeoutMs, () => {
      if (this.#done || attempt.record.headed) return
      const now = timeline.now()
      attempt.cut(now)
      const ms = now - attempt.record.startedAt
      countBackendEnd(this.#options.context.metrics, attempt.series, {
        status: undefined,
        error: 'RESPONSE_HEADERS_TIMEOUT',
        ms
      })
      this.#backOff()
    })
  }

  #timedOut(text: string, error: string): void {
    if (this.#done) return
    const now = this.#options.context.timeline.now()
    if (this.#waiting !== undefined) this.#waiting.balancer.withdraw(this.#waiting.waiter)
    const headed = this.#attempt?.record.headed === true
    const { metrics } = this.#options.context
    if (this.#attempt !== undefined) {
      this.#attempt.cut(now)
      const ms = now - this.#attempt.record.startedAt
      countBackendEnd(metrics, this.#attempt.series, { status: this.#attempt.record.status, error, ms })
    }
    if (headed) {
      this.#countCut(error)
      this.#close()
      this.#options.sink.respond({ status: 0, headers: {}, body: '', close: true })
      return
    }
    const backend = this.#attempt === undefined ? '' : `${this.#backendText()}: `
    this.#reject(504, `${this.#where()}: ${backend}timed out waiting for response headers: ${text}`, error, false)
  }

  /** A stream that the proxy cut off after its headers. */
  #countCut(error: string): void {
    const { context } = this.#options
    const attempt = this.#attempt
    if (attempt === undefined) return
    const now = context.timeline.now()
    const end = { status: attempt.record.status, error: undefined, at: now }
    countRouteEnd(context.metrics, attempt.series, { end, error, ms: now - this.#startedAt, retried: false })
  }

  #backendText(): string {
    const labels = new Map(this.#attempt?.series.backend)
    const name = `Service.${labels.get('backend_namespace')}.${labels.get('backend_name')}:${labels.get('backend_port')}`
    return `backend ${name}: ${name}`
  }

  /** The proxy answers itself. @param error - value of the route's `error` label; undefined: an ordinary status */
  #reject(status: number, message: string, error: string | undefined, fatal: boolean): void {
    const { context, sink, stack } = this.#options
    const { metrics } = context
    const kinds: Readonly<Record<string, string>> = { FAIL_FAST: 'failfast', LOAD_SHED: 'loadshed' }
    metrics.add('outbound_http_errors_total', [['error', kinds[error ?? ''] ?? 'unexpected']])
    if (stack !== undefined && !this.#profile && status !== 404) {
      const series = stack.series(this.#route(), 'fail').request
      const seconds = (context.timeline.now() - this.#startedAt) / 1000
      if (error !== undefined) {
        metrics.observe('outbound_http_route_request_duration_seconds', series, seconds)
        metrics.add('outbound_http_route_request_statuses_total', [...series, ['http_status', ''], ['error', error]])
      }
    }
    if (stack !== undefined && this.#profile) {
      const end = { status: undefined, error: 'unclassified', at: context.timeline.now() }
      countProfileEnd(metrics, stack.service, { end, ms: undefined })
    }
    this.#close()
    sink.respond(proxyError(status, { message, fatal, grpc: this.#grpc }))
  }

  /** Counts an end in the families by route. */
  #count(series: RouteSeries, end: RecordEnd, error: string): void {
    const { context, stack } = this.#options
    const ms = end.at - this.#startedAt
    if (this.#profile) {
      if (stack !== undefined) countProfileEnd(context.metrics, stack.service, { end, ms })
      return
    }
    countRouteEnd(context.metrics, series, { end, error, ms, retried: this.#attempts > 0 })
    countBackendEnd(context.metrics, series, { status: end.status, error, ms })
  }

  #close(): void {
    if (this.#done) return
    this.#done = true
    for (const timer of [this.#timer, this.#streamTimer, this.#retryTimer]) timer?.cancel()
    const { stack, context } = this.#options
    if (stack === undefined) return
    stack.inFlight -= 1
    stack.lastUsed = context.timeline.now()
  }
}
