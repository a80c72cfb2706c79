import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { StepFailed, wrapped } from '../failure.ts'
import {
  controllerReference,
  createObject,
  findObject,
  getObject,
  updateObject,
  type Failing,
  type Resource
} from '../objects.ts'
import { sameJson } from '../same.ts'
import { fullName, namespaceOf, serviceNames } from '../spec.ts'
import { nothingToFinalise, type Router, type RouterContext, type Routes } from './router.ts'

/** Versions of the TrafficSplit API; the first writes weights as quantities. */
export type SmiVersion = 'v1alpha1' | 'v1alpha2' | 'v1alpha3'

interface TrafficSplitSpec {
  service?: string
  backends?: { service: string; weight: number | string }[]
}

/**
 * SMI TrafficSplit, as Linkerd (v1alpha1) and OSM (v1alpha2) use it.
 * @see fluxcd/flagger pkg/router/smi.go, smi_v1alpha2.go, smi_v1alpha3.go 1.44.0
 */
export function smiRouter(version: SmiVersion): (context: RouterContext) => Router {
  const spec = `smi/${version}.TrafficSplitSpec` as const
  const kind: Resource = { group: 'split.smi-spec.io', version, plural: 'trafficsplits', kind: 'TrafficSplit', spec }
  return ({ provider }) => ({
    reportsMirroring: false,
    reconcile: (canary) => reconcile(kind, provider, canary),
    getRoutes: (canary) => getRoutes(kind, canary),
    setRoutes: (canary, routes) => setRoutes(kind, canary, routes),
    finalise: nothingToFinalise
  })
}

function backends(
  kind: Resource,
  canary: Canary,
  routes: Omit<Routes, 'mirrored'>
): NonNullable<TrafficSplitSpec['backends']> {
  const names = serviceNames(canary)
  const weight = (percent: number): number | string => (kind.version === 'v1alpha1' ? String(percent) : percent)
  return [
    { service: names.canary, weight: weight(routes.canaryWeight) },
    { service: names.primary, weight: weight(routes.primaryWeight) }
  ]
}

function* reconcile(kind: Resource, provider: string, canary: Canary): Plan<void> {
  const { apex } = serviceNames(canary)
  const namespace = namespaceOf(canary)
  const spec = {
    service: canary.spec.service.hosts?.[0] ?? apex,
    backends: backends(kind, canary, { primaryWeight: 100, canaryWeight: 0 })
  }
  const name = `TrafficSplit ${apex}.${namespace}`
  const existing = yield* findObject(kind, namespace, apex, `${name} get query error: `)
  if (existing === undefined) {
    const metadata = {
      name: apex,
      namespace,
      annotations: gatewayAnnotations(provider, canary),
      ownerReferences: [controllerReference(canary)]
    }
    yield* wrapped(`${name} create error: `, createObject(kind, namespace, { metadata, spec }))
    yield* log('info', `${name} created`, fullName(canary))
    return
  }
  if (sameButWeights(spec, existing.spec as TrafficSplitSpec | undefined)) return
  yield* wrapped(`${name} update error: `, updateObject(kind, namespace, { ...existing, spec }))
  yield* log('info', `${name} updated`, fullName(canary))
}

/** Only an SMI adapter for Istio is told about gateways. */
function gatewayAnnotations(provider: string, canary: Canary): Record<string, string> {
  const gateways = canary.spec.service.gateways ?? []
  if (!/^smi:v1alpha\d:istio$/.test(provider) || gateways.length === 0) return {}
  return { 'VirtualService.v1alpha3.networking.istio.io/spec.gateways': JSON.stringify(gateways) }
}

/** Whether two specs differ in weights at most; a backend has nothing but its service and its weight. */
function sameButWeights(wanted: Required<TrafficSplitSpec>, present: TrafficSplitSpec | undefined): boolean {
  const backendsPresent = present?.backends
  if (backendsPresent?.length !== wanted.backends.length) return false
  for (const [index, { service }] of wanted.backends.entries())
    if (backendsPresent[index]?.service !== service) return false
  return sameJson({ ...wanted, backends: null }, { ...present, backends: null })
}

function read(kind: Resource, canary: Canary): Plan<KubeObject> {
  const { apex } = serviceNames(canary)
  return getObject(kind, namespaceOf(canary), apex, UNREADABLE)
}

const UNREADABLE: Failing = (name, namespace) => `TrafficSplit ${name}.${namespace} get query error `

function* getRoutes(kind: Resource, canary: Canary): Plan<Routes> {
  const names = serviceNames(canary)
  const split = (yield* read(kind, canary)).spec as TrafficSplitSpec | undefined
  let [primaryWeight, canaryWeight] = [0, 0]
  for (const { service, weight } of split?.backends ?? []) {
    if (service === names.primary) primaryWeight = Number(weight ?? 0)
    else if (service === names.canary) canaryWeight = Number(weight ?? 0)
  }
  if (primaryWeight === 0 && canaryWeight === 0) {
    const place = `${names.apex}.${namespaceOf(canary)}`
    throw new StepFailed(`TrafficSplit ${place} does not contain routes for ${names.primary} and ${names.canary}`)
  }
  return { primaryWeight, canaryWeight, mirrored: false }
}

function* setRoutes(kind: Resource, canary: Canary, routes: Routes): Plan<void> {
  const split = yield* read(kind, canary)
  const namespace = namespaceOf(canary)
  const draft = { ...split, spec: { ...(split.spec as object), backends: backends(kind, canary, routes) } }
  const name = `${serviceNames(canary).apex}.${namespace}`
  yield* wrapped(`TrafficSplit ${name} update error `, updateObject(kind, namespace, draft))
}
