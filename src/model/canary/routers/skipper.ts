import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, request, type Plan } from '../effects.ts'
import { ControllerPanic, StepFailed, wrapped } from '../failure.ts'
import { markUnmanagedByFlux } from '../metadata.ts'
import {
  controllerReference,
  createObject,
  draftOf,
  findObject,
  getObject,
  pathOf,
  RESOURCES,
  updateObject
} from '../objects.ts'
import { sameButEmpty } from '../same.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, namespaceOf, serviceNames } from '../spec.ts'
import type { Router, RouterContext, Routes } from './router.ts'

const INGRESSES = RESOURCES.ingresses
const WEIGHTS = 'zalando.org/backend-weights'
const PREDICATE = 'zalando.org/skipper-predicate'
const ROUTE_WEIGHT = 'Weight(100)'
const ROUTE_DISABLED = 'False()'

interface Path {
  backend: { service?: { name: string } }
}

interface IngressSpec {
  rules?: { http?: { paths?: Path[] } }[]
}

/**
 * Skipper: a second Ingress with both backends, whose annotations hold the weights.
 * @see fluxcd/flagger pkg/router/skipper.go 1.44.0
 */
export function skipperRouter({ settings }: RouterContext): Router {
  return {
    reportsMirroring: false,
    reconcile: (canary) => reconcile(settings, canary),
    getRoutes,
    setRoutes: (canary, routes) => setRoutes(settings, canary, routes),
    finalise
  }
}

function* reconcile(settings: ControllerSettings, canary: Canary): Plan<void> {
  const apex = canary.spec.ingressRef?.name ?? ''
  if (apex === '') throw new StepFailed('ingress selector is empty')
  const namespace = namespaceOf(canary)
  const name = `${apex}-canary`
  const source = yield* getObject(INGRESSES, namespace, apex, `apexIngress ${apex}.${namespace} get query error: `)
  const spec = splitSpec(canary, source)
  const annotations = weighted(settings, canary, source, { primaryWeight: 100, canaryWeight: 0 })
  const existing = yield* findObject(INGRESSES, namespace, name, `ingress ${name}.${namespace} query error: `)
  if (existing === undefined) {
    const { resourceVersion: _version, ...metadata } = source.metadata
    const draft = {
      ...source,
      metadata: { ...metadata, name, namespace, annotations, ownerReferences: [controllerReference(canary)] },
      spec
    }
    yield* wrapped(`ingress ${name}.${namespace} create error: `, createObject(INGRESSES, namespace, draft))
    return yield* log('info', `Ingress ${name}.${namespace} created`, fullName(canary))
  }
  if (sameButEmpty(spec, existing.spec)) return
  const metadata = { ...existing.metadata, annotations: markUnmanagedByFlux(annotations) }
  const updating = updateObject(INGRESSES, namespace, { ...existing, metadata, spec })
  yield* wrapped(`ingress ${name}.${namespace} update error: `, updating)
  yield* log('info', `Ingress ${name} updated`, fullName(canary))
}

/** Each path to the apex Service goes to the primary, with a second one to the canary at the end of its rule. */
function splitSpec(canary: Canary, source: KubeObject): IngressSpec {
  const names = serviceNames(canary)
  const spec = draftOf(source.spec as IngressSpec)
  for (const rule of spec.rules ?? []) {
    const paths = rule.http?.paths ?? []
    const toApex = paths.filter((path) => path.backend.service?.name === names.apex)
    for (const path of toApex) {
      if (path.backend.service === undefined) continue
      path.backend.service.name = names.primary
      const second = draftOf(path)
      if (second.backend.service !== undefined) second.backend.service.name = names.canary
      paths.push(second)
    }
  }
  return spec
}

function* read(canary: Canary): Plan<KubeObject> {
  const name = `${canary.spec.ingressRef?.name ?? ''}-canary`
  const namespace = namespaceOf(canary)
  return yield* getObject(INGRESSES, namespace, name, `ingress ${name}.${namespace} get query error: `)
}

function* getRoutes(canary: Canary): Plan<Routes> {
  const names = serviceNames(canary)
  const ingress = yield* read(canary)
  const place = `ingress ${ingress.metadata.name}.${namespaceOf(canary)}`
  const weights = backendWeights(place, ingress.metadata.annotations?.[WEIGHTS])
  const primaryWeight = weights[names.primary]
  const canaryWeight = weights[names.canary]
  if (primaryWeight === undefined) throw new StepFailed(`${place} could not get weights[primarySvcName]`)
  if (canaryWeight === undefined) throw new StepFailed(`${place} could not get weights[canarySvcName]`)
  return { primaryWeight, canaryWeight, mirrored: false }
}

function backendWeights(place: string, text: string | undefined): Record<string, number | undefined> {
  if (text === undefined) {
    const error = `Annotation.Skipper Canary Ingress ${JSON.stringify(WEIGHTS)} not found`
    throw new StepFailed(`${place} get backendWeights error: ${error}`)
  }
  try {
    return JSON.parse(text) as Record<string, number>
  } catch {
    throw new StepFailed(`${place} get backendWeights error: invalid JSON`)
  }
}

function* setRoutes(settings: ControllerSettings, canary: Canary, routes: Routes): Plan<void> {
  const ingress = yield* read(canary)
  const annotations = weighted(settings, canary, ingress, routes)
  if (routes.canaryWeight === 0) annotations[PREDICATE] = withPredicate(annotations[PREDICATE], ROUTE_DISABLED)
  const { name } = ingress.metadata
  const namespace = namespaceOf(canary)
  const draft = { ...ingress, metadata: { ...ingress.metadata, annotations } }
  yield* wrapped(`ingress ${name}.${namespace} update error `, updateObject(INGRESSES, namespace, draft))
}

/** The canary's Ingress must weigh more than the apex one, or requests would pass it by. */
function weighted(
  settings: ControllerSettings,
  canary: Canary,
  ingress: KubeObject,
  routes: Omit<Routes, 'mirrored'>
): Record<string, string> {
  const names = serviceNames(canary)
  const { annotations } = ingress.metadata
  if (annotations === undefined && settings.quirks['skipper-needs-annotations']) {
    throw new ControllerPanic('assignment to entry in nil map')
  }
  const weights = { [names.canary]: routes.canaryWeight, [names.primary]: routes.primaryWeight }
  return {
    ...annotations,
    [WEIGHTS]: JSON.stringify(weights),
    [PREDICATE]: withPredicate(annotations?.[PREDICATE], ROUTE_WEIGHT)
  }
}

function withPredicate(present: string | undefined, first: string): string {
  const others = (present ?? '')
    .split('&&')
    .map((predicate) => predicate.trim())
    .filter((predicate) => predicate !== '' && predicate !== ROUTE_WEIGHT && predicate !== ROUTE_DISABLED)
  return [first, ...others].join(' && ')
}

function* finalise(canary: Canary): Plan<void> {
  const name = `${canary.spec.ingressRef?.name ?? ''}-canary`
  const namespace = namespaceOf(canary)
  const { code, body } = yield* request({
    method: 'DELETE',
    path: pathOf(INGRESSES, namespace, name),
    body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 2 }
  })
  if (code >= 200 && code < 300) return
  const { message = '' } = (body ?? {}) as { message?: string }
  throw new StepFailed(`ingress ${name}.${namespace} unable to remove canary ingress: ${message}`)
}
