import type { Instant } from '../../lib/time/index.ts'
import { isGrpc } from './classification.ts'
import {
  authzLabels,
  inboundHttpError,
  type InboundKey,
  type InboundPeer,
  inboundRoute,
  inboundTarget,
  INBOUND_TCP_APP,
  inboundTcpError,
  inboundTcpSource
} from './labels.ts'
import { type LabelList, type ProxyMetrics, type TargetMetrics, withLabels } from './proxy-metrics.ts'
import { type RecordEnd, RequestRecord } from './record.ts'

/** Port of the proxy's admin server. */
export const ADMIN_PORT = 4191

/** One pod's inbound proxy. */
export interface InboundOptions {
  readonly metrics: ProxyMetrics
  /** The pod's address, asked when a series is made. */
  readonly ip: () => string
  /** Whether a path of a port is one of the pod's HTTP probes. */
  readonly isProbe: (port: number, path: string) => boolean
  /** Whether admin and probe requests count, as they do since Linkerd 2.10. */
  readonly adminTraffic: boolean
  /** Whether series carry what the client called: proxy 2.14, or `LINKERD2_PROXY_INBOUND_METRICS_AUTHORITY_LABELS=unsafe`. */
  readonly authorityLabels?: boolean
  /** Labels and families of proxy 2.14 (stable-2.14). */
  readonly legacy?: boolean
  /** Listen address of the admin server, as its series show it; default `0.0.0.0`. */
  readonly adminAddress?: string
}

/** A request as the inbound proxy gets it. */
export interface InboundRequest {
  readonly port: number
  readonly method: string
  /** Path without query. */
  readonly path: string
  readonly contentType: string | undefined
  readonly peer: InboundPeer
  /** Host of the request (or the name a profile gave it), for proxies that label by it. */
  readonly authority?: string
}

interface Route {
  readonly key: InboundKey
  readonly target: TargetMetrics
  readonly authz: LabelList
  readonly route: LabelList
}

/**
 * The server side of the mesh: what a pod's proxy counts for the requests it passes to the application.
 * @see linkerd2-proxy v2.366.0 linkerd/app/inbound
 */
export class InboundProxy {
  readonly #options: InboundOptions
  readonly #routes = new Map<string, Route>()

  constructor(options: InboundOptions) {
    this.#options = options
  }

  /** Takes a request on; the caller reports what becomes of it. */
  begin(request: InboundRequest, now: Instant): InboundCall {
    const { metrics } = this.#options
    const probe =
      (request.method === 'GET' || request.method === 'HEAD') && this.#options.isProbe(request.port, request.path)
    const route = this.#route(request, probe, now)
    const grpc = isGrpc(request.contentType)
    const record = new RequestRecord(route.target, { grpc, startedAt: now })
    metrics.add('inbound_http_authz_allow_total', route.authz)
    if (request.port !== ADMIN_PORT && this.#options.legacy !== true)
      metrics.add('inbound_http_requests_total', route.route)
    return new InboundCall(record, route.key, route.route, metrics)
  }

  /** A client's connection opened (1) or closed (-1). */
  connection(port: number, peer: InboundPeer, change: 1 | -1): void {
    const key = { ip: this.#ipOf(port), port, peer, probe: false }
    countConnection(this.#options.metrics, inboundTcpSource(key), change)
  }

  /** The connection to the application opened (1) or closed (-1). */
  appConnection(change: 1 | -1): void {
    countConnection(this.#options.metrics, INBOUND_TCP_APP, change)
  }

  /** The authority label: none for the admin server and for numeric hosts, `:80` left out. */
  #authorityOf(request: InboundRequest): string | undefined {
    if (this.#options.authorityLabels !== true || request.port === ADMIN_PORT) return undefined
    const authority = request.authority?.replace(/:80$/, '')
    return authority === undefined || /^[\d.]+(:\d+)?$/.test(authority) ? undefined : authority
  }

  #ipOf(port: number): string {
    // The admin server's series carry its listen address verbatim.
    return port === ADMIN_PORT ? (this.#options.adminAddress ?? '0.0.0.0') : this.#options.ip()
  }

  #route(request: InboundRequest, probe: boolean, now: Instant): Route {
    const authority = this.#authorityOf(request)
    const id = `${request.port} ${request.peer.clientId ?? ''} ${probe} ${authority ?? ''}`
    const known = this.#routes.get(id)
    // An evicted target starts again at zero.
    if (known !== undefined) return { ...known, target: this.#options.metrics.target(inboundTargetOf(known), now) }
    const key: InboundKey = {
      ip: this.#ipOf(request.port),
      port: request.port,
      peer: request.peer,
      probe,
      ...(authority === undefined ? {} : { authority }),
      ...(this.#options.legacy === true ? { legacy: true } : {})
    }
    const labels = inboundTarget(key)
    targetLabels.set(key, labels)
    const route = {
      key,
      target: this.#options.metrics.target(labels, now),
      authz: authzLabels(key),
      route: inboundRoute(key)
    }
    this.#routes.set(id, route)
    return route
  }
}

const targetLabels = new WeakMap<InboundKey, LabelList>()

function inboundTargetOf(route: Route): LabelList {
  return targetLabels.get(route.key) ?? inboundTarget(route.key)
}

function countConnection(metrics: ProxyMetrics, labels: LabelList, change: 1 | -1): void {
  metrics.add('tcp_open_total', labels, change === 1 ? 1 : 0)
  metrics.add('tcp_open_connections', labels, change)
  metrics.add('tcp_read_bytes_total', labels, 0)
  metrics.add('tcp_write_bytes_total', labels, 0)
  if (change === -1) metrics.add('tcp_close_total', [...labels, ['errno', '']])
}

/** One request on its way through the inbound proxy. */
export class InboundCall {
  readonly #record: RequestRecord
  readonly #key: InboundKey
  readonly #route: LabelList
  readonly #metrics: ProxyMetrics

  constructor(record: RequestRecord, key: InboundKey, route: LabelList, metrics: ProxyMetrics) {
    this.#record = record
    this.#key = key
    this.#route = route
    this.#metrics = metrics
  }

  /** The request's body ended or its first part was sent. */
  dispatched(now: Instant): void {
    this.#record.dispatched(now)
  }

  /** The application's headers arrived. */
  head(status: number, grpcStatus?: string): void {
    this.#record.head(status, grpcStatus)
  }

  /** A part of the body arrived. */
  body(now: Instant): void {
    this.#record.body(now)
  }

  /** The response ended. */
  end(now: Instant, grpcStatus?: string): void {
    this.#finish(this.#record.end(now, grpcStatus))
  }

  /** The application broke off in the body. */
  broken(now: Instant): void {
    this.#metrics.add('inbound_tcp_errors_total', inboundTcpError(this.#key, 'i/o'), 0)
    this.#finish(this.#record.broken(now))
  }

  /** The client is gone. */
  abandoned(now: Instant): void {
    this.#finish(this.#record.abandoned(now))
  }

  /**
   * The application did not answer. Refused and reset are answers of the proxy that count (502), as a connect time-out
   * is (504); a connection closed in order is a failure of the service: 500, counted without a status.
   * @returns the status the client gets
   */
  failed(reason: 'refused' | 'reset' | 'closed' | 'connect-timeout', now: Instant): number {
    if (reason === 'closed') {
      this.#metrics.add('inbound_http_errors_total', inboundHttpError(this.#key, 'unexpected'))
      this.#metrics.add('inbound_tcp_errors_total', inboundTcpError(this.#key, 'i/o'))
      this.#finish(this.#record.fail(now))
      return 500
    }
    this.#metrics.add('inbound_tcp_errors_total', inboundTcpError(this.#key, 'i/o'))
    const status = reason === 'connect-timeout' ? 504 : 502
    this.#record.head(status)
    this.end(now)
    return status
  }

  #finish(end: RecordEnd | undefined): void {
    if (end === undefined || this.#key.port === ADMIN_PORT || this.#key.legacy === true) return
    const seconds = (end.at - this.#record.startedAt) / 1000
    this.#metrics.observe('inbound_http_request_duration_seconds', this.#route, seconds)
    this.#metrics.observe('inbound_http_response_duration_seconds', this.#route, seconds)
    this.#metrics.add('inbound_http_statuses_total', withLabels(this.#route, [['status', String(end.status ?? '')]]))
  }
}
