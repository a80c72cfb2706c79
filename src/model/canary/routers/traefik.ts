import type { Canary, KubeObject } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'
import { StepFailed } from '../failure.ts'
import type { Resource } from '../objects.ts'
import { namespaceOf, serviceNames } from '../spec.ts'
import { nothingToFinalise, type Router, type Routes } from './router.ts'
import { readApexObject, reconcileApexObject, withoutField, writeApexSpec } from './weighted-object.ts'

const TRAEFIK_SERVICES: Resource = {
  group: 'traefik.io',
  version: 'v1alpha1',
  plural: 'traefikservices',
  kind: 'TraefikService',
  spec: 'traefik/v1alpha1.ServiceSpec'
}

interface WeightedService {
  name: string
  namespace: string
  port: number
  weight?: number
}

interface TraefikSpec {
  weighted?: { services?: WeightedService[] }
}

/**
 * Traefik TraefikService: the canary is listed only while it gets traffic.
 * @see fluxcd/flagger pkg/router/traefik.go 1.44.0
 */
export function traefikRouter(): Router {
  return {
    reportsMirroring: false,
    reconcile: (canary) =>
      reconcileApexObject(
        TRAEFIK_SERVICES,
        canary,
        (existing) => initialSpec(canary, existing),
        (spec) => withoutField(spec, 'weight')
      ),
    getRoutes,
    setRoutes,
    finalise: nothingToFinalise
  }
}

function initialSpec(canary: Canary, existing: KubeObject | undefined): TraefikSpec {
  const names = serviceNames(canary)
  const { services = [] } = (existing?.spec as TraefikSpec | undefined)?.weighted ?? {}
  const primary = weighted(canary, names.primary, 100)
  return { weighted: { services: services.length === 2 ? [primary, weighted(canary, names.canary, 100)] : [primary] } }
}

function* getRoutes(canary: Canary): Plan<Routes> {
  const names = serviceNames(canary)
  const service = yield* readApexObject(TRAEFIK_SERVICES, canary, 'query error: ')
  const { services = [] } = (service.spec as TraefikSpec).weighted ?? {}
  if (services.length === 0)
    throw new StepFailed(`TraefikService ${names.apex}.${namespaceOf(canary)} services not found`)
  const primary = services.find(({ name }) => name === names.primary)
  if (primary === undefined) return { primaryWeight: 0, canaryWeight: 0, mirrored: false }
  const primaryWeight = primary.weight ?? 0
  return { primaryWeight, canaryWeight: 100 - primaryWeight, mirrored: false }
}

function* setRoutes(canary: Canary, { primaryWeight, canaryWeight }: Routes): Plan<void> {
  const names = serviceNames(canary)
  if (primaryWeight === 0 && canaryWeight === 0) {
    throw new StepFailed(`RoutingRule ${names.apex}.${namespaceOf(canary)} update failed: no valid weights`)
  }
  const service = yield* readApexObject(TRAEFIK_SERVICES, canary, 'query error: ')
  const services = [
    weighted(canary, names.primary, primaryWeight),
    ...(canaryWeight > 0 ? [weighted(canary, names.canary, canaryWeight)] : [])
  ]
  yield* writeApexSpec(TRAEFIK_SERVICES, canary, service, { ...(service.spec as object), weighted: { services } })
}

/** A weight of 0 is left out by Traefik's types. */
function weighted(canary: Canary, name: string, weight: number): WeightedService {
  const { port } = canary.spec.service
  return { name, namespace: namespaceOf(canary), port, ...(weight === 0 ? {} : { weight }) }
}
