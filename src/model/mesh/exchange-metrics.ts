import type { ServicePort } from './cluster-view.ts'
import type { RouteSeries } from './outbound-stack.ts'
import { type LabelList, type ProxyMetrics, withLabels } from './proxy-metrics.ts'
import type { RecordEnd } from './record.ts'

/** Route labels of the families that have no `hostname`. */
export function withoutHost(labels: LabelList): LabelList {
  return labels.filter(([name]) => name !== 'hostname')
}

/** Counts the end of a request in the families by route. */
export function countRouteEnd(
  metrics: ProxyMetrics,
  series: RouteSeries,
  outcome: { readonly end: RecordEnd; readonly error: string; readonly ms: number; readonly retried: boolean }
): void {
  const { end, error, ms, retried } = outcome
  metrics.observe('outbound_http_route_request_duration_seconds', series.request, ms / 1000)
  metrics.add('outbound_http_route_request_statuses_total', withLabels(series.request, statusLabels(end.status, error)))
  if (retried && (end.status ?? 500) < 500) {
    metrics.add('outbound_http_route_retry_successes_total', withoutHost(series.request))
  }
}

/** Counts the end of one attempt in the families by backend. */
export function countBackendEnd(
  metrics: ProxyMetrics,
  series: RouteSeries,
  outcome: { readonly status: number | undefined; readonly error: string; readonly ms: number }
): void {
  metrics.observe('outbound_http_route_backend_response_duration_seconds', series.backend, outcome.ms / 1000)
  metrics.add(
    'outbound_http_route_backend_response_statuses_total',
    withLabels(series.backend, statusLabels(outcome.status, outcome.error))
  )
}

function statusLabels(status: number | undefined, error: string): LabelList {
  return [
    ['http_status', String(status ?? '')],
    ['error', error]
  ]
}

function profileLabels(service: ServicePort): LabelList {
  return [
    ['direction', 'outbound'],
    ['dst', `${service.name}.${service.namespace}.svc.cluster.local:${service.port}`]
  ]
}

/** Counts a request of a service that a profile governs. */
export function countProfileRequest(metrics: ProxyMetrics, service: ServicePort): void {
  const labels = profileLabels(service)
  metrics.add('route_request_total', labels)
  metrics.add('route_actual_request_total', labels)
  metrics.add('route_retryable_total', [...labels, ['skipped', 'no_budget']], 0)
  metrics.add('route_retryable_total', labels, 0)
}

/** Counts the end of a request of a service that a profile governs. */
export function countProfileEnd(
  metrics: ProxyMetrics,
  service: ServicePort,
  outcome: { readonly end: RecordEnd; readonly ms: number | undefined }
): void {
  const { end, ms } = outcome
  const labels = profileLabels(service)
  const status: LabelList = end.status === undefined ? [] : [['status_code', String(end.status)]]
  const success = end.error === undefined && (end.status ?? 500) < 500
  const verdict: LabelList = [
    ...status,
    ['classification', success ? 'success' : 'failure'],
    ['grpc_status', ''],
    ['error', end.error ?? '']
  ]
  metrics.observe('route_response_latency_ms', [...labels, ...status], ms === undefined ? undefined : Math.floor(ms))
  metrics.add('route_response_total', [...labels, ...verdict])
  metrics.add('route_actual_response_total', [...labels, ...verdict])
}
