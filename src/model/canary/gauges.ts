import type { Canary, CanaryPhase } from '../../kinds/index.ts'
import type { Effect, Plan } from './effects.ts'
import { deploymentStrategy, namespaceOf } from './spec.ts'

/** The version the controller reports. */
export const FLAGGER_VERSION = '1.44.0'

type Labels = Readonly<Record<string, string>>

/** Last value of a metric check; durations in seconds. */
export function* setAnalysis(canary: Canary, metric: string, value: number): Plan<void> {
  yield gauge('set', 'flagger_canary_metric_analysis', { ...named(canary), metric }, value)
}

/** 0 Progressing, 2 Failed, 1 everything else. */
export function* setPhaseGauge(canary: Canary, phase: CanaryPhase): Plan<void> {
  const value = phase === 'Progressing' ? 0 : phase === 'Failed' ? 2 : 1
  yield gauge('set', 'flagger_canary_status', named(canary), value)
}

/** Weights in percent. */
export function* setWeightGauges(canary: Canary, primary: number, weight: number): Plan<void> {
  const { name, namespace } = named(canary)
  yield gauge('set', 'flagger_canary_weight', { workload: `${name}-primary`, namespace }, primary)
  yield gauge('set', 'flagger_canary_weight', { workload: name, namespace }, weight)
}

/** Run time of one analysis tick. */
export function* observeDuration(canary: Canary, seconds: number): Plan<void> {
  yield gauge('observe', 'flagger_canary_duration_seconds', named(canary), seconds)
}

/** Counts a finished analysis. */
export function* countOutcome(
  canary: Canary,
  outcome: 'successes' | 'failures',
  analysis: 'completed' | 'skipped'
): Plan<void> {
  const labels = { ...named(canary), deployment_strategy: deploymentStrategy(canary), analysis_status: analysis }
  yield gauge('increment', `flagger_canary_${outcome}_total`, labels, 1)
}

/** Scheduled canaries of a namespace; set by the scheduler. */
export function totalGauge(namespace: string, count: number): Effect {
  return gauge('set', 'flagger_canary_total', { namespace }, count)
}

/** The controller's own metrics, fed by gauge effects. */
export class Gauges {
  readonly #values = new Map<string, number>()

  /** @param meshProvider - value of the flag, shown by flagger_info */
  constructor(meshProvider: string) {
    this.apply(gauge('set', 'flagger_info', { version: FLAGGER_VERSION, mesh_provider: meshProvider }, 1))
  }

  /** Takes over one effect; others than gauges are ignored. */
  apply(effect: Effect): void {
    if (effect.effect !== 'gauge') return
    const observed = effect.operation === 'observe'
    const key = `${effect.metric}${observed ? '_count' : ''}${printLabels(effect.labels)}`
    const before = this.#values.get(key) ?? 0
    this.#values.set(key, effect.operation === 'set' ? effect.value : before + (observed ? 1 : effect.value))
  }

  /** Lines of the text format, sorted; of histograms only the counts. */
  lines(): string[] {
    return [...this.#values].map(([key, value]) => `${key} ${value}`).sort((left, right) => (left < right ? -1 : 1))
  }
}

/** Metrics are named after the target, not the canary. */
function named(canary: Canary): { readonly name: string; readonly namespace: string } {
  return { name: canary.spec.targetRef.name, namespace: namespaceOf(canary) }
}

function gauge(operation: 'set' | 'increment' | 'observe', metric: string, labels: Labels, value: number): Effect {
  return { effect: 'gauge', operation, metric, labels, value }
}

function printLabels(labels: Labels): string {
  const entries = Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${entries.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}}`
}
