import type { Plan } from './effects.ts'
import { recordInfo, releaseName } from './events.ts'
import { statusOf } from './spec.ts'
import type { Tick } from './tick-context.ts'

/** Whether the analysis has not taken its first step yet: no traffic, no iterations, nothing mirrored. */
export function isStarting({ settings, canary, routes }: Tick): boolean {
  const { phase, iterations } = statusOf(canary)
  if (phase === 'WaitingPromotion' && !settings.quirks['single-iteration-starts-again']) return false
  if (routes.canaryWeight > 0 || iterations !== 0) return false
  return !(canary.spec.analysis.mirror === true && routes.mirrored)
}

/** The announcement of the analysis, before its first step is tried. */
export function* tellStart(tick: Tick): Plan<void> {
  if (tick.settings.quirks['start-is-told-at-every-try']) yield* announce(tick)
}

/** The same with the first step that was taken. */
export function* tellStartWithFirstStep(tick: Tick): Plan<void> {
  if (!tick.settings.quirks['start-is-told-at-every-try'] && isStarting(tick)) yield* announce(tick)
}

function announce({ settings, canary }: Tick): Plan<void> {
  return recordInfo(settings, canary, `Starting canary analysis for ${releaseName(settings, canary)}`)
}
