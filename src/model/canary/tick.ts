import { now, type Plan } from './effects.ts'
import { recordWarning } from './events.ts'
import { StepFailed } from './failure.ts'
import { analyse } from './analysis.ts'
import type { ControllerSettings } from './settings.ts'
import { statusOf } from './spec.ts'
import * as steps from './tick-steps.ts'
import type { Tick } from './tick-context.ts'

/** How many phases one tick may go through where it does not stop at the first change. */
const CHANGES_MAX = 8

/** Names a canary. */
export interface CanaryKey {
  readonly namespace: string
  readonly name: string
}

/**
 * One run of the advance function: reads the canary and takes it one step further. Never throws; what fails is told
 * as a Warning event and tried again at the next tick.
 * @see fluxcd/flagger pkg/controller/scheduler.go advanceCanary 1.44.0
 */
export function* advanceCanary(key: CanaryKey, settings: ControllerSettings): Plan<void> {
  let phase: string | undefined
  for (let change = 0; change < CHANGES_MAX; change++) {
    const begin = yield* now()
    const canary = yield* steps.readCanary(key)
    if (canary === undefined || statusOf(canary).phase === phase) return
    phase = statusOf(canary).phase
    if (yield* steps.isSuspended(settings, canary)) return
    try {
      yield* advance(yield* steps.openTick(settings, canary), begin)
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error
      yield* recordWarning(settings, canary, error.message)
    }
    if (settings.quirks['one-change-per-tick']) return
  }
}

function* advance(tick: Tick, begin: number): Plan<void> {
  yield* steps.reconcileServices(tick)
  yield* steps.probeMetrics(tick)
  if (!(yield* steps.primaryInitialised(tick))) return
  yield* steps.reconcileScaler(tick)
  yield* steps.reconcileApex(tick)
  yield* steps.scaleDownTarget(tick)
  yield* steps.reconcileMesh(tick)
  yield* steps.completeInitialisation(tick)
  if (!(yield* steps.shouldAdvance(tick))) return
  if (!(yield* steps.primaryIsReady(tick))) return
  yield* steps.readRoutes(tick)
  if (!(yield* steps.checkCanaryStatus(tick))) return
  if (yield* steps.restartedOnNewRevision(tick)) return
  if (!(yield* steps.canaryIsReady(tick))) return
  if (yield* steps.skippedAnalysis(tick)) return
  if (yield* steps.rolledBackManually(tick)) return
  if (yield* steps.promoted(tick)) return
  if (yield* steps.rolledBackOnFailedChecks(tick)) return
  yield* analyse(tick, begin)
}
