import type { Canary } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'
import type { Revision } from '../status.ts'

/** What the Services and routes need to know of a target. */
export interface TargetMetadata {
  /** Selector label that tells canary from primary pods. */
  readonly label: string
  readonly value: string
  /** Discovered container ports by name. */
  readonly ports: Readonly<Record<string, number>>
}

/** Operations on the kind that `spec.targetRef` names; failures are thrown as StepFailed. */
export interface Target {
  metadata(canary: Canary): Plan<TargetMetadata>
  /** Creates the primary when it is missing; during initialisation also waits for it (non-retriable when stuck). */
  initialise(canary: Canary): Plan<void>
  /** Copies the target's spec to the primary. */
  promote(canary: Canary): Plan<void>
  /** The target's present revision. */
  revision(canary: Canary): Plan<Revision>
  hasChanged(canary: Canary): Plan<boolean>
  haveConfigsChanged(canary: Canary): Plan<boolean>
  /** Whether the primary was made from the target's present template. */
  primaryIsCurrent(canary: Canary): Plan<boolean>
  scaleToZero(canary: Canary): Plan<void>
  scaleFromZero(canary: Canary): Plan<void>
  /** Fails (retriable or not) while the primary is not ready. */
  primaryReady(canary: Canary): Plan<void>
  /** Fails (retriable or not) while the canary is not ready. */
  canaryReady(canary: Canary): Plan<void>
  /** Whether the target was given no pods on purpose. */
  isScaledToZero(canary: Canary): Plan<boolean>
  /** Gives the target back its pods when the canary is deleted. */
  finalise(canary: Canary): Plan<void>
}
