import { sendAlert } from './alerts.ts'
import { log, type Plan } from './effects.ts'
import { decide, recordWarning, releaseName, withPhase } from './events.ts'
import { failureOf, type StepFailed } from './failure.ts'
import { countOutcome, setPhaseGauge, setWeightGauges } from './gauges.ts'
import { runPostRolloutHooks } from './hooks/post-rollout.ts'
import { TO_CANARY, TO_PRIMARY } from './routers/router.ts'
import { failedChecksThreshold, fullName, statusOf } from './spec.ts'
import { syncStatus, type SyncedStatus } from './status.ts'
import type { Tick } from './tick-context.ts'

/**
 * Routes everything to the primary, scales the target down and marks the canary Failed. A failing step ends it with a
 * Warning; the phase is unchanged then, so that the next tick tries again.
 * @see fluxcd/flagger pkg/controller/scheduler.go rollback 1.44.0
 */
export function* rollback(tick: Tick): Plan<void> {
  const { settings, canary } = tick
  yield* tellThreshold(tick)
  const failure = yield* failureOf(backToPrimary(tick))
  if (failure !== undefined) return yield* recordWarning(settings, canary, failure.message)
  yield* markFailed(tick, { phase: 'Failed' })
}

function* backToPrimary(tick: Tick): Plan<void> {
  const { settings, canary, scaler } = tick
  const early = settings.quirks['announced-before-done']
  yield* tick.router.setRoutes(canary, TO_PRIMARY)
  if (early) yield* tellFailed(tick)
  yield* setWeightGauges(canary, TO_PRIMARY.primaryWeight, TO_PRIMARY.canaryWeight)
  if (scaler !== undefined) yield* scaler.pauseTarget(canary)
  yield* tick.target.scaleToZero(canary)
  if (!early) yield* tellFailed(tick)
}

/**
 * The primary got stuck during a promotion: the canary is the only healthy copy, so all traffic goes to it.
 * @see fluxcd/flagger pkg/controller/scheduler.go handleFailedPromotion 1.44.0
 */
export function* handleFailedPromotion(tick: Tick, cause: StepFailed): Plan<void> {
  const { settings, canary } = tick
  const message = `Promotion of ${releaseName(settings, canary)} failed, primary not ready: ${cause.message}`
  yield* decide(canary, 'promotion-failed', message)
  yield* recordWarning(settings, canary, message)
  const text = `Promotion failed, primary not ready: ${cause.message}`
  yield* sendAlert(settings, canary, { message: text, severity: 'error' })
  const failure = yield* failureOf(tick.router.setRoutes(canary, TO_CANARY))
  if (failure !== undefined) return yield* recordWarning(settings, canary, failure.message)
  yield* setWeightGauges(canary, TO_CANARY.primaryWeight, TO_CANARY.canaryWeight)
  yield* markFailed(tick, { phase: 'Failed', canaryWeight: TO_CANARY.canaryWeight })
}

/** Rollback because pods did not become ready; upstream sends no alert then. */
export function* rollbackNotReady(tick: Tick, cause: StepFailed): Plan<void> {
  const { settings, canary } = tick
  yield* decide(canary, 'rollback-not-ready', cause.message)
  if (!settings.quirks['not-ready-rollback-is-silent']) {
    yield* sendAlert(settings, canary, { message: `Progress deadline exceeded ${cause.message}`, severity: 'error' })
  }
  yield* rollback(tick)
}

function tellFailed({ settings, canary }: Tick): Plan<void> {
  return recordWarning(settings, withPhase(canary, 'Failed'), `Canary failed! Scaling down ${fullName(canary)}`)
}

function* tellThreshold({ settings, canary }: Tick): Plan<void> {
  const { failedChecks } = statusOf(canary)
  if (failedChecks < failedChecksThreshold(canary)) return
  const message = `Rolling back ${fullName(canary)} failed checks threshold reached ${failedChecks}`
  yield* decide(canary, 'rollback-threshold', message)
  yield* recordWarning(settings, canary, message)
  yield* sendAlert(settings, canary, { message: `Failed checks threshold reached ${failedChecks}`, severity: 'error' })
}

function* markFailed(tick: Tick, status: SyncedStatus): Plan<void> {
  const { settings, canary } = tick
  const failure = yield* failureOf(syncFailed(tick, status))
  if (failure !== undefined) return yield* log('error', failure.message, fullName(canary))
  yield* setPhaseGauge(canary, 'Failed')
  yield* countOutcome(canary, 'failures', 'completed')
  yield* runPostRolloutHooks(settings, canary, 'Failed')
}

function* syncFailed({ settings, canary, target }: Tick, status: SyncedStatus): Plan<void> {
  const { failedChecks } = settings.quirks['failed-resets-failed-checks'] ? { failedChecks: 0 } : statusOf(canary)
  yield* syncStatus(canary, { ...status, failedChecks }, yield* target.revision(canary))
}
