import type { MeshEndpoint, RouteIdentity, ServicePort } from './cluster-view.ts'
import type { LabelList } from './proxy-metrics.ts'

/** Who called: a mesh identity, or somebody without one. */
export interface InboundPeer {
  /** `<sa>.<ns>.serviceaccount.identity.linkerd.cluster.local`; absent: no mutual TLS. */
  readonly clientId?: string
}

/** Name the mesh gives a service account. */
export function meshIdentity(serviceAccount: string, namespace: string): string {
  return `${serviceAccount}.${namespace}.serviceaccount.identity.linkerd.cluster.local`
}

function targetLabels(ip: string, port: number): LabelList {
  const addr = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
  return [
    ['target_addr', addr],
    ['target_ip', ip],
    ['target_port', String(port)]
  ]
}

function tlsLabels(peer: InboundPeer): LabelList {
  return peer.clientId === undefined
    ? [
        ['tls', 'no_identity'],
        ['no_tls_reason', 'no_tls_from_remote']
      ]
    : [
        ['tls', 'true'],
        ['client_id', peer.clientId]
      ]
}

/** Labels of the default inbound policy: everything is allowed; probes have a route of their own. */
function serverLabels(key: Pick<InboundKey, 'port' | 'legacy'>): LabelList {
  const labels: LabelList = [
    ['srv_group', ''],
    ['srv_kind', 'default'],
    ['srv_name', 'all-unauthenticated']
  ]
  return key.legacy === true ? labels : [...labels, ['srv_port', String(key.port)]]
}

function permitLabels(probe: boolean): LabelList {
  return [
    ['route_group', ''],
    ['route_kind', 'default'],
    ['route_name', probe ? 'probe' : 'default'],
    ['authz_group', ''],
    ['authz_kind', 'default'],
    ['authz_name', probe ? 'probe' : 'all-unauthenticated']
  ]
}

/** Where and by whom a request came in. */
export interface InboundKey {
  readonly ip: string
  readonly port: number
  readonly peer: InboundPeer
  readonly probe: boolean
  /** What the client called, on proxies that say so (2.14, or the `unsafe` setting). */
  readonly authority?: string
  /** Labels of proxy 2.14: no `srv_port`. */
  readonly legacy?: boolean
}

/** Labels of inbound `request_total` and its companions. */
export function inboundTarget(key: InboundKey): LabelList {
  return [
    ['direction', 'inbound'],
    ...(key.authority === undefined ? [] : ([['authority', key.authority]] as const)),
    ...targetLabels(key.ip, key.port),
    ...tlsLabels(key.peer),
    ...serverLabels(key),
    ...permitLabels(key.probe)
  ]
}

/** Labels of `inbound_http_authz_allow_total`. */
export function authzLabels(key: InboundKey): LabelList {
  return [...targetLabels(key.ip, key.port), ...serverLabels(key), ...permitLabels(key.probe), ...tlsLabels(key.peer)]
}

/** Labels of `inbound_http_requests_total` and the other families by route. */
export function inboundRoute(key: InboundKey): LabelList {
  return [
    ['parent_group', ''],
    ['parent_kind', 'default'],
    ['parent_name', 'all-unauthenticated'],
    ['parent_port', String(key.port)],
    ['route_group', ''],
    ['route_kind', 'default'],
    ['route_name', key.probe ? 'probe' : 'default']
  ]
}

/** Labels of `inbound_http_errors_total`. */
export function inboundHttpError(key: InboundKey, error: string): LabelList {
  return [['error', error], ...targetLabels(key.ip, key.port), ...serverLabels(key)]
}

/** Labels of `inbound_tcp_errors_total`. */
export function inboundTcpError(key: InboundKey, error: string): LabelList {
  return [['error', error], ...targetLabels(key.ip, key.port)]
}

/** Labels of inbound `tcp_*` on the side of the client. */
export function inboundTcpSource(key: InboundKey): LabelList {
  return [
    ['direction', 'inbound'],
    ['peer', 'src'],
    ...targetLabels(key.ip, key.port),
    ...tlsLabels(key.peer),
    ...serverLabels(key)
  ]
}

/** Labels of inbound `tcp_*` on the side of the application. */
export const INBOUND_TCP_APP: LabelList = [
  ['direction', 'inbound'],
  ['peer', 'dst'],
  ['tls', 'no_identity'],
  ['no_tls_reason', 'loopback']
]

/** Labels of outbound `request_total` and its companions. @param backend - absent for calls by pod address */
export function outboundTarget(endpoint: MeshEndpoint, backend: ServicePort | undefined): LabelList {
  const labels: (readonly [string, string])[] = [['direction', 'outbound']]
  if (backend !== undefined)
    labels.push(['authority', `${backend.name}.${backend.namespace}.svc.cluster.local:${backend.port}`])
  labels.push(...targetLabels(endpoint.ip, endpoint.port))
  if (endpoint.identity === undefined) {
    labels.push(['tls', 'no_identity'], ['no_tls_reason', 'not_provided_by_service_discovery'])
  } else labels.push(['tls', 'true'], ['server_id', endpoint.identity])
  const destination: (readonly [string, string])[] = Object.entries(endpoint.labels)
  if (backend !== undefined) destination.push(['dst_namespace', backend.namespace], ['dst_service', backend.name])
  labels.push(...destination.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return labels
}

/** Labels of outbound `tcp_*` on the side of the endpoint. */
export function outboundTcpTarget(target: LabelList): LabelList {
  return [['direction', 'outbound'], ['peer', 'dst'], ...target.slice(1)]
}

/** Labels of outbound `tcp_*` on the side of the application. */
export function outboundTcpSource(ip: string, port: number): LabelList {
  return [
    ['direction', 'outbound'],
    ['peer', 'src'],
    ...targetLabels(ip, port),
    ['tls', 'no_identity'],
    ['no_tls_reason', 'loopback']
  ]
}

/** `parent_*` labels of a service, or of an address called directly. */
export function parentLabels(parent: ServicePort | undefined, port: number): LabelList {
  return [
    ['parent_group', parent === undefined ? '' : 'core'],
    ['parent_kind', parent === undefined ? 'default' : 'Service'],
    ['parent_namespace', parent?.namespace ?? ''],
    ['parent_name', parent?.name ?? 'endpoint'],
    ['parent_port', parent === undefined ? '' : String(port)],
    ['parent_section_name', '']
  ]
}

/** `route_*` labels. */
export function routeLabels(route: RouteIdentity): LabelList {
  return [
    ['route_group', route.group],
    ['route_kind', route.kind],
    ['route_namespace', route.namespace],
    ['route_name', route.name]
  ]
}

/** `backend_*` labels; a missing Service is the failing default backend. */
export function backendLabels(backend: ServicePort | 'fail' | 'unknown'): LabelList {
  const known = typeof backend !== 'string'
  return [
    ['backend_group', known ? 'core' : ''],
    ['backend_kind', known ? 'Service' : 'default'],
    ['backend_namespace', known ? backend.namespace : ''],
    ['backend_name', known ? backend.name : backend],
    ['backend_port', known ? String(backend.port) : ''],
    ['backend_section_name', '']
  ]
}
