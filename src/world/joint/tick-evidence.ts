import type { Effect } from '../../model/canary/index.ts'
import type { MetricEvidence } from '../../trace/index.ts'
import type { EffectContext } from './controller-trace.ts'

/** The gauge in which the controller exports each value it has judged (flagger 1.44.0 pkg/metrics/recorder.go). */
const ANALYSIS_GAUGE = 'flagger_canary_metric_analysis'

/** Keeps what the metric checks of a tick have seen, so that a decision to go on shows its evidence as a halt does. */
export class TickEvidence {
  readonly #ticks = new Map<string, { tick: number; query: string; evidence: MetricEvidence[] }>()

  /** Takes an effect in; a decision that brings no evidence of its own comes back with that of its tick. */
  complete(effect: Effect, context: EffectContext): Effect {
    const state = this.#state(context)
    if (effect.effect === 'query') state.query = effect.query
    if (effect.effect === 'gauge' && effect.metric === ANALYSIS_GAUGE) {
      const metric = effect.labels['metric'] ?? ''
      // The gauge holds seconds, the checks and their bounds speak of milliseconds.
      const value = metric === 'request-duration' ? effect.value * 1000 : effect.value
      state.evidence.push({ metric, query: state.query, value })
    }
    if (effect.effect !== 'decision') return effect
    const known = new Set(effect.evidence.map((item) => item.metric))
    const passed = state.evidence.filter((item) => !known.has(item.metric))
    return { ...effect, evidence: [...passed, ...effect.evidence] }
  }

  #state(context: EffectContext): { tick: number; query: string; evidence: MetricEvidence[] } {
    const known = this.#ticks.get(context.canary)
    if (known?.tick === context.tick) return known
    const fresh = { tick: context.tick, query: '', evidence: [] }
    this.#ticks.set(context.canary, fresh)
    return fresh
  }
}
