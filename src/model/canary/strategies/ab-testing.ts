import type { Plan } from '../effects.ts'
import { decide, recordInfo } from '../events.ts'
import { setWeightGauges } from '../gauges.ts'
import { promotionConfirmed } from '../hooks/confirm-promotion.ts'
import { promote } from '../promotion.ts'
import { TO_CANARY } from '../routers/router.ts'
import { fullName, statusOf } from '../spec.ts'
import { setStatusCounter } from '../status.ts'
import { tellStartWithFirstStep } from '../start.ts'
import type { Tick } from '../tick-context.ts'

/**
 * A/B testing: matching requests go to the canary for a number of iterations, then it is promoted.
 * @see fluxcd/flagger pkg/controller/scheduler.go runAB 1.44.0
 */
export function* runAbTesting(tick: Tick): Plan<void> {
  const { settings, canary } = tick
  const { iterations: wanted = 0 } = canary.spec.analysis
  const { iterations: done } = statusOf(canary)
  if (wanted > done) {
    yield* tick.router.setRoutes(canary, TO_CANARY)
    yield* setWeightGauges(canary, TO_CANARY.primaryWeight, TO_CANARY.canaryWeight)
    yield* showWeight(tick, TO_CANARY.canaryWeight)
    return yield* advanceIteration(tick)
  }
  if (!(yield* promotionConfirmed(settings, canary))) return
  if (wanted === done || !settings.quirks['iterations-lowered-stall-ab']) yield* promote(tick)
}

/** The status of a release by iterations says nothing of the weight. */
export function* showWeight({ settings, canary }: Tick, weight: number): Plan<void> {
  if (!settings.quirks['iterations-show-weight-zero']) yield* setStatusCounter(canary, 'canaryWeight', weight)
}

/** Counts one more iteration and tells so. */
export function* advanceIteration(tick: Tick): Plan<void> {
  const { settings, canary } = tick
  const next = statusOf(canary).iterations + 1
  yield* setStatusCounter(canary, 'iterations', next)
  yield* tellStartWithFirstStep(tick)
  const message = `Advance ${fullName(canary)} canary iteration ${next}/${canary.spec.analysis.iterations ?? 0}`
  yield* decide(canary, 'advance', message)
  yield* recordInfo(settings, canary, message)
}
