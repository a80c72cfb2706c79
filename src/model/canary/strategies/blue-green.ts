import { log, type Plan } from '../effects.ts'
import { recordInfo, recordWarning } from '../events.ts'
import { failureOf } from '../failure.ts'
import { setWeightGauges } from '../gauges.ts'
import { promotionConfirmed } from '../hooks/confirm-promotion.ts'
import { promote } from '../promotion.ts'
import { TO_CANARY, TO_PRIMARY } from '../routers/router.ts'
import { fullName, statusOf } from '../spec.ts'
import { setStatusCounter } from '../status.ts'
import type { Tick } from '../tick-context.ts'
import { advanceIteration, showWeight } from './ab-testing.ts'

/**
 * Blue/Green: iterations without traffic (or with mirrored traffic), one switch of all traffic, then the promotion.
 * @see fluxcd/flagger pkg/controller/scheduler.go runBlueGreen 1.44.0
 */
export function* runBlueGreen(tick: Tick): Plan<void> {
  const { settings, canary } = tick
  const { iterations: wanted = 0 } = canary.spec.analysis
  const { iterations: done } = statusOf(canary)
  if (wanted > done) {
    yield* startMirroring(tick)
    return yield* advanceIteration(tick)
  }
  const asks = wanted === done || settings.quirks['blue-green-promotion-gate-asked-twice']
  if (asks && !(yield* promotionConfirmed(settings, canary))) return
  if (wanted < done) return yield* promote(tick)
  if (tick.provider !== 'kubernetes') yield* switchTraffic(tick)
  yield* setStatusCounter(canary, 'iterations', done + 1)
}

/** Requests are mirrored during all iterations; a failure to start is told and changes nothing else. */
function* startMirroring(tick: Tick): Plan<void> {
  const { canary } = tick
  if (tick.provider === 'kubernetes' || canary.spec.analysis.mirror !== true || tick.routes.mirrored) return
  const failure = yield* failureOf(tick.router.setRoutes(canary, { ...TO_PRIMARY, mirrored: true }))
  if (failure !== undefined) yield* recordWarning(tick.settings, canary, failure.message)
  yield* log('info', 'Start traffic mirroring', fullName(canary))
}

function* switchTraffic(tick: Tick): Plan<void> {
  const { canary } = tick
  const mirrored = canary.spec.analysis.mirror === true
  const message = mirrored ? 'Stop traffic mirroring and route all traffic to canary' : 'Routing all traffic to canary'
  yield* recordInfo(tick.settings, canary, message)
  yield* tick.router.setRoutes(canary, TO_CANARY)
  yield* setWeightGauges(canary, TO_CANARY.primaryWeight, TO_CANARY.canaryWeight)
  yield* showWeight(tick, TO_CANARY.canaryWeight)
}
