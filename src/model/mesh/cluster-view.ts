import type { ApiChange, KubeObject } from '../../kinds/index.ts'
import { meshIdentity } from './labels.ts'
import { asArray, asRecord, asText } from './json.ts'
import { readRules, type RouteRule } from './route-rules.ts'

/** Reads stored objects; the API server is one. */
export interface ObjectReader {
  list(group: string, resource: string, namespace?: string): readonly KubeObject[]
  get(group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined
}

/** A Service and one of its ports. */
export interface ServicePort {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** One address behind a Service. */
export interface MeshEndpoint {
  readonly ip: string
  readonly port: number
  /** `namespace/name` of the pod; absent for addresses that are no pods. */
  readonly pod: string | undefined
  /** Mesh identity; absent: the pod has no proxy. */
  readonly identity: string | undefined
  /** `dst_*` labels of the pod. */
  readonly labels: Readonly<Record<string, string>>
}

/** What named a route, for labels and messages. */
export interface RouteIdentity {
  readonly group: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** A destination with its share. */
export interface WeightedBackend {
  readonly service: ServicePort
  readonly weight: number
  /** The Service does not exist: its share is answered 500. */
  readonly missing: boolean
}

/** Where a Service's traffic goes. */
export type ServiceRouting =
  /** A ServiceProfile (also one that an SMI TrafficSplit makes) overrides the destinations. */
  | { readonly mode: 'profile'; readonly backends: readonly WeightedBackend[] }
  /** HTTPRoutes, or the default route when there are no rules. */
  | { readonly mode: 'policy'; readonly rules: readonly RouteRule[] }

const PROXY_LABELS: Readonly<Record<string, string>> = {
  ReplicaSet: 'dst_replicaset',
  StatefulSet: 'dst_statefulset',
  DaemonSet: 'dst_daemonset',
  Job: 'dst_k8s_job'
}

/**
 * What the mesh's control plane tells its proxies, read from stored objects and remembered until one of them changes.
 * SMI TrafficSplits are read as the ServiceProfiles that Linkerd's adaptor makes of them.
 * @see linkerd2 edge-26.8.3 destination and policy controllers, linkerd-smi v0.2.7
 */
export class ClusterView {
  readonly #reader: ObjectReader
  readonly #endpoints = new Map<string, readonly MeshEndpoint[]>()
  readonly #routing = new Map<string, ServiceRouting>()
  readonly #listeners = new Set<() => void>()
  #version = 0

  constructor(reader: ObjectReader) {
    this.#reader = reader
  }

  /** Grows with every change that may matter to a proxy. */
  get version(): number {
    return this.#version
  }

  /** Calls back after a change that may matter; returns the way out. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes note of a stored change. */
  changed(change: Pick<ApiChange, 'group' | 'resource'>): void {
    const concerns = WATCHED.get(change.resource)?.get(change.group)
    if (concerns === undefined) return
    this.#version += 1
    // Emptying an empty map costs as much as emptying a full one.
    if (concerns.endpoints && this.#endpoints.size > 0) this.#endpoints.clear()
    if (concerns.routing && this.#routing.size > 0) this.#routing.clear()
    for (const listener of this.#listeners) listener()
  }

  /** Whether the Service exists. */
  hasService(namespace: string, name: string): boolean {
    return this.#reader.get('', 'services', namespace, name) !== undefined
  }

  /** The Service's cluster address; undefined when it has none (headless) or does not exist. */
  clusterIp(namespace: string, name: string): string | undefined {
    const ip = asText(asRecord(this.#reader.get('', 'services', namespace, name)?.spec)['clusterIP'])
    return ip === undefined || ip === 'None' || ip === '' ? undefined : ip
  }

  /** The Service of a cluster address. */
  serviceByIp(ip: string): { readonly namespace: string; readonly name: string } | undefined {
    const found = this.#reader.list('', 'services').find((service) => asRecord(service.spec)['clusterIP'] === ip)
    return found === undefined
      ? undefined
      : { namespace: found.metadata.namespace ?? 'default', name: found.metadata.name }
  }

  /** The endpoint of a pod address. */
  podByIp(ip: string, port: number): MeshEndpoint | undefined {
    const pod = this.#reader.list('', 'pods').find((candidate) => asRecord(candidate.status)['podIP'] === ip)
    return pod === undefined ? undefined : podEndpoint(pod, ip, port)
  }

  /** Ready endpoints of a Service's port, in the order of their slices. */
  endpoints(service: ServicePort): readonly MeshEndpoint[] {
    const key = `${service.namespace}/${service.name}:${service.port}`
    let endpoints = this.#endpoints.get(key)
    if (endpoints === undefined) {
      endpoints = this.#readEndpoints(service)
      this.#endpoints.set(key, endpoints)
    }
    return endpoints
  }

  /** Where the Service's traffic goes. @param clientNamespace - routes of another namespace apply to its own clients only */
  routing(service: ServicePort, clientNamespace: string): ServiceRouting {
    const key = `${service.namespace}/${service.name}:${service.port} ${clientNamespace}`
    let routing = this.#routing.get(key)
    if (routing === undefined) {
      const overrides = this.#overrides(service)
      routing =
        overrides.length > 0
          ? { mode: 'profile', backends: overrides }
          : { mode: 'policy', rules: readRules(this.#reader, service, clientNamespace) }
      this.#routing.set(key, routing)
    }
    return routing
  }

  /** The rules of HTTPRoutes, whatever overrides there are. */
  rules(service: ServicePort, clientNamespace: string): readonly RouteRule[] {
    const routing = this.routing(service, clientNamespace)
    return routing.mode === 'policy' ? routing.rules : readRules(this.#reader, service, clientNamespace)
  }

  #overrides(service: ServicePort): readonly WeightedBackend[] {
    const profile = this.#profileOverrides(service)
    const backends = profile.length > 0 ? profile : this.#splitOverrides(service)
    // The destination controller's weight 0 never reaches the proxy; all zero means no override at all.
    return backends.filter((backend) => backend.weight > 0)
  }

  #splitOverrides(service: ServicePort): readonly WeightedBackend[] {
    const split = this.#reader
      .list('split.smi-spec.io', 'trafficsplits', service.namespace)
      .find((candidate) => asRecord(candidate.spec)['service'] === service.name)
    return asArray(asRecord(split?.spec)['backends']).map((entry) => {
      const backend = asRecord(entry)
      return this.#backend(service, asText(backend['service']) ?? '', milliValue(backend['weight']))
    })
  }

  #profileOverrides(service: ServicePort): readonly WeightedBackend[] {
    const name = `${service.name}.${service.namespace}.svc.cluster.local`
    const profile = this.#reader.get('linkerd.io', 'serviceprofiles', service.namespace, name)
    return asArray(asRecord(profile?.spec)['dstOverrides']).map((entry) => {
      const override = asRecord(entry)
      const [backend = '', namespace] = (asText(override['authority']) ?? '').split(/[.:]/)
      return this.#backend(
        { ...service, namespace: namespace ?? service.namespace },
        backend,
        milliValue(override['weight'])
      )
    })
  }

  #backend(apex: ServicePort, name: string, weight: number): WeightedBackend {
    const service = { namespace: apex.namespace, name, port: apex.port }
    return { service, weight, missing: false }
  }

  #readEndpoints(service: ServicePort): readonly MeshEndpoint[] {
    const found: MeshEndpoint[] = []
    const stored = this.#reader.get('', 'services', service.namespace, service.name)
    const port = (stored?.spec as ServiceParts | undefined)?.ports?.find((candidate) => candidate.port === service.port)
    if (port === undefined) return found
    for (const slice of this.#reader.list('discovery.k8s.io', 'endpointslices', service.namespace))
      if (slice.metadata.labels?.['kubernetes.io/service-name'] === service.name)
        this.#addEndpoints(slice, port.name ?? '', found)
    return found
  }

  #addEndpoints(slice: KubeObject, portName: string, found: MeshEndpoint[]): void {
    const { ports, endpoints } = slice as KubeObject & SliceParts
    const number = ports?.find((candidate) => (candidate.name ?? '') === portName)?.port
    if (number === undefined) return
    for (const { addresses, conditions, targetRef } of endpoints ?? []) {
      if (conditions?.ready === false) continue
      const namespace = targetRef?.namespace ?? slice.metadata.namespace
      const pod = targetRef?.name === undefined ? undefined : this.#reader.get('', 'pods', namespace, targetRef.name)
      for (const ip of addresses ?? [])
        found.push(pod === undefined ? bareEndpoint(ip, number) : podEndpoint(pod, ip, number))
    }
  }
}

/** What is read of a Service's spec, as the API server lets it be stored. */
interface ServiceParts {
  readonly ports?: readonly { readonly name?: string; readonly port: number }[]
}

/** What is read of an EndpointSlice. */
interface SliceParts {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[]
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[]
    readonly conditions?: { readonly ready?: boolean }
    readonly targetRef?: { readonly name?: string; readonly namespace?: string }
  }[]
}

/** An address that is no pod's. */
function bareEndpoint(ip: string, port: number): MeshEndpoint {
  return { ip, port, pod: undefined, identity: undefined, labels: {} }
}

interface Concerns {
  readonly endpoints: boolean
  readonly routing: boolean
}

const ENDPOINTS: Concerns = { endpoints: true, routing: false }
const ROUTING: Concerns = { endpoints: false, routing: true }

/** What changes matter to, by resource and group. */
const WATCHED: ReadonlyMap<string, ReadonlyMap<string, Concerns>> = new Map([
  ['services', new Map([['', { endpoints: true, routing: true }]])],
  ['pods', new Map([['', ENDPOINTS]])],
  ['endpointslices', new Map([['discovery.k8s.io', ENDPOINTS]])],
  ['trafficsplits', new Map([['split.smi-spec.io', ROUTING]])],
  ['serviceprofiles', new Map([['linkerd.io', ROUTING]])],
  [
    'httproutes',
    new Map([
      ['gateway.networking.k8s.io', ROUTING],
      ['policy.linkerd.io', ROUTING]
    ])
  ]
])

/** Whether a pod has a proxy, by the annotation that injection leaves on it (or on its namespace). */
export function isMeshed(pod: KubeObject, namespace?: KubeObject): boolean {
  const own = pod.metadata.annotations?.['linkerd.io/inject']
  const inherited = namespace?.metadata.annotations?.['linkerd.io/inject']
  const mode = own ?? inherited
  return (
    mode === 'enabled' || mode === 'ingress' || pod.metadata.annotations?.['linkerd.io/proxy-version'] !== undefined
  )
}

/** A pod as an endpoint, with the labels the destination controller gives it. */
export function podEndpoint(pod: KubeObject, ip: string, port: number): MeshEndpoint {
  let facts = factsOfPods.get(pod)
  if (facts === undefined) factsOfPods.set(pod, (facts = podFacts(pod)))
  const { pod: key, identity, labels } = facts
  return { ip, port, pod: key, identity, labels }
}

/** Stored pods do not change: what was read of one holds as long as it does. */
const factsOfPods = new WeakMap<KubeObject, Omit<MeshEndpoint, 'ip' | 'port'>>()

function podFacts(pod: KubeObject): Omit<MeshEndpoint, 'ip' | 'port'> {
  const namespace = pod.metadata.namespace ?? 'default'
  const labels = pod.metadata.labels ?? {}
  const account = asText(asRecord(pod.spec)['serviceAccountName']) ?? 'default'
  const meshed = labels['linkerd.io/control-plane-ns'] !== undefined || isMeshed(pod)
  const destination: Record<string, string> = {
    dst_pod: pod.metadata.name,
    dst_serviceaccount: account,
    dst_zone: ''
  }
  const hash = labels['pod-template-hash']
  if (hash !== undefined) destination['dst_pod_template_hash'] = hash
  if (meshed) destination['dst_control_plane_ns'] = labels['linkerd.io/control-plane-ns'] ?? 'linkerd'
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
  const deployment = labels['linkerd.io/proxy-deployment'] ?? deploymentOf(owner?.kind, owner?.name, hash)
  if (deployment !== undefined) destination['dst_deployment'] = deployment
  else if (owner !== undefined) destination[PROXY_LABELS[owner.kind] ?? 'dst_replicaset'] = owner.name
  return {
    pod: `${namespace}/${pod.metadata.name}`,
    identity: meshed ? meshIdentity(account, namespace) : undefined,
    labels: destination
  }
}

function deploymentOf(
  kind: string | undefined,
  name: string | undefined,
  hash: string | undefined
): string | undefined {
  if (kind !== 'ReplicaSet' || name === undefined || hash === undefined) return undefined
  return name.endsWith(`-${hash}`) ? name.slice(0, -hash.length - 1) : undefined
}

/** A weight as SMI writes it: an integer or a quantity (`500m`, `1`). */
function milliValue(weight: unknown): number {
  if (typeof weight === 'number') return weight * 1000
  const text = asText(weight) ?? '0'
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000
}
