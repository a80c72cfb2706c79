import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { StepFailed, wrapped } from '../failure.ts'
import { createObject, findObject, getObject, updateObject, type Resource } from '../objects.ts'
import { sameButEmpty, sameJson } from '../same.ts'
import { fullName, namespaceOf, serviceNames } from '../spec.ts'
import { apexMetadata, nothingToFinalise, type Router, type Routes } from './router.ts'
import { withoutField } from './weighted-object.ts'

/** TrafficRoutes have no namespace; hence no owner either. */
const TRAFFIC_ROUTES: Resource = {
  group: 'kuma.io',
  version: 'v1alpha1',
  plural: 'trafficroutes',
  kind: 'TrafficRoute',
  spec: 'kuma/v1alpha1.TrafficRouteSpec'
}
const EVERYWHERE = ''
const SERVICE = 'kuma.io/service'

interface Split {
  weight: number
  destination?: Record<string, string>
}

interface RouteSpec {
  conf?: { split?: Split[] }
}

/**
 * Kuma TrafficRoute.
 * @see fluxcd/flagger pkg/router/kuma.go 1.44.0
 */
export function kumaRouter(): Router {
  return { reportsMirroring: false, reconcile, getRoutes, setRoutes, finalise: nothingToFinalise }
}

function* reconcile(canary: Canary): Plan<void> {
  const { apex } = serviceNames(canary)
  const spec = {
    sources: [{ match: { [SERVICE]: '*' } }],
    destinations: [{ match: { [SERVICE]: serviceTag(canary, apex) } }],
    conf: { split: split(canary, { primaryWeight: 100, canaryWeight: 0 }) }
  }
  const { labels, annotations } = apexMetadata(canary)
  const existing = yield* findObject(TRAFFIC_ROUTES, EVERYWHERE, apex, `TrafficRoute ${apex} get query error: `)
  if (existing === undefined) {
    const mesh = canary.metadata.annotations?.['kuma.io/mesh'] ?? 'default'
    const draft = { metadata: { name: apex, labels, annotations }, spec, mesh }
    yield* wrapped(`TrafficRoute ${apex} create error: `, createObject(TRAFFIC_ROUTES, EVERYWHERE, draft))
    return yield* log('info', `TrafficRoute ${apex} created`, fullName(canary))
  }
  const unchanged =
    sameJson(withoutField(spec, 'weight'), withoutField(existing.spec, 'weight')) &&
    sameButEmpty(labels, existing.metadata.labels) &&
    sameButEmpty(annotations, existing.metadata.annotations)
  if (unchanged) return
  const draft = { ...existing, metadata: { ...existing.metadata, labels, annotations }, spec }
  yield* wrapped(`TrafficRoute ${apex} update error: `, updateObject(TRAFFIC_ROUTES, EVERYWHERE, draft))
  yield* log('info', `TrafficRoute ${fullNameOf(canary, apex)} updated`, fullName(canary))
}

function* getRoutes(canary: Canary): Plan<Routes> {
  const names = serviceNames(canary)
  const route = yield* read(canary)
  const primary = ((route.spec as RouteSpec).conf?.split ?? []).findLast(
    ({ destination }) => (destination?.[SERVICE] ?? '').split('_')[0] === names.primary
  )
  if (primary === undefined) {
    throw new StepFailed(`TrafficRoute ${names.apex} does not contain routes for ${names.primary} and ${names.canary}`)
  }
  return { primaryWeight: primary.weight, canaryWeight: 100 - primary.weight, mirrored: false }
}

function* setRoutes(canary: Canary, routes: Routes): Plan<void> {
  const { apex } = serviceNames(canary)
  const route = yield* read(canary)
  const draft = { ...route, spec: { ...(route.spec as object), conf: { split: split(canary, routes) } } }
  yield* wrapped(`TrafficRoute ${apex} update error `, updateObject(TRAFFIC_ROUTES, EVERYWHERE, draft))
}

function read(canary: Canary): Plan<KubeObject> {
  const { apex } = serviceNames(canary)
  return getObject(TRAFFIC_ROUTES, EVERYWHERE, apex, `TrafficRoute ${apex} get query error `)
}

function split(canary: Canary, routes: Omit<Routes, 'mirrored'>): Split[] {
  const names = serviceNames(canary)
  const part = (service: string, weight: number): Split => ({
    weight,
    destination: { [SERVICE]: serviceTag(canary, service) }
  })
  return [part(names.primary, routes.primaryWeight), part(names.canary, routes.canaryWeight)]
}

function serviceTag(canary: Canary, service: string): string {
  return `${service}_${namespaceOf(canary)}_svc_${canary.spec.service.port}`
}

function fullNameOf(canary: Canary, name: string): string {
  return `${name}.${namespaceOf(canary)}`
}
