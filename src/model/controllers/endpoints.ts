import type { KubeObject } from '../../kinds/index.ts'
import { keptOfFrozen } from '../../lib/memory/index.ts'
import { Wanted, keepSameItems, sameJson, withText } from './json.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue, attempt, write } from './plan.ts'
import { isPodFinished, isPodReady } from './pod-facts.ts'
import { createRequest, deleteRequest, updateRequest } from './requests.ts'
import { labelsInclude, selectorIsEmpty } from './selectors.ts'
import type { Pod, Service } from './shapes.ts'

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
/** Label of what belongs to a Service without an address of its own. */
const HEADLESS = 'service.kubernetes.io/headless'
/** Label with the Service a slice belongs to. */
export const SERVICE_NAME = 'kubernetes.io/service-name'
/** Label with the controller a slice belongs to. */
export const SLICE_MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
/** The controller of Services with a selector. */
export const SLICE_CONTROLLER = 'endpointslice-controller.k8s.io'

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

/** What follows from a Service alone, and what was found with it last. */
export interface ServiceFacts {
  readonly service: Service
  readonly endpointsLabels: Wanted<Labels>
  readonly sliceLabels: Wanted<Labels>
  /** Ports of every pod alike; undefined: some are named as containers name theirs. */
  readonly ports: readonly EndpointPort[] | undefined
  /** Those as slices have them. */
  readonly slicePorts: Wanted<readonly EndpointPort[]> | undefined
  /** Pods of the namespace that were looked at last, and which of them are behind the Service. */
  pods: readonly Pod[] | undefined
  backends: readonly Backend[]
}

type Labels = Readonly<Record<string, string>>

/** Reads what follows from a Service; once, as long as it does not change. */
export const factsOf: (service: Service) => ServiceFacts = keptOfFrozen((service: Service): ServiceFacts => {
  const { labels, name } = service.metadata
  const endpointsLabels = withText(labels, MANAGED_BY, 'endpoint-controller')
  const sliceLabels = withText(withText(labels, SERVICE_NAME, name), SLICE_MANAGED_BY, SLICE_CONTROLLER)
  if (service.spec.clusterIP === 'None') endpointsLabels[HEADLESS] = sliceLabels[HEADLESS] = ''
  const named = service.spec.ports?.some((each) => typeof each.targetPort === 'string') === true
  const ports = named ? undefined : portsOn(service, undefined)
  return {
    service,
    endpointsLabels: new Wanted(endpointsLabels),
    sliceLabels: new Wanted(sliceLabels),
    ports,
    slicePorts: ports === undefined ? undefined : new Wanted(namedPorts(ports)),
    pods: undefined,
    backends: []
  }
})

/** Pods a Service selects that have an address and have not ended, in creation order. */
export function backendsOf(context: ReconcileContext, facts: ServiceFacts): readonly Backend[] {
  const { service } = facts
  const pods = context.view.list('', 'pods', service.metadata.namespace) as readonly Pod[]
  if (pods !== facts.pods) {
    facts.backends = readBackends(facts, pods)
    facts.pods = pods
  }
  return facts.backends
}

function readBackends({ service, ports: shared }: ServiceFacts, pods: readonly Pod[]): readonly Backend[] {
  const { selector } = service.spec
  const backends: Backend[] = []
  if (selector === undefined || selectorIsEmpty({ matchLabels: selector })) return backends
  for (const pod of pods) {
    const ip = pod.status?.podIP
    if (ip === undefined || isPodFinished(pod) || !labelsInclude(pod.metadata.labels, selector)) continue
    const ports = shared ?? portsOn(service, pod)
    if (ports.length > 0 || (service.spec.ports ?? []).length === 0) backends.push({ pod, ip, ports })
  }
  return backends
}

/** Ports as slices have them, which name a port without name by an empty text. */
export function namedPorts(ports: readonly EndpointPort[]): readonly EndpointPort[] {
  return ports.map((port) => (port.name === undefined ? { ...port, name: '' } : port))
}

/** Backends whose ports are the same. */
export interface PortGroup {
  readonly ports: readonly EndpointPort[]
  readonly backends: Backend[]
}

/** Backends by their ports, in the order in which these come. */
export function groupByPorts(backends: readonly Backend[]): readonly PortGroup[] {
  const groups: PortGroup[] = []
  for (const backend of backends) {
    let group = groups.find(({ ports }) => sameJson(ports, backend.ports))
    if (group === undefined) groups.push((group = { ports: backend.ports, backends: [] }))
    group.backends.push(backend)
  }
  return groups
}

/** @param pod - where ports that are named are looked for */
function portsOn(service: Service, pod: Pod | undefined): readonly EndpointPort[] {
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

function targetPort(target: number | string, protocol: string, pod: Pod | undefined): number | undefined {
  if (typeof target === 'number') return target
  for (const container of pod?.spec.containers ?? []) {
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
  const facts = factsOf(service)
  const before = existing?.['subsets'] as readonly object[] | undefined
  const subsets = keepSameItems(before, subsetsOf(service, backendsOf(context, facts)))
  const labels = facts.endpointsLabels.kept(existing?.metadata.labels)
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

/** A reference to a pod as endpoints carry it. */
export function podReference(pod: Pod): Record<string, string | undefined> {
  const { name, namespace, uid } = pod.metadata
  return { kind: 'Pod', name, namespace, uid }
}

interface Subset {
  addresses?: object[]
  notReadyAddresses?: object[]
  ports?: readonly EndpointPort[]
}

/** Backends with the same ports share a subset; addresses are ordered by IP. Pods on their way out are left out. */
function subsetsOf(service: Service, backends: readonly Backend[]): readonly Subset[] {
  const staying = backends.filter(({ pod }) => pod.metadata.deletionTimestamp === undefined)
  if (staying.length > 1) staying.sort((a, b) => (a.ip < b.ip ? -1 : 1))
  return groupByPorts(staying).map((group) => subsetOf(service, group))
}

function subsetOf(service: Service, { ports, backends }: PortGroup): Subset {
  const addresses: object[] = []
  const notReadyAddresses: object[] = []
  for (const { pod, ip } of backends) {
    const ready = isPodReady(pod) || service.spec.publishNotReadyAddresses === true
    const address = { ip, nodeName: pod.spec.nodeName, targetRef: podReference(pod) }
    if (ready) addresses.push(address)
    else notReadyAddresses.push(address)
  }
  const subset: Subset = {}
  if (addresses.length > 0) subset.addresses = addresses
  if (notReadyAddresses.length > 0) subset.notReadyAddresses = notReadyAddresses
  if (ports.length > 0) subset.ports = ports
  return subset
}

/** Type guard for the few places that read an Endpoints' subsets. */
export function subsetsFrom(endpoints: KubeObject): readonly {
  readonly addresses?: readonly { readonly ip: string; readonly targetRef?: object; readonly nodeName?: string }[]
  readonly notReadyAddresses?: readonly { readonly ip: string }[]
  readonly ports?: readonly EndpointPort[]
}[] {
  return (endpoints['subsets'] ?? []) as ReturnType<typeof subsetsFrom>
}
