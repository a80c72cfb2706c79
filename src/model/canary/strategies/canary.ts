import type { Canary } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { decide, recordInfo } from '../events.ts'
import { setWeightGauges } from '../gauges.ts'
import { promotionConfirmed } from '../hooks/confirm-promotion.ts'
import { trafficIncreaseConfirmed } from '../hooks/confirm-traffic-increase.ts'
import { promote } from '../promotion.ts'
import type { Quirks } from '../quirks.ts'
import type { Routes } from '../routers/router.ts'
import { fullName, statusOf, TOTAL_WEIGHT } from '../spec.ts'
import { setStatusCounter } from '../status.ts'
import type { Tick } from '../tick-context.ts'
import { tellStartWithFirstStep } from '../start.ts'

/**
 * Progressive traffic: one step of the weights, or the promotion once the maximum is reached.
 * @see fluxcd/flagger pkg/controller/scheduler.go runCanary 1.44.0
 */
export function* runCanary(tick: Tick): Plan<void> {
  const { settings, canary, routes } = tick
  const step = nextStepWeight(canary, routes.canaryWeight)
  if (step <= 0) return
  const increases = routes.canaryWeight < maxWeight(canary, settings.quirks)
  const waits = statusOf(canary).phase === 'WaitingPromotion'
  const asks = !routes.mirrored && !waits && (increases || settings.quirks['traffic-gate-asked-before-promotion'])
  if (asks && !(yield* trafficIncreaseConfirmed(settings, canary))) return
  if (increases) return yield* advanceWeight(tick, step)
  if (yield* promotionConfirmed(settings, canary)) yield* promote(tick)
}

/** The weight in percent from which on the canary is promoted. */
export function maxWeight(canary: Canary, quirks: Quirks): number {
  const { stepWeights = [], maxWeight: asked = 0 } = canary.spec.analysis
  const last = stepWeights.at(-1)
  if (last !== undefined) return Math.min(TOTAL_WEIGHT, last)
  if (asked <= 0) return TOTAL_WEIGHT
  return quirks['max-weight-above-total-never-promotes'] ? asked : Math.min(TOTAL_WEIGHT, asked)
}

/**
 * How much weight is added next, in percent; 0 or less means that nothing ever happens.
 * @see fluxcd/flagger pkg/controller/scheduler.go nextStepWeight 1.44.0
 */
export function nextStepWeight(canary: Canary, canaryWeight: number): number {
  const { stepWeight = 0, stepWeights = [] } = canary.spec.analysis
  if (stepWeight > 0 || stepWeights.length === 0) return stepWeight
  const room = TOTAL_WEIGHT - canaryWeight
  // Any step leads to the promotion when there is no room left.
  if (room === 0) return 1
  if (canaryWeight === 0) return Math.min(room, stepWeights[0] ?? 0)
  const index = stepWeights.slice(0, -1).indexOf(canaryWeight)
  return index < 0 ? room : Math.min(room, (stepWeights[index + 1] ?? 0) - canaryWeight)
}

function* advanceWeight(tick: Tick, step: number): Plan<void> {
  const { settings, canary } = tick
  const routes = yield* nextRoutes(tick, step)
  yield* tick.router.setRoutes(canary, routes)
  yield* setStatusCounter(canary, 'canaryWeight', routes.canaryWeight)
  yield* setWeightGauges(canary, routes.primaryWeight, routes.canaryWeight)
  yield* tellStartWithFirstStep(tick)
  const message = `Advance ${fullName(canary)} canary weight ${routes.canaryWeight}`
  yield* decide(canary, 'advance', message)
  yield* recordInfo(settings, canary, message)
}

/** With mirroring, one step of mirrored requests comes before the first weight. */
function* nextRoutes(tick: Tick, step: number): Plan<Routes> {
  const { canary, routes, settings, router } = tick
  const canMirror = router.reportsMirroring || settings.quirks['mirror-step-waits-for-mirroring']
  if (canary.spec.analysis.mirror === true && routes.canaryWeight === 0 && canMirror) {
    const next = routes.mirrored
      ? { primaryWeight: TOTAL_WEIGHT - step, canaryWeight: step, mirrored: false }
      : { primaryWeight: TOTAL_WEIGHT, canaryWeight: 0, mirrored: true }
    yield* log(
      'info',
      `Running mirror step ${next.primaryWeight}/${next.canaryWeight}/${next.mirrored}`,
      fullName(canary)
    )
    return next
  }
  const ceiling = settings.quirks['weight-overshoots-max']
    ? TOTAL_WEIGHT
    : Math.min(TOTAL_WEIGHT, maxWeight(canary, settings.quirks))
  const canaryWeight = Math.min(ceiling, routes.canaryWeight + step)
  const primaryWeight = Math.max(
    0,
    routes.primaryWeight - (ceiling === TOTAL_WEIGHT ? step : canaryWeight - routes.canaryWeight)
  )
  return { primaryWeight, canaryWeight, mirrored: false }
}
