import { metricLabel, type StatResource } from './resource.ts'
import type { StatRequest } from './request.ts'

/** Which figure a query gives. */
export type Figure = 'requests' | 'p50' | 'p95' | 'p99'

/** The queries of a request and the labels by which their series name a resource: namespace (where it has one), name. */
export interface StatQueries {
  readonly namespaceLabel: string | undefined
  readonly nameLabel: string
  readonly expressions: Readonly<Record<Figure, string>>
}

type Matchers = readonly (readonly [label: string, operator: '=' | '=~', value: string])[]

/**
 * Queries of workloads, pods and namespaces: inbound series of the resource itself; with `--to` its outbound series, with
 * `--from` the outbound series of the client, named by the destination's labels.
 * @see linkerd2 edge-26.8.3 viz/metrics-api/stat_summary.go buildRequestLabels, viz/pkg/prometheus/prometheus.go
 */
export function resourceQueries(request: StatRequest): StatQueries {
  const { resource, outbound, window } = request
  if (outbound === undefined) {
    return build([...sourceMatchers(resource), ['direction', '=', 'inbound']], groupLabels(resource, ''), window)
  }
  const own: Matchers =
    outbound.side === 'to'
      ? [...destinationMatchers(outbound.resource), ...sourceMatchers(resource)]
      : [...sourceMatchers(outbound.resource), ...destinationMatchers(resource)]
  const group = groupLabels(resource, outbound.side === 'to' ? '' : 'dst_')
  return build([...own, ['direction', '=', 'outbound']], group, window)
}

/**
 * Queries of Services: outbound series of all clients whose authority is the Service, named by where they went.
 * @see linkerd2 edge-26.8.3 viz/metrics-api/stat_summary.go buildServiceRequestLabels, getServiceMetrics
 */
export function serviceQueries(request: StatRequest): StatQueries {
  const { resource, window } = request
  const authority = `^${resource.name === '' ? '.+' : resource.name}.${resource.namespace}.svc.cluster.local.*`
  const matchers: Matchers = [
    ...outboundMatchers(request),
    ['direction', '=', 'outbound'],
    ['authority', '=~', authority]
  ]
  return build(matchers, { namespaceLabel: 'dst_namespace', nameLabel: 'dst_service' }, window)
}

/**
 * Queries of a TrafficSplit: outbound series of all clients to the Services it splits to. Proxies name the leaf in
 * `dst_service`; the apex stands in `authority` only in those before 2.12, so it is not asked for.
 * @see linkerd2 stable-2.9.5 controller/api/public/stat_summary.go getTrafficSplitMetrics
 */
export function splitQueries(request: StatRequest, namespace: string, leaves: readonly string[]): StatQueries {
  const matchers: Matchers = [
    ...outboundMatchers(request),
    ['direction', '=', 'outbound'],
    ['dst_namespace', '=', namespace],
    ['dst_service', '=~', leaves.map(escapeRegex).join('|')]
  ]
  return build(matchers, { namespaceLabel: undefined, nameLabel: 'dst_service' }, request.window)
}

function outboundMatchers({ outbound }: StatRequest): Matchers {
  if (outbound === undefined) return []
  return outbound.side === 'to' ? destinationMatchers(outbound.resource) : sourceMatchers(outbound.resource)
}

function sourceMatchers({ type, name, namespace }: StatResource): Matchers {
  const own: Matchers = name === '' || type === 'service' ? [] : [[metricLabel(type), '=', name]]
  return type === 'namespace' || namespace === '' ? own : [...own, ['namespace', '=', namespace]]
}

function destinationMatchers({ type, name, namespace }: StatResource): Matchers {
  if (name === '') return []
  const own: Matchers = [[`dst_${metricLabel(type)}`, '=', name]]
  return type === 'namespace' || namespace === '' ? own : [...own, ['dst_namespace', '=', namespace]]
}

type GroupLabels = Pick<StatQueries, 'namespaceLabel' | 'nameLabel'>

function groupLabels({ type }: StatResource, prefix: string): GroupLabels {
  if (type === 'namespace') return { namespaceLabel: undefined, nameLabel: `${prefix}namespace` }
  return { namespaceLabel: `${prefix}namespace`, nameLabel: `${prefix}${metricLabel(type)}` }
}

function build(matchers: Matchers, group: GroupLabels, window: string): StatQueries {
  const terms = matchers.map(([label, operator, value]) => `${label}${operator}${JSON.stringify(value)}`)
  const selector = `{${[...new Set(terms)].toSorted().join(', ')}}`
  const by = [...(group.namespaceLabel === undefined ? [] : [group.namespaceLabel]), group.nameLabel].join(', ')
  const quantile = (share: string): string =>
    `histogram_quantile(${share}, sum(irate(response_latency_ms_bucket${selector}[${window}])) by (le, ${by}))`
  return {
    ...group,
    expressions: {
      requests: `sum(increase(response_total${selector}[${window}])) by (${by}, classification, tls)`,
      p50: quantile('0.5'),
      p95: quantile('0.95'),
      p99: quantile('0.99')
    }
  }
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[^\w-]/g, '\\$&')
}
