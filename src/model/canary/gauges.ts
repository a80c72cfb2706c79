import { type MetricFamily, printTextFormat } from '../../lib/exposition/index.ts'
import { Labels as SeriesLabels, METRIC_NAME } from '../../lib/tsdb/index.ts'
import type { Canary, CanaryPhase } from '../../kinds/index.ts'
import type { Effect, Plan } from './effects.ts'
import { formatGoFloat } from './go-format.ts'
import { OWN_METRICS } from './own-metrics.data.ts'
import { performed } from './performing.ts'
import { deploymentStrategy, namespaceOf } from './spec.ts'

/** The version the controller reports. */
export const FLAGGER_VERSION = '1.44.0'

type Labels = Readonly<Record<string, string>>

/** Last value of a metric check; durations in seconds. */
export function setAnalysis(canary: Canary, metric: string, value: number): Plan<void> {
  const labels = { name: canary.spec.targetRef.name, namespace: namespaceOf(canary), metric }
  return told('set', 'flagger_canary_metric_analysis', labels, value)
}

/** 0 Progressing, 2 Failed, 1 everything else. */
export function setPhaseGauge(canary: Canary, phase: CanaryPhase): Plan<void> {
  const value = phase === 'Progressing' ? 0 : phase === 'Failed' ? 2 : 1
  return told('set', 'flagger_canary_status', named(canary), value)
}

/** Weights in percent. */
export function* setWeightGauges(canary: Canary, primary: number, weight: number): Plan<void> {
  const { name, namespace } = named(canary)
  yield* told('set', 'flagger_canary_weight', { workload: `${name}-primary`, namespace }, primary)
  yield* told('set', 'flagger_canary_weight', { workload: name, namespace }, weight)
}

/** Run time of one analysis tick. */
export function observeDuration(canary: Canary, seconds: number): Plan<void> {
  return told('observe', 'flagger_canary_duration_seconds', named(canary), seconds)
}

/** Counts a finished analysis. */
export function countOutcome(
  canary: Canary,
  outcome: 'successes' | 'failures',
  analysis: 'completed' | 'skipped'
): Plan<void> {
  const labels = { ...named(canary), deployment_strategy: deploymentStrategy(canary), analysis_status: analysis }
  return told('increment', `flagger_canary_${outcome}_total`, labels, 1)
}

/** Scheduled canaries of a namespace; set by the scheduler. */
export function totalGauge(namespace: string, count: number): Effect {
  return gauge('set', 'flagger_canary_total', { namespace }, count)
}

/** One series; of a histogram the sum is the value. */
interface OwnSeries {
  readonly metric: string
  readonly labels: Labels
  value: number
  /** Observations at or below each bound; the last one is their number. */
  readonly counts: number[]
}

/** The controller's own metrics, fed by gauge effects. No series is ever deleted. */
export class Gauges {
  /** By name and values of the labels, which stand in the same order in every effect of a metric. */
  readonly #series = new Map<string, OwnSeries>()

  /** @param meshProvider - value of the flag, shown by flagger_info */
  constructor(meshProvider: string) {
    this.apply(gauge('set', 'flagger_info', { version: FLAGGER_VERSION, mesh_provider: meshProvider }, 1))
  }

  /** Takes over one effect; others than gauges are ignored. */
  apply(effect: Effect): void {
    if (effect.effect !== 'gauge') return
    const { metric, value } = effect
    const bounds = boundsOf(metric)
    const key = `${metric}\0${Object.values(effect.labels).join('\0')}`
    let series = this.#series.get(key)
    if (series === undefined) {
      series = { metric, labels: effect.labels, value: 0, counts: bounds.map(() => 0) }
      this.#series.set(key, series)
    }
    series.value = effect.operation === 'set' ? value : series.value + value
    for (const [index, bound] of bounds.entries())
      if (value <= bound) series.counts[index] = (series.counts[index] ?? 0) + 1
  }

  /** `name{labels} value`, sorted; of histograms only the counts. */
  lines(): string[] {
    const lines = [...this.#series.values()].map(({ metric, labels, value, counts }) => {
      const count = counts.at(-1)
      return `${metric}${count === undefined ? '' : '_count'}${printLabels(labels)} ${formatGoFloat(count ?? value)}`
    })
    return lines.sort((left, right) => (left < right ? -1 : 1))
  }

  /** What `/metrics` answers for the controller's own families, in the text format 0.0.4; those without a series are left out. */
  exposition(): string {
    const families = Object.keys(OWN_METRICS)
      .sort(compareText)
      .map((name): MetricFamily => {
        const series = [...this.#series.values()].filter(({ metric }) => metric === name).sort(compareSeries)
        return { name, ...familyOf(name), samples: series.flatMap(samplesOf) }
      })
    return printTextFormat(families.filter(({ samples }) => samples.length > 0))
  }
}

/** By the values of the labels, in the order of their names. */
function compareSeries(left: OwnSeries, right: OwnSeries): number {
  const values = ({ labels }: OwnSeries): string =>
    sorted(labels)
      .map(([, value]) => value)
      .join('\0')
  return compareText(values(left), values(right))
}

function familyOf(name: string): Pick<MetricFamily, 'help' | 'type'> {
  const { help = '', type = 'untyped' } = OWN_METRICS[name] ?? {}
  return { help, type }
}

function boundsOf(metric: string): readonly number[] {
  const buckets = OWN_METRICS[metric]?.buckets
  return buckets === undefined ? [] : [...buckets, Infinity]
}

function samplesOf({ metric, labels, value, counts }: OwnSeries): MetricFamily['samples'] {
  if (counts.length === 0) return [{ labels: seriesLabels(metric, labels), value }]
  const buckets = boundsOf(metric).map((bound, index) => ({
    labels: seriesLabels(`${metric}_bucket`, labels, Number.isFinite(bound) ? String(bound) : '+Inf'),
    value: counts[index] ?? 0
  }))
  return [
    ...buckets,
    { labels: seriesLabels(`${metric}_sum`, labels), value },
    { labels: seriesLabels(`${metric}_count`, labels), value: counts.at(-1) ?? 0 }
  ]
}

/** Labels by name; a bucket's bound stands last. */
function seriesLabels(name: string, labels: Labels, bound?: string): SeriesLabels {
  const entries = [
    [METRIC_NAME, name] as const,
    ...sorted(labels),
    ...(bound === undefined ? [] : [['le', bound] as const])
  ]
  return SeriesLabels.fromSorted(
    entries.map(([label]) => label),
    entries.map(([, value]) => value)
  )
}

/** Metrics are named after the target, not the canary. */
function named(canary: Canary): { readonly name: string; readonly namespace: string } {
  return { name: canary.spec.targetRef.name, namespace: namespaceOf(canary) }
}

function told(operation: GaugeOperation, metric: string, labels: Labels, value: number): Plan<void> {
  return performed(gauge(operation, metric, labels, value)) as Plan<void>
}

type GaugeOperation = 'set' | 'increment' | 'observe'

function gauge(operation: GaugeOperation, metric: string, labels: Labels, value: number): Effect {
  return { effect: 'gauge', operation, metric, labels, value }
}

function printLabels(labels: Labels): string {
  return `{${sorted(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}}`
}

function sorted(labels: Labels): (readonly [string, string])[] {
  return Object.entries(labels).sort(([left], [right]) => compareText(left, right))
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : 1
}
