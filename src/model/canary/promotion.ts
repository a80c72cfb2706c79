import { sendAlert } from './alerts.ts'
import type { Plan } from './effects.ts'
import { decide, recordInfo, releaseName, withPhase } from './events.ts'
import { countOutcome, setPhaseGauge, setWeightGauges } from './gauges.ts'
import { runPostRolloutHooks } from './hooks/post-rollout.ts'
import { TO_PRIMARY } from './routers/router.ts'
import { fullName, namespaceOf, statusOf, TOTAL_WEIGHT } from './spec.ts'
import { setStatusCounter, setStatusPhase } from './status.ts'
import type { Tick } from './tick-context.ts'

/** Copies the target's spec to the primary. */
export function* copyToPrimary(tick: Tick): Plan<void> {
  const { settings, canary } = tick
  const primary = `${canary.spec.targetRef.name}-primary.${namespaceOf(canary)}`
  const message = `Copying ${releaseName(settings, canary)} template spec to ${primary}`
  yield* decide(canary, 'promote', message)
  if (!settings.quirks['announced-before-done']) yield* tick.target.promote(canary)
  yield* recordInfo(settings, canary, message)
  if (settings.quirks['announced-before-done']) yield* tick.target.promote(canary)
}

/** Copies the spec and goes to Promoting. */
export function* promote(tick: Tick): Plan<void> {
  yield* copyToPrimary(tick)
  yield* setStatusPhase(tick.canary, 'Promoting', tick.settings.quirks)
}

/**
 * Phase Promoting, primary and canary ready: routes the traffic back, at once or in steps.
 * @see fluxcd/flagger pkg/controller/scheduler.go runPromotionTrafficShift 1.44.0
 */
export function* shiftToPrimary(tick: Tick): Plan<void> {
  const { settings, canary } = tick
  const step = canary.spec.analysis.stepWeightPromotion ?? 0
  if (tick.provider === 'kubernetes') return yield* setStatusPhase(canary, 'Finalising', settings.quirks)
  if (step === 0) return yield* routeAllToPrimary(tick)
  if (tick.routes.canaryWeight > 0) return yield* stepToPrimary(tick, step)
  if (!settings.quirks['promotion-step-at-zero-hangs']) yield* setStatusPhase(canary, 'Finalising', settings.quirks)
}

/**
 * Phase Finalising: scales the target down and ends the release.
 * @see fluxcd/flagger pkg/controller/scheduler.go advanceCanary 1.44.0
 */
export function* finishRelease(tick: Tick): Plan<void> {
  const { canary } = tick
  if (tick.scaler !== undefined) yield* tick.scaler.pauseTarget(canary)
  yield* tick.target.scaleToZero(canary)
  yield* succeed(tick, {
    analysis: 'completed',
    event: `Promotion completed! Scaling down ${releaseName(tick.settings, canary)}`,
    alert: 'Canary analysis completed successfully, promotion finished.'
  })
}

/**
 * skipAnalysis: promotes at once, without waiting for the primary.
 * @see fluxcd/flagger pkg/controller/scheduler.go shouldSkipAnalysis 1.44.0
 */
export function* promoteWithoutAnalysis(tick: Tick): Plan<void> {
  const { canary, scaler } = tick
  yield* tick.router.setRoutes(canary, TO_PRIMARY)
  yield* setWeightGauges(canary, TO_PRIMARY.primaryWeight, TO_PRIMARY.canaryWeight)
  yield* copyToPrimary(tick)
  if (scaler !== undefined) {
    yield* scaler.reconcilePrimary(canary, 'update')
    yield* scaler.pauseTarget(canary)
  }
  yield* tick.target.scaleToZero(canary)
  yield* succeed(tick, {
    analysis: 'skipped',
    event: `Promotion completed! Canary analysis was skipped for ${releaseName(tick.settings, canary)}`,
    alert: 'Canary analysis was skipped, promotion finished.'
  })
}

function* routeAllToPrimary(tick: Tick): Plan<void> {
  const { settings, canary } = tick
  const message = 'Routing all traffic to primary'
  yield* decide(canary, 'primary-advance', message)
  yield* recordInfo(settings, canary, message)
  yield* tick.router.setRoutes(canary, TO_PRIMARY)
  yield* setWeightGauges(canary, TO_PRIMARY.primaryWeight, TO_PRIMARY.canaryWeight)
  yield* setStatusPhase(canary, 'Finalising', settings.quirks)
}

function* stepToPrimary(tick: Tick, step: number): Plan<void> {
  const { settings, canary } = tick
  const primaryWeight = Math.min(TOTAL_WEIGHT, tick.routes.primaryWeight + step)
  const canaryWeight = Math.max(0, tick.routes.canaryWeight - step)
  yield* tick.router.setRoutes(canary, { primaryWeight, canaryWeight, mirrored: false })
  yield* setWeightGauges(canary, primaryWeight, canaryWeight)
  const message = `Advance ${fullName(canary)} primary weight ${primaryWeight}`
  yield* decide(canary, 'primary-advance', message)
  yield* recordInfo(settings, canary, message)
  if (primaryWeight === TOTAL_WEIGHT) yield* setStatusPhase(canary, 'Finalising', settings.quirks)
  else yield* setStatusCounter(canary, 'canaryWeight', canaryWeight)
}

interface Success {
  readonly analysis: 'completed' | 'skipped'
  readonly event: string
  readonly alert: string
}

function* succeed(tick: Tick, success: Success): Plan<void> {
  const { settings, canary } = tick
  yield* setStatusPhase(canary, 'Succeeded', settings.quirks)
  yield* setPhaseGauge(canary, 'Succeeded')
  yield* countOutcome(canary, 'successes', success.analysis)
  const succeeded = withPhase(canary, 'Succeeded')
  yield* runPostRolloutHooks(settings, succeeded, 'Succeeded')
  yield* decide(canary, success.analysis === 'skipped' ? 'skipped' : 'finalised', success.event)
  yield* recordInfo(settings, succeeded, success.event)
  yield* sendAlert(settings, succeeded, { message: success.alert, severity: 'info' })
}

/** Whether the release is in a phase that only {@link shiftToPrimary} and {@link finishRelease} handle. */
export function isPromoting(tick: Tick): boolean {
  const { phase } = statusOf(tick.canary)
  return phase === 'Promoting' || phase === 'Finalising'
}
