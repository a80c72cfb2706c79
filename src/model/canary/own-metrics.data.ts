/** A metric family of the controller itself. */
export interface OwnMetric {
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Upper bounds of a histogram's buckets, in seconds. */
  readonly buckets?: readonly number[]
}

/**
 * What Flagger registers with Prometheus; the buckets are client_golang's defaults.
 * @see fluxcd/flagger pkg/metrics/recorder.go NewRecorder 1.44.0; prometheus/client_golang histogram.go DefBuckets v1.23.2
 */
export const OWN_METRICS: Readonly<Record<string, OwnMetric>> = {
  flagger_info: { type: 'gauge', help: 'Flagger version and mesh provider information' },
  flagger_canary_duration_seconds: {
    type: 'histogram',
    help: 'Seconds spent performing canary analysis.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  },
  flagger_canary_total: { type: 'gauge', help: 'Total number of canary object' },
  flagger_canary_status: { type: 'gauge', help: 'Last canary analysis result' },
  flagger_canary_weight: { type: 'gauge', help: 'The virtual service destination weight current value' },
  flagger_canary_metric_analysis: { type: 'gauge', help: 'Last canary analysis result per metric' },
  flagger_canary_successes_total: { type: 'counter', help: 'Total number of canary successes' },
  flagger_canary_failures_total: { type: 'counter', help: 'Total number of canary failures' }
}
