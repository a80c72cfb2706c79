import type { Effect } from '../../model/canary/index.ts'
import type { MetricEvidence, ReasonCode } from '../../trace/index.ts'
import type { EffectContext } from './controller-trace.ts'

/** The gauge in which the controller exports each value it has judged (flagger 1.44.0 pkg/metrics/recorder.go). */
const ANALYSIS_GAUGE = 'flagger_canary_metric_analysis'

/** Says why a query that was put to a server gave no value. */
export type ExplainAbsence = (asked: { readonly query: string; readonly address: string }) => string

interface TickState {
  readonly tick: number
  query: string
  address: string
  readonly evidence: MetricEvidence[]
}

/** Keeps what the metric checks of a tick have seen, so that a decision to go on shows its evidence as a halt does. */
export class TickEvidence {
  readonly #ticks = new Map<string, TickState>()
  readonly #explain: ExplainAbsence

  /** @param explain - asked for each check that found no values, at the time of its decision */
  constructor(explain: ExplainAbsence) {
    this.#explain = explain
  }

  /** Takes an effect in; a decision that brings no evidence of its own comes back with that of its tick. */
  complete(effect: Effect, context: EffectContext): Effect {
    switch (effect.effect) {
      case 'query': {
        const state = this.#state(context)
        state.query = effect.query
        state.address = effect.request.url
        return effect
      }
      case 'gauge':
        if (effect.metric === ANALYSIS_GAUGE) this.#noteValue(effect.labels['metric'] ?? '', effect.value, context)
        return effect
      case 'decision':
        return this.#withEvidence(effect, context)
      default:
        return effect
    }
  }

  /** The gauge holds seconds, the checks and their bounds speak of milliseconds. */
  #noteValue(metric: string, exported: number, context: EffectContext): void {
    const state = this.#state(context)
    const value = metric === 'request-duration' ? exported * 1000 : exported
    state.evidence.push({ metric, query: state.query, value })
  }

  #withEvidence(effect: Extract<Effect, { effect: 'decision' }>, context: EffectContext): Effect {
    const state = this.#state(context)
    const known = new Set(effect.evidence.map((item) => item.metric))
    const passed = state.evidence.filter((item) => !known.has(item.metric))
    const own = effect.evidence.map((item) => this.#withCause(item, effect.reason, state.address))
    return { ...effect, evidence: [...passed, ...own] }
  }

  #withCause(item: MetricEvidence, reason: ReasonCode, address: string): MetricEvidence {
    if (item.value !== undefined || item.absentBecause !== undefined) return item
    if (reason === 'halt-no-values') return { ...item, absentBecause: this.#explain({ query: item.query, address }) }
    // The server answered with an error or not at all; the decision's message has its words.
    return reason === 'halt-metric-error' ? { ...item, absentBecause: 'query error' } : item
  }

  #state(context: EffectContext): TickState {
    const known = this.#ticks.get(context.canary)
    if (known?.tick === context.tick) return known
    const fresh: TickState = { tick: context.tick, query: '', address: '', evidence: [] }
    this.#ticks.set(context.canary, fresh)
    return fresh
  }
}
