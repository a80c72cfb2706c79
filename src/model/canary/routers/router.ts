import type { Canary, CustomMetadata } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'
import { pure } from '../failure.ts'
import { markUnmanagedByFlux } from '../metadata.ts'
import { controllerReference, type Draft } from '../objects.ts'
import type { ControllerSettings } from '../settings.ts'
import { namespaceOf, serviceNames } from '../spec.ts'

/** Where the traffic goes: weights in percent, and whether the primary's requests are copied to the canary. */
export interface Routes {
  readonly primaryWeight: number
  readonly canaryWeight: number
  readonly mirrored: boolean
}

/** Operations on the objects of one mesh or ingress; failures are thrown as StepFailed. */
export interface Router {
  /** Whether getRoutes can report mirroring with weights; the others make a mirror step loop. */
  readonly reportsMirroring: boolean
  /** Creates or corrects the objects, weights kept. */
  reconcile(canary: Canary): Plan<void>
  getRoutes(canary: Canary): Plan<Routes>
  setRoutes(canary: Canary, routes: Routes): Plan<void>
  /** Gives back what was taken over, when the canary is deleted. */
  finalise(canary: Canary): Plan<void>
}

/** What a router is made from. */
export interface RouterContext {
  readonly settings: ControllerSettings
  /** The provider as asked for, e.g. `smi:v1alpha2:istio`. */
  readonly provider: string
}

/** All traffic to the primary. */
export const TO_PRIMARY: Routes = { primaryWeight: 100, canaryWeight: 0, mirrored: false }
/** All traffic to the canary. */
export const TO_CANARY: Routes = { primaryWeight: 0, canaryWeight: 100, mirrored: false }

/** Finalise of routers that give nothing back. */
export function nothingToFinalise(): Plan<void> {
  return pure(() => {})
}

/** Metadata of a new object that has the apex's name and the canary for its owner. */
export function newApexMetadata(canary: Canary, own: Required<CustomMetadata>): Draft['metadata'] {
  return {
    name: serviceNames(canary).apex,
    namespace: namespaceOf(canary),
    ...own,
    ownerReferences: [controllerReference(canary)]
  }
}

/**
 * Labels and annotations of a route: those of service.apex, marked against Flux. The canary in memory is changed in
 * place, as upstream.
 */
export function apexMetadata(canary: Canary): Required<CustomMetadata> {
  const apex = canary.spec.service.apex ?? {}
  apex.labels ??= {}
  apex.annotations = markUnmanagedByFlux(apex.annotations ?? {})
  return { labels: apex.labels, annotations: apex.annotations }
}
