import type { ApiRequest, ApiResponse, Canary, KubeObject } from '../../../kinds/index.ts'
import { log, request, type Plan } from '../effects.ts'
import { StepFailed } from '../failure.ts'
import { sameButEmpty } from '../same.ts'
import { fullName, namespaceOf, serviceNames } from '../spec.ts'
import { apexMetadata, nothingToFinalise, type Router, type Routes } from './router.ts'
import { withoutField } from './weighted-object.ts'

/** TrafficRoutes have no namespace; hence no owner either. */
const COLLECTION = '/apis/kuma.io/v1alpha1/trafficroutes'
const TYPE = { apiVersion: 'kuma.io/v1alpha1', kind: 'TrafficRoute' } as const
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
  const found = yield* request({ method: 'GET', path: `${COLLECTION}/${apex}` })
  if (found.code === 404) {
    const mesh = canary.metadata.annotations?.['kuma.io/mesh'] ?? 'default'
    const body = { ...TYPE, metadata: { name: apex, labels, annotations }, spec, mesh }
    yield* sent(`TrafficRoute ${apex} create error: `, { method: 'POST', path: COLLECTION, body })
    return yield* log('info', `TrafficRoute ${apex} created`, fullName(canary))
  }
  const existing = checked(`TrafficRoute ${apex} get query error: `, found)
  const unchanged =
    sameButEmpty(withoutField(spec, 'weight'), withoutField(existing.spec, 'weight')) &&
    sameButEmpty(labels, existing.metadata.labels) &&
    sameButEmpty(annotations, existing.metadata.annotations)
  if (unchanged) return
  const body = { ...existing, metadata: { ...existing.metadata, labels, annotations }, spec }
  yield* sent(`TrafficRoute ${apex} update error: `, { method: 'PUT', path: `${COLLECTION}/${apex}`, body })
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
  const body = { ...route, ...TYPE, spec: { ...(route.spec as object), conf: { split: split(canary, routes) } } }
  yield* sent(`TrafficRoute ${apex} update error `, { method: 'PUT', path: `${COLLECTION}/${apex}`, body })
}

function* read(canary: Canary): Plan<KubeObject> {
  const { apex } = serviceNames(canary)
  return yield* sent(`TrafficRoute ${apex} get query error `, { method: 'GET', path: `${COLLECTION}/${apex}` })
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

function* sent(prefix: string, apiRequest: ApiRequest): Plan<KubeObject> {
  return checked(prefix, yield* request(apiRequest))
}

function checked(prefix: string, response: ApiResponse): KubeObject {
  if (response.code >= 200 && response.code < 300) return response.body as KubeObject
  const { message = '', reason = '' } = response.body as { message?: string; reason?: string }
  throw new StepFailed(`${prefix}${message}`, { reason })
}
