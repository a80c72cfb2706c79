import type { Canary, CustomMetadata, KubeObject } from '../../kinds/index.ts'
import { log, type Plan } from './effects.ts'
import { StepFailed, wrapped } from './failure.ts'
import { markUnmanagedByFlux } from './metadata.ts'
import {
  controllerReference,
  createObject,
  findObject,
  getObject,
  RESOURCES,
  updateObject,
  type Draft,
  type Failing
} from './objects.ts'
import { sameButEmpty, sameJson } from './same.ts'
import { fullName, namespaceOf, serviceNames } from './spec.ts'
import type { TargetMetadata } from './targets/target.ts'

const SERVICES = RESOURCES.services
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

interface ServicePort {
  name?: string
  protocol?: string
  port: number
  targetPort?: number | string
  appProtocol?: string
  nodePort?: number
}

interface ServiceSpec {
  type?: string
  selector?: Record<string, string>
  ports?: ServicePort[]
  clusterIP?: string
  trafficDistribution?: string
}

/**
 * Creates or corrects the canary's and the primary's Service; nothing for a Service target.
 * @see fluxcd/flagger pkg/router/kubernetes_default.go Initialize 1.44.0
 */
export function* reconcileWorkloadServices(canary: Canary, target: TargetMetadata): Plan<void> {
  if (canary.spec.targetRef.kind === 'Service') return
  const names = serviceNames(canary)
  const { service } = canary.spec
  yield* reconcileService(canary, { name: names.canary, value: target.value, metadata: service.canary, target })
  yield* reconcileService(canary, {
    name: names.primary,
    value: `${target.value}-primary`,
    metadata: service.primary,
    target
  })
}

/** Creates or corrects the apex Service, which selects the pods of one of the two. */
export function* reconcileApexService(
  canary: Canary,
  target: TargetMetadata,
  selected: 'primary' | 'canary'
): Plan<void> {
  if (canary.spec.targetRef.kind === 'Service') return
  const { apex } = serviceNames(canary)
  yield* reconcileService(canary, {
    name: apex,
    value: selected === 'primary' ? `${target.value}-primary` : target.value,
    metadata: canary.spec.service.apex,
    target
  })
}

/**
 * Gives a foreign apex Service its own selector back when the canary is deleted.
 * @see fluxcd/flagger pkg/router/kubernetes_default.go Finalize 1.44.0
 */
export function* finaliseApexService(canary: Canary, target: TargetMetadata): Plan<void> {
  if (canary.spec.targetRef.kind === 'Service') return
  const { apex } = serviceNames(canary)
  const namespace = namespaceOf(canary)
  const service = yield* getObject(SERVICES, namespace, apex, `service ${apex}.${namespace} get query error: `)
  if (canaryOwner(service) !== undefined) return
  const applied = service.metadata.annotations?.[LAST_APPLIED]
  if (applied === undefined)
    return yield* reconcileService(canary, { name: apex, value: target.value, metadata: undefined, target })
  const selector = storedSelector(applied, `router ${apex}.${namespace} failed to unMarshal annotation ${LAST_APPLIED}`)
  const draft = { ...service, spec: { ...(service.spec as object), selector } }
  yield* wrapped(`service ${apex} update error: `, updateObject(SERVICES, namespace, draft))
}

interface WantedService {
  readonly name: string
  /** Value of the selector label. */
  readonly value: string
  readonly metadata: CustomMetadata | undefined
  readonly target: TargetMetadata
}

const UNREADABLE: Failing = (name) => `service ${name} get query error: `

function reconcileService(canary: Canary, wanted: WantedService): Plan<void> {
  return wrapped('reconcileService failed: ', reconcile(canary, wanted))
}

function* reconcile(canary: Canary, wanted: WantedService): Plan<void> {
  const { name, target } = wanted
  const namespace = namespaceOf(canary)
  // The custom metadata of the canary in memory is changed in place, as upstream: a route built later in the same
  // tick shows the selector label when service.apex is set.
  if (wanted.metadata !== undefined) labelled(wanted.metadata, target.label, name)
  const existing = yield* findObject(SERVICES, namespace, name, UNREADABLE)
  if (existing !== undefined && wasRight(existing, canary, wanted)) return
  const metadata = wanted.metadata ?? labelled({}, target.label, name)
  const spec = wantedSpec(canary, wanted)
  if (existing === undefined) {
    const annotations = markUnmanagedByFlux(metadata.annotations ?? {})
    const draft = {
      metadata: {
        name,
        namespace,
        labels: metadata.labels ?? {},
        annotations,
        ownerReferences: [controllerReference(canary)]
      },
      spec
    }
    yield* wrapped(`service ${name}.${namespace} create error: `, createObject(SERVICES, namespace, draft))
    yield* log('info', `Service ${name}.${namespace} created`, fullName(canary))
    return
  }
  const corrected = correction(canary, existing, metadata, spec)
  if (corrected === undefined) return noteRight(existing, canary, wanted)
  yield* wrapped(`service ${name} update error: `, updateObject(SERVICES, namespace, corrected))
  yield* log('info', `Service ${name} updated`, fullName(canary))
}

/** Adds the selector label to custom metadata; changes and returns it. */
function labelled(metadata: CustomMetadata, label: string, name: string): CustomMetadata {
  metadata.labels = { ...metadata.labels, [label]: name }
  metadata.annotations ??= {}
  return metadata
}

/** What a Service was compared with and found to be right. */
interface RightFor {
  readonly spec: Canary['spec']
  readonly owner: string
  readonly wanted: WantedService
}

/** A Service that is right stays so as long as neither it nor what it is compared with changes. */
const rightServices = new WeakMap<KubeObject, RightFor>()

function noteRight(existing: KubeObject, { spec, metadata }: Canary, wanted: WantedService): void {
  if (Object.isFrozen(spec)) rightServices.set(existing, { spec, owner: metadata.name, wanted })
}

function wasRight(existing: KubeObject, { spec, metadata }: Canary, { value, target }: WantedService): boolean {
  const known = rightServices.get(existing)
  if (known === undefined || known.spec !== spec || known.owner !== metadata.name) return false
  const { wanted } = known
  return wanted.value === value && wanted.target.label === target.label && sameJson(wanted.target.ports, target.ports)
}

function wantedSpec(canary: Canary, { value, target }: WantedService): ServiceSpec {
  const { service } = canary.spec
  const { targetPort = 0 } = service
  const own: ServicePort = {
    name: service.portName || 'http',
    protocol: 'TCP',
    port: service.port,
    targetPort: String(targetPort) === '0' ? service.port : targetPort,
    ...(service.appProtocol ? { appProtocol: service.appProtocol } : {})
  }
  const discovered = Object.entries(target.ports)
    .map(([name, port]) => ({ name, protocol: 'TCP', port, targetPort: port }))
    .sort((left, right) => left.port - right.port)
  return {
    type: 'ClusterIP',
    selector: { [target.label]: value },
    ports: [own, ...discovered],
    ...(service.headless === true ? { clusterIP: 'None' } : {}),
    ...(service.trafficDistribution ? { trafficDistribution: service.trafficDistribution } : {})
  }
}

/** The existing Service as it should be; undefined when nothing has to change. */
function correction(
  canary: Canary,
  existing: KubeObject,
  metadata: CustomMetadata,
  wanted: ServiceSpec
): Draft | undefined {
  const present = (existing.spec ?? {}) as ServiceSpec
  const ports = withNodePorts(wanted.ports ?? [], present.ports ?? [])
  const differs =
    !sameJson(byPort(ports), byPort(present.ports ?? [])) || !sameButEmpty(wanted.selector, present.selector)
  const spec = differs ? { ...present, ports, selector: wanted.selector } : present
  let { labels = {}, annotations = {} } = existing.metadata
  let changed = differs
  if (canaryOwner(existing) === canary.metadata.name) {
    const { unmanagedMetadata } = canary.spec.service
    const wantedAnnotations = markUnmanagedByFlux(metadata.annotations ?? {})
    Object.assign(wantedAnnotations, picked(annotations, unmanagedMetadata?.annotations))
    const wantedLabels = Object.assign(metadata.labels ?? {}, picked(labels, unmanagedMetadata?.labels))
    changed ||= !sameJson(wantedAnnotations, annotations) || !sameJson(wantedLabels, labels)
    annotations = wantedAnnotations
    labels = wantedLabels
  }
  if (!changed) return undefined
  return {
    ...existing,
    metadata: { ...existing.metadata, labels, annotations: markUnmanagedByFlux({ ...annotations }) },
    spec
  }
}

/** Node ports are carried over by port name. */
function withNodePorts(wanted: readonly ServicePort[], present: readonly ServicePort[]): ServicePort[] {
  return wanted.map((port) => {
    const nodePort = present.find((other) => (other.name ?? '') === port.name)?.nodePort ?? 0
    return nodePort > 0 ? { ...port, nodePort } : port
  })
}

function byPort(ports: readonly ServicePort[]): ServicePort[] {
  return [...ports].sort((left, right) => left.port - right.port)
}

function picked(source: Readonly<Record<string, string>>, keys: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(Object.entries(source).filter(([key]) => keys.includes(key)))
}

/** Name of the Canary that controls an object. */
function canaryOwner(object: KubeObject): string | undefined {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true)
  return owner?.kind === 'Canary' ? owner.name : undefined
}

function storedSelector(text: string, error: string): Record<string, string> | undefined {
  try {
    return (JSON.parse(text) as { spec?: ServiceSpec }).spec?.selector
  } catch {
    throw new StepFailed(error)
  }
}
