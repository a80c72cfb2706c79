import { pure } from '../failure.ts'
import { statusOf } from '../spec.ts'
import { nothingToFinalise, TO_CANARY, TO_PRIMARY, type Router } from './router.ts'

/**
 * No mesh: traffic cannot be shifted, weights follow the iterations.
 * @see fluxcd/flagger pkg/router/nop.go 1.44.0
 */
export function kubernetesRouter(): Router {
  return {
    reportsMirroring: false,
    reconcile: nothingToFinalise,
    getRoutes: (canary) => pure(() => (statusOf(canary).iterations > 0 ? TO_CANARY : TO_PRIMARY)),
    setRoutes: nothingToFinalise,
    finalise: nothingToFinalise
  }
}
