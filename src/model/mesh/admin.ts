import type { Instant } from '../../lib/time/index.ts'
import type { ProxyAnswer } from './answers.ts'
import { ADMIN_PORT, type InboundProxy } from './inbound.ts'
import type { InboundPeer } from './labels.ts'
import type { ProxyMetrics } from './proxy-metrics.ts'

const LOCAL_ONLY: ReadonlySet<string> = new Set(['/proxy-log-level', '/shutdown', '/logs.json'])

/** A request to a proxy's admin server. */
export interface AdminRequest {
  readonly method: string
  /** Path without query. */
  readonly path: string
  readonly peer: InboundPeer
}

/** What the admin server needs. */
export interface AdminOptions {
  readonly inbound: InboundProxy
  readonly metrics: ProxyMetrics
  /** Whether the proxy has its certificate. */
  readonly ready: boolean
  /** Whether the request counts as inbound traffic. */
  readonly counted: boolean
}

/**
 * The proxy's admin server on port 4191. Its requests count as inbound traffic like any other: the scrape that is being
 * answered is in its own `request_total` and only the next one shows it in `response_total`.
 * @see linkerd2-proxy v2.366.0 linkerd/app/admin/src/server.rs
 */
export function answerAdmin(request: AdminRequest, options: AdminOptions, now: Instant): ProxyAnswer {
  const call = options.counted
    ? options.inbound.begin({ ...request, port: ADMIN_PORT, contentType: undefined }, now)
    : undefined
  call?.dispatched(now)
  const answer = adminAnswer(request.path, options, now)
  call?.head(answer.status)
  call?.end(now)
  return answer
}

function adminAnswer(path: string, options: AdminOptions, now: Instant): ProxyAnswer {
  if (path === '/metrics') return text(200, options.metrics.render(now))
  if (path === '/live') return text(200, 'live\n')
  if (path === '/ready') return options.ready ? text(200, 'ready\n') : text(503, 'not ready\n')
  if (path === '/env.json')
    return { status: 200, headers: { 'content-type': 'application/json' }, body: '{}', close: false }
  if (LOCAL_ONLY.has(path)) return text(403, 'Requests are only permitted from localhost.')
  return { status: 404, headers: {}, body: '', close: false }
}

function text(status: number, body: string): ProxyAnswer {
  return { status, headers: { 'content-type': 'text/plain' }, body, close: false }
}
