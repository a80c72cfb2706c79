import type { KubeObject } from '../../kinds/index.ts'
import {
  type Backend,
  type EndpointPort,
  SERVICE_NAME,
  SLICE_CONTROLLER,
  SLICE_MANAGED_BY,
  type ServiceFacts,
  backendsOf,
  factsOf,
  groupByPorts,
  namedPorts,
  podReference,
  subsetsFrom
} from './endpoints.ts'
import { Wanted, keepSameItems } from './json.ts'
import { controllerReference } from './owners.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue, attempt, write } from './plan.ts'
import { isPodReady } from './pod-facts.ts'
import { createRequest, deleteRequest, updateRequest } from './requests.ts'
import type { Service } from './shapes.ts'

const MIRROR_CONTROLLER = 'endpointslicemirroring-controller.k8s.io'
/** Endpoints per slice, upstream's default. */
const MAX_ENDPOINTS = 100

interface WantedSlice {
  readonly ports: Wanted<readonly EndpointPort[]>
  readonly endpoints: readonly object[]
}

type Labels = Readonly<Record<string, string>>

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
  const facts = factsOf(service)
  const wanted = slicesFor(facts, backendsOf(context, facts))
  yield* syncSlices(context, service, { wanted, labels: facts.sliceLabels, owner: service })
  return DONE
}

/** Slices of a Service that one controller looks after, in a list of their own. */
function ownSlices(context: ReconcileContext, { namespace, name }: ObjectKey, manager: string): KubeObject[] {
  const own: KubeObject[] = []
  for (const slice of context.view.list('discovery.k8s.io', 'endpointslices', namespace)) {
    const { labels } = slice.metadata
    if (labels?.[SERVICE_NAME] === name && labels[SLICE_MANAGED_BY] === manager) own.push(slice)
  }
  return own
}

function* removeSlices(context: ReconcileContext, key: ObjectKey): Plan<void> {
  for (const manager of [SLICE_CONTROLLER, MIRROR_CONTROLLER]) {
    for (const slice of ownSlices(context, key, manager)) yield attempt(deleteRequest(slice, 'endpointslices'))
  }
}

function slicesFor({ service, slicePorts }: ServiceFacts, backends: readonly Backend[]): readonly WantedSlice[] {
  const slices: WantedSlice[] = []
  for (const group of groupByPorts(backends)) {
    const ports = slicePorts ?? new Wanted(namedPorts(group.ports))
    const endpoints = group.backends.map((backend) => endpointOf(service, backend))
    for (let from = 0; from < endpoints.length; from += MAX_ENDPOINTS)
      slices.push({ ports, endpoints: endpoints.slice(from, from + MAX_ENDPOINTS) })
  }
  return slices.length === 0 ? NO_BACKENDS : slices
}

const NO_BACKENDS: readonly WantedSlice[] = [{ ports: new Wanted([]), endpoints: [] }]

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
  options: { readonly wanted: readonly WantedSlice[]; readonly labels: Wanted<Labels>; readonly owner: KubeObject }
): Plan<void> {
  const { wanted, labels, owner } = options
  const unused = ownSlices(context, service.metadata, labels.value[SLICE_MANAGED_BY] ?? '')
  for (const { ports, endpoints } of wanted) {
    // An unchanged port list reuses its slice, as upstream does.
    const at = unused.findIndex((each) => ports.kept(contentOf(each).ports) === contentOf(each).ports)
    const existing = unused.splice(Math.max(0, at), 1)[0]
    if (existing === undefined) yield* createSlice(service, owner, { ports, endpoints, labels })
    else {
      const update = sliceUpdate(existing, { ports, endpoints, labels })
      if (update !== undefined) yield write(updateRequest(update, 'endpointslices'))
    }
  }
  for (const slice of unused) yield attempt(deleteRequest(slice, 'endpointslices'))
}

function withNamespace(object: KubeObject): { namespace?: string } {
  return object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }
}

function* createSlice(
  service: KubeObject,
  owner: KubeObject,
  slice: WantedSlice & { readonly labels: Wanted<Labels> }
): Plan<void> {
  const object = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      labels: slice.labels.value,
      ownerReferences: [controllerReference(owner)]
    },
    addressType: 'IPv4',
    endpoints: slice.endpoints,
    ports: slice.ports.value
  }
  const place = { apiVersion: 'discovery.k8s.io/v1', resource: 'endpointslices' }
  const response = yield attempt(createRequest(object, { ...place, ...withNamespace(service) }))
  // A namespace on its way out refuses new content; nothing is left to do for it.
  if (response.code >= 400 && response.code !== 403)
    yield write(createRequest(object, { ...place, ...withNamespace(service) }))
}

/** A stored slice as it has to be; undefined: it is. */
function sliceUpdate(
  existing: KubeObject,
  slice: WantedSlice & { readonly labels: Wanted<Labels> }
): KubeObject | undefined {
  const before = contentOf(existing)
  const ports = slice.ports.kept(before.ports)
  const endpoints = keepSameItems(before.endpoints, slice.endpoints)
  const labels = slice.labels.kept(existing.metadata.labels)
  const relabelled = labels !== existing.metadata.labels
  if (!relabelled && ports === before.ports && endpoints === before.endpoints) return undefined
  const metadata = relabelled ? { ...existing.metadata, labels } : existing.metadata
  return { ...existing, metadata, ports, endpoints }
}

/** What a stored slice has; without any it may lack the field. */
function contentOf(slice: KubeObject): {
  readonly ports: readonly EndpointPort[]
  readonly endpoints: readonly object[]
} {
  const { ports, endpoints } = slice as Partial<ReturnType<typeof contentOf>>
  return { ports: ports ?? NOTHING, endpoints: endpoints ?? NOTHING }
}

const NOTHING: readonly never[] = []

function* mirror(context: ReconcileContext, service: Service): Plan<Requeue> {
  const { name } = service.metadata
  const endpoints = context.view.get('', 'endpoints', service.metadata.namespace, name)
  const skipped = endpoints?.metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'] === 'true'
  if (endpoints === undefined || skipped) {
    yield* removeSlices(context, { ...withNamespace(service), name })
    return DONE
  }
  const wanted = subsetsFrom(endpoints).map((subset) => ({
    ports: new Wanted(namedPorts((subset.ports ?? []).map((port) => ({ ...port, protocol: port.protocol ?? 'TCP' })))),
    endpoints: [
      ...(subset.addresses ?? []).map((address) => ({ addresses: [address.ip], conditions: { ready: true } })),
      ...(subset.notReadyAddresses ?? []).map((address) => ({ addresses: [address.ip], conditions: { ready: false } }))
    ]
  }))
  const labels = new Wanted({
    ...endpoints.metadata.labels,
    [SERVICE_NAME]: name,
    [SLICE_MANAGED_BY]: MIRROR_CONTROLLER
  })
  yield* syncSlices(context, service, { wanted, labels, owner: endpoints })
  return DONE
}
