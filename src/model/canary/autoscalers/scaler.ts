import type { Canary } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'

/** Operations on the autoscaler that `spec.autoscalerRef` names; failures are thrown as StepFailed. */
export interface Scaler {
  /** Creates the primary's scaler when it is missing; `update`: also takes over changes of the target's. */
  reconcilePrimary(canary: Canary, mode: 'create' | 'update'): Plan<void>
  /** Keeps the target at zero replicas. */
  pauseTarget(canary: Canary): Plan<void>
  resumeTarget(canary: Canary): Plan<void>
}
