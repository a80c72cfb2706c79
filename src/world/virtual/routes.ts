import type { ApiChange } from '../../kinds/index.ts'
import {
  ClusterView,
  type MeshEndpoint,
  type ObjectReader,
  pickRule,
  resolveAuthority,
  type RouteRule,
  type ServicePort,
  type WeightedBackend
} from '../../model/mesh/index.ts'

/** Who sends: a pod's app or a client outside the manifests. */
export interface VirtualClient {
  /** `namespace/name`. */
  readonly key: string
  readonly namespace: string
  /** Mesh identity; undefined: no proxy, hence no splits and no routes. */
  readonly identity: string | undefined
}

/** Requests that are all alike. */
export interface RequestClass {
  readonly method: string
  readonly url: URL
  /** Path of the URL, without query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A backend with the addresses behind it. */
export interface RoutedBackend {
  readonly service: ServicePort
  readonly weight: number
  /** The Service does not exist: its share is answered 500. */
  readonly missing: boolean
  readonly endpoints: readonly MeshEndpoint[]
}

/** Where requests of a class go. */
export type Destination =
  | { readonly kind: 'unresolved' }
  | { readonly kind: 'loopback'; readonly port: number }
  | { readonly kind: 'endpoint'; readonly endpoint: MeshEndpoint }
  | { readonly kind: 'unrouted' }
  | { readonly kind: 'service'; readonly backends: readonly RoutedBackend[]; readonly rule: RouteRule | undefined }

/** Changes of these (resources with their groups) may move traffic; pods matter through their Services' endpoints. */
const ROUTING: ReadonlyMap<string, readonly string[]> = new Map([
  ['services', ['']],
  ['endpointslices', ['discovery.k8s.io']],
  ['trafficsplits', ['split.smi-spec.io']],
  ['serviceprofiles', ['linkerd.io']],
  ['httproutes', ['gateway.networking.k8s.io', 'policy.linkerd.io']]
])

const SPLITTING: ReadonlySet<string> = new Set([
  'split.smi-spec.io',
  'linkerd.io',
  'gateway.networking.k8s.io',
  'policy.linkerd.io'
])

/** Finds where requests go, as the proxies of their clients would. */
export class Routes {
  readonly #view: ClusterView
  readonly #plain: ClusterView

  constructor(reader: ObjectReader) {
    this.#view = new ClusterView(reader)
    this.#plain = new ClusterView({
      list: (group, resource, namespace) => (SPLITTING.has(group) ? [] : reader.list(group, resource, namespace)),
      get: (group, resource, namespace, name) =>
        SPLITTING.has(group) ? undefined : reader.get(group, resource, namespace, name)
    })
  }

  /** Takes note of a stored change. @returns whether traffic may move */
  changed(change: Pick<ApiChange, 'group' | 'resource'>): boolean {
    if (ROUTING.get(change.resource)?.includes(change.group) !== true) return false
    this.#view.changed(change)
    this.#plain.changed(change)
    return true
  }

  /** Where requests of that class go now. */
  resolve(client: VirtualClient, request: RequestClass): Destination {
    const view = client.identity === undefined ? this.#plain : this.#view
    const authority = resolveAuthority(
      request.headers['host'] ?? request.url.host,
      client.namespace,
      (namespace, name) => view.hasService(namespace, name)
    )
    if (authority.kind === 'outside') return { kind: 'unresolved' }
    if (authority.kind === 'loopback') return { kind: 'loopback', port: authority.port }
    if (authority.kind === 'address') {
      const service = view.serviceByIp(authority.ip)
      if (service !== undefined) return this.#service(view, { ...service, port: authority.port }, client, request)
      const endpoint = view.podByIp(authority.ip, authority.port)
      return endpoint === undefined ? { kind: 'unresolved' } : { kind: 'endpoint', endpoint }
    }
    if (!view.hasService(authority.namespace, authority.name)) return { kind: 'unresolved' }
    const { namespace, name, port } = authority
    return this.#service(view, { namespace, name, port }, client, request)
  }

  #service(view: ClusterView, service: ServicePort, client: VirtualClient, request: RequestClass): Destination {
    const routing = view.routing(service, client.namespace)
    const own: WeightedBackend = { service, weight: 1, missing: false }
    if (routing.mode === 'profile') return this.#split(view, routing.backends, undefined)
    if (routing.rules.length === 0) return this.#split(view, [own], undefined)
    const { method, url, headers } = request
    const rule = pickRule(routing.rules, {
      method,
      target: `${url.pathname}${url.search}`,
      header: (name) => headers[name.toLowerCase()]
    })
    return rule === undefined ? { kind: 'unrouted' } : this.#split(view, rule.backends, rule)
  }

  #split(view: ClusterView, backends: readonly WeightedBackend[], rule: RouteRule | undefined): Destination {
    return {
      kind: 'service',
      rule,
      backends: backends.map((backend) => ({
        ...backend,
        endpoints: backend.missing ? [] : view.endpoints(backend.service)
      }))
    }
  }
}
