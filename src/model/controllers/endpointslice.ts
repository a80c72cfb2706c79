import type { KubeObject } from '../../kinds/index.ts'
import { type Backend, type EndpointPort, backendsOf, podReference, portsKey, subsetsFrom } from './endpoints.ts'
import { keepSame, keepSameItems, sameJson } from './json.ts'
import { controllerReference } from './owners.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue, attempt, write } from './plan.ts'
import { isPodReady } from './pod-facts.ts'
import { createRequest, deleteRequest, updateRequest } from './requests.ts'
import type { Service } from './shapes.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const SLICE_CONTROLLER = 'endpointslice-controller.k8s.io'
const MIRROR_CONTROLLER = 'endpointslicemirroring-controller.k8s.io'
/** Endpoints per slice, upstream's default. */
const MAX_ENDPOINTS = 100

interface WantedSlice {
  readonly ports: readonly EndpointPort[]
  readonly endpoints: readonly object[]
}

/**
 * Keeps the EndpointSlices of a Service, or mirrors hand-written Endpoints of one without selector.
 * @see kubernetes/pkg/controller/endpointslice and endpointslicemirroring, v1.36
 */
export function* reconcileEndpointSlices(context: ReconcileContext, key: ObjectKey): Plan<Requeue> {
  const { view } = context
  const service = view.get('', 'services', key.namespace, key.name) as Service | undefined
  if (service === undefined || service.spec.type === 'ExternalName') {
    yield* removeSlices(context, key)
    return DONE
  }
  if (service.spec.selector === undefined) return yield* mirror(context, service)
  const labels = {
    ...service.metadata.labels,
    [SERVICE_NAME]: key.name,
    [MANAGED_BY]: SLICE_CONTROLLER,
    ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {})
  }
  const wanted = slicesFor(service, backendsOf(context, service))
  yield* syncSlices(context, service, { wanted, labels, owner: service })
  return DONE
}

function ownSlices(context: ReconcileContext, service: ObjectKey, manager: string): readonly KubeObject[] {
  return context.view
    .list('discovery.k8s.io', 'endpointslices', service.namespace)
    .filter(
      ({ metadata }) => metadata.labels?.[SERVICE_NAME] === service.name && metadata.labels[MANAGED_BY] === manager
    )
}

function* removeSlices(context: ReconcileContext, key: ObjectKey): Plan<void> {
  for (const manager of [SLICE_CONTROLLER, MIRROR_CONTROLLER]) {
    for (const slice of ownSlices(context, key, manager)) yield attempt(deleteRequest(slice, 'endpointslices'))
  }
}

function slicesFor(service: Service, backends: readonly Backend[]): WantedSlice[] {
  const byPorts = new Map<string, { ports: readonly EndpointPort[]; endpoints: object[] }[]>()
  for (const backend of backends) {
    const key = portsKey(backend.ports)
    const slices = byPorts.get(key) ?? []
    byPorts.set(key, slices)
    let last = slices.at(-1)
    if (last === undefined || last.endpoints.length >= MAX_ENDPOINTS) {
      last = { ports: namedPorts(backend.ports), endpoints: [] }
      slices.push(last)
    }
    last.endpoints.push(endpointOf(service, backend))
  }
  const slices = [...byPorts.values()].flat()
  return slices.length === 0 ? [{ ports: [], endpoints: [] }] : slices
}

/** Ports as slices have them, which name a port without name by an empty text. */
function namedPorts(ports: readonly EndpointPort[]): readonly EndpointPort[] {
  return ports.map((port) => (port.name === undefined ? { ...port, name: '' } : port))
}

function endpointOf(service: Service, { pod, ip }: Backend): object {
  const serving = isPodReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating)
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating },
    nodeName: pod.spec.nodeName,
    targetRef: podReference(pod)
  }
}

function* syncSlices(
  context: ReconcileContext,
  service: KubeObject,
  options: {
    readonly wanted: readonly WantedSlice[]
    readonly labels: Readonly<Record<string, string>>
    readonly owner: KubeObject
  }
): Plan<void> {
  const { wanted, labels, owner } = options
  const key = { ...withNamespace(service), name: service.metadata.name }
  const unused = [...ownSlices(context, key, labels[MANAGED_BY] ?? '')]
  for (const slice of wanted) {
    // An unchanged port list reuses its slice, as upstream does.
    const at = Math.max(
      0,
      unused.findIndex((each) => sameJson(contentOf(each).ports, slice.ports))
    )
    const existing = unused.splice(at, 1)[0]
    if (existing === undefined) yield* createSlice(service, owner, { ...slice, labels })
    else yield* updateSlice(existing, { ...slice, labels })
  }
  for (const slice of unused) yield attempt(deleteRequest(slice, 'endpointslices'))
}

function withNamespace(object: KubeObject): { namespace?: string } {
  return object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }
}

function* createSlice(
  service: KubeObject,
  owner: KubeObject,
  slice: WantedSlice & { readonly labels: Readonly<Record<string, string>> }
): Plan<void> {
  const object = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      labels: slice.labels,
      ownerReferences: [controllerReference(owner)]
    },
    addressType: 'IPv4',
    endpoints: slice.endpoints,
    ports: slice.ports
  }
  const place = { apiVersion: 'discovery.k8s.io/v1', resource: 'endpointslices' }
  const response = yield attempt(createRequest(object, { ...place, ...withNamespace(service) }))
  // A namespace on its way out refuses new content; nothing is left to do for it.
  if (response.code >= 400 && response.code !== 403)
    yield write(createRequest(object, { ...place, ...withNamespace(service) }))
}

function* updateSlice(
  existing: KubeObject,
  slice: WantedSlice & { readonly labels: Readonly<Record<string, string>> }
): Plan<void> {
  const { ports: portsBefore, endpoints: endpointsBefore } = contentOf(existing)
  const ports = keepSame(portsBefore, slice.ports)
  const endpoints = keepSameItems(endpointsBefore, slice.endpoints)
  const labels = keepSame(existing.metadata.labels, slice.labels)
  const relabelled = labels !== existing.metadata.labels
  if (!relabelled && ports === portsBefore && endpoints === endpointsBefore) return
  const metadata = relabelled ? { ...existing.metadata, labels } : existing.metadata
  yield write(updateRequest({ ...existing, metadata, ports, endpoints }, 'endpointslices'))
}

/** What a stored slice has; without any it may lack the field. */
function contentOf(slice: KubeObject): WantedSlice {
  const { ports, endpoints } = slice as Partial<WantedSlice>
  return { ports: ports ?? [], endpoints: endpoints ?? [] }
}

function* mirror(context: ReconcileContext, service: Service): Plan<Requeue> {
  const { name } = service.metadata
  const endpoints = context.view.get('', 'endpoints', service.metadata.namespace, name)
  const skipped = endpoints?.metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'] === 'true'
  if (endpoints === undefined || skipped) {
    yield* removeSlices(context, { ...withNamespace(service), name })
    return DONE
  }
  const wanted = subsetsFrom(endpoints).map((subset) => ({
    ports: namedPorts((subset.ports ?? []).map((port) => ({ ...port, protocol: port.protocol ?? 'TCP' }))),
    endpoints: [
      ...(subset.addresses ?? []).map((address) => ({ addresses: [address.ip], conditions: { ready: true } })),
      ...(subset.notReadyAddresses ?? []).map((address) => ({ addresses: [address.ip], conditions: { ready: false } }))
    ]
  }))
  const labels = { ...endpoints.metadata.labels, [SERVICE_NAME]: name, [MANAGED_BY]: MIRROR_CONTROLLER }
  yield* syncSlices(context, service, { wanted, labels, owner: endpoints })
  return DONE
}
