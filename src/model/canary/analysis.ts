import { now, type Plan } from './effects.ts'
import { recordWarning } from './events.ts'
import { observeDuration } from './gauges.ts'
import { preRolloutPassed } from './hooks/pre-rollout.ts'
import { rolloutChecksPassed } from './hooks/rollout.ts'
import { builtinMetricsPass, templateMetricsPass } from './metrics.ts'
import { deploymentStrategy, statusOf } from './spec.ts'
import { isStarting, tellStart } from './start.ts'
import { setStatusCounter } from './status.ts'
import { STRATEGIES } from './strategies/registry.ts'
import type { Tick } from './tick-context.ts'

/** Iterations that a Blue/Green test gets when none are asked for and traffic cannot be shifted. */
const KUBERNETES_ITERATIONS = 10

/**
 * One analysis tick: checks, then a step of the strategy. Its run time is observed.
 * @param begin - when the tick began
 * @see fluxcd/flagger pkg/controller/scheduler.go advanceCanary 1.44.0
 */
export function* analyse(tick: Tick, begin: number): Plan<void> {
  try {
    if (!(yield* checksPassed(tick))) {
      return yield* setStatusCounter(tick.canary, 'failedChecks', statusOf(tick.canary).failedChecks + 1)
    }
    yield* adaptToKubernetes(tick)
    yield* STRATEGIES[deploymentStrategy(tick.canary)](tick)
  } finally {
    yield* observeDuration(tick.canary, ((yield* now()) - begin) / 1000)
  }
}

/** Before the first traffic the pre-rollout hooks; from then on external checks and metrics. */
function* checksPassed(tick: Tick): Plan<boolean> {
  const { settings, canary } = tick
  if (isStarting(tick)) {
    yield* tellStart(tick)
    return yield* preRolloutPassed(settings, canary)
  }
  if (!(yield* rolloutChecksPassed(settings, canary))) return false
  if (!(yield* builtinMetricsPass(settings, canary))) return false
  return yield* templateMetricsPass(settings, canary)
}

/** Provider kubernetes knows neither A/B tests nor weights; the canary in memory is changed, on every tick anew. */
function* adaptToKubernetes({ settings, canary, provider }: Tick): Plan<void> {
  if (provider !== 'kubernetes') return
  if ((canary.spec.analysis.match ?? []).length > 0) {
    yield* recordWarning(settings, canary, 'A/B testing is not supported when using the kubernetes provider')
    const { match: _dropped, ...analysis } = canary.spec.analysis
    canary.spec = { ...canary.spec, analysis }
  }
  if ((canary.spec.analysis.iterations ?? 0) >= 1) return
  yield* recordWarning(settings, canary, 'Progressive traffic is not supported when using the kubernetes provider')
  yield* recordWarning(settings, canary, `Setting canaryAnalysis.iterations: ${KUBERNETES_ITERATIONS}`)
  const analysis = { ...canary.spec.analysis, iterations: KUBERNETES_ITERATIONS }
  canary.spec = { ...canary.spec, analysis }
}
