import type { KubeObject } from '../../kinds/index.ts'
import { keepSame, keepSameItems } from './json.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue, attempt, write } from './plan.ts'
import { isPodFinished, isPodReady } from './pod-facts.ts'
import { createRequest, deleteRequest, updateRequest } from './requests.ts'
import { labelsInclude, selectorIsEmpty } from './selectors.ts'
import type { Pod, Service } from './shapes.ts'

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'

/** A port of a Service as one pod serves it. */
export interface EndpointPort {
  readonly name?: string
  readonly port: number
  readonly protocol: string
  readonly appProtocol?: string
}

/** A pod behind a Service. */
export interface Backend {
  readonly pod: Pod
  readonly ip: string
  readonly ports: readonly EndpointPort[]
}

/** Pods a Service selects that have an address and have not ended, in creation order. */
export function backendsOf(context: ReconcileContext, service: Service): Backend[] {
  const { selector } = service.spec
  if (selector === undefined || selectorIsEmpty({ matchLabels: selector })) return []
  const backends: Backend[] = []
  for (const pod of context.view.list('', 'pods', service.metadata.namespace) as readonly Pod[]) {
    const ip = pod.status?.podIP
    if (ip === undefined || isPodFinished(pod) || !labelsInclude(pod.metadata.labels, selector)) continue
    const ports = portsOf(service, pod)
    if (ports.length > 0 || (service.spec.ports ?? []).length === 0) backends.push({ pod, ip, ports })
  }
  return backends
}

/** Ports of Services that name no container's port, and so are the same of every pod; by the Service's spec, which is frozen. */
const portsOfAll = new WeakMap<Service['spec'], readonly EndpointPort[]>()

function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  const { spec } = service
  const known = portsOfAll.get(spec)
  if (known !== undefined) return known
  const ports = portsOn(service, pod)
  const named = spec.ports?.some((each) => typeof each.targetPort === 'string') === true
  if (!named && Object.isFrozen(spec)) portsOfAll.set(spec, ports)
  return ports
}

function portsOn(service: Service, pod: Pod): readonly EndpointPort[] {
  const ports: EndpointPort[] = []
  for (const each of service.spec.ports ?? []) {
    const protocol = each.protocol ?? 'TCP'
    const port = targetPort(each.targetPort ?? each.port, protocol, pod)
    if (port === undefined) continue
    ports.push({
      ...(each.name === undefined || each.name === '' ? {} : { name: each.name }),
      port,
      protocol,
      ...(each.appProtocol === undefined ? {} : { appProtocol: each.appProtocol })
    })
  }
  return ports
}

function targetPort(target: number | string, protocol: string, pod: Pod): number | undefined {
  if (typeof target === 'number') return target
  for (const container of pod.spec.containers) {
    const named = container.ports?.find((port) => port.name === target && (port.protocol ?? 'TCP') === protocol)
    if (named !== undefined) return named.containerPort
  }
  return undefined
}

/**
 * Keeps the (deprecated, still read) Endpoints of a Service.
 * @see kubernetes/pkg/controller/endpoint/endpoints_controller.go, v1.36
 */
export function* reconcileEndpoints(context: ReconcileContext, key: ObjectKey): Plan<Requeue> {
  const { view } = context
  const service = view.get('', 'services', key.namespace, key.name) as Service | undefined
  const existing = view.get('', 'endpoints', key.namespace, key.name)
  if (service === undefined) {
    if (existing?.metadata.labels?.[MANAGED_BY] !== undefined) yield attempt(deleteRequest(existing, 'endpoints'))
    return DONE
  }
  if (service.spec.selector === undefined || service.spec.type === 'ExternalName') return DONE
  const backends = backendsOf(context, service).filter(
    (backend) => backend.pod.metadata.deletionTimestamp === undefined
  )
  const before = existing?.['subsets'] as readonly object[] | undefined
  const subsets = keepSameItems(before, subsetsOf(service, backends))
  const labels = keepSame(existing?.metadata.labels, {
    ...service.metadata.labels,
    [MANAGED_BY]: 'endpoint-controller',
    ...headless(service)
  })
  if (existing === undefined) {
    const metadata = { name: key.name, labels }
    const created = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata,
      ...(subsets.length === 0 ? undefined : { subsets })
    }
    yield write(createRequest(created, { apiVersion: 'v1', resource: 'endpoints', namespace: key.namespace }))
    return DONE
  }
  const relabelled = existing.metadata.labels !== labels
  if (!relabelled && (before ?? NO_SUBSETS) === (subsets.length === 0 ? NO_SUBSETS : subsets)) return DONE
  const metadata = relabelled ? { ...existing.metadata, labels } : existing.metadata
  yield write(updateRequest(withSubsets({ ...existing, metadata }, subsets), 'endpoints'))
  return DONE
}

const NO_SUBSETS: readonly object[] = []

/** Endpoints with other subsets; without any, they have no such field. */
function withSubsets(endpoints: KubeObject, subsets: readonly object[]): KubeObject {
  if (subsets.length > 0) return { ...endpoints, subsets }
  const { subsets: _replaced, ...rest } = endpoints
  return rest
}

function headless(service: Service): Record<string, string> {
  return service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}
}

/** A reference to a pod as endpoints carry it. */
export function podReference(pod: Pod): Record<string, string | undefined> {
  const { name, namespace, uid } = pod.metadata
  return { kind: 'Pod', name, namespace, uid }
}

interface Subset {
  readonly ports: readonly EndpointPort[]
  readonly addresses: object[]
  readonly notReadyAddresses: object[]
}

/** Backends with the same ports share a subset; addresses are ordered by IP. */
function subsetsOf(service: Service, backends: readonly Backend[]): readonly object[] {
  const byPorts = new Map<string, Subset>()
  const ordered = backends.toSorted((a, b) => (a.ip < b.ip ? -1 : 1))
  for (const { pod, ip, ports } of ordered) {
    const key = portsKey(ports)
    const subset = byPorts.get(key) ?? { ports, addresses: [], notReadyAddresses: [] }
    byPorts.set(key, subset)
    const ready = isPodReady(pod) || service.spec.publishNotReadyAddresses === true
    const address = { ip, nodeName: pod.spec.nodeName, targetRef: podReference(pod) }
    if (ready) subset.addresses.push(address)
    else subset.notReadyAddresses.push(address)
  }
  return [...byPorts.values()].map(compactSubset)
}

/** Texts of port lists, which pods of one Service share. */
const portsKeys = new WeakMap<readonly EndpointPort[], string>()

/** A text that tells lists of ports apart. */
export function portsKey(ports: readonly EndpointPort[]): string {
  let key = portsKeys.get(ports)
  if (key === undefined) portsKeys.set(ports, (key = JSON.stringify(ports)))
  return key
}

function compactSubset(subset: Subset): object {
  return {
    ...(subset.addresses.length === 0 ? {} : { addresses: subset.addresses }),
    ...(subset.notReadyAddresses.length === 0 ? {} : { notReadyAddresses: subset.notReadyAddresses }),
    ...(subset.ports.length === 0 ? {} : { ports: subset.ports })
  }
}

/** Type guard for the few places that read an Endpoints' subsets. */
export function subsetsFrom(endpoints: KubeObject): readonly {
  readonly addresses?: readonly { readonly ip: string; readonly targetRef?: object; readonly nodeName?: string }[]
  readonly notReadyAddresses?: readonly { readonly ip: string }[]
  readonly ports?: readonly EndpointPort[]
}[] {
  return (endpoints['subsets'] ?? []) as ReturnType<typeof subsetsFrom>
}
