import { describe, expect, test } from 'vitest'
import { parseExposition } from '../../../src/lib/exposition/index.ts'
import { Gauges, totalGauge, type Effect } from '../../../src/model/canary/index.ts'

const NAMED = { name: 'podinfo', namespace: 'test' }

function gauge(
  operation: 'set' | 'increment' | 'observe',
  metric: string,
  labels: Record<string, string>,
  value: number
): Effect {
  return { effect: 'gauge', operation, metric: `flagger_${metric}`, labels, value }
}

function filled(): Gauges {
  const gauges = new Gauges('linkerd')
  const outcome = { ...NAMED, deployment_strategy: 'canary', analysis_status: 'completed' }
  const effects = [
    totalGauge('test', 2),
    gauge('set', 'canary_weight', { workload: 'podinfo-primary', namespace: 'test' }, 90),
    gauge('set', 'canary_weight', { workload: 'podinfo', namespace: 'test' }, 10),
    gauge('set', 'canary_status', NAMED, 0),
    gauge('set', 'canary_metric_analysis', { ...NAMED, metric: 'request-duration' }, 0.0005),
    gauge('set', 'canary_metric_analysis', { ...NAMED, metric: 'error "rate"' }, 12.5),
    gauge('observe', 'canary_duration_seconds', NAMED, 0.02),
    gauge('observe', 'canary_duration_seconds', NAMED, 0.1),
    gauge('observe', 'canary_duration_seconds', NAMED, 30),
    gauge('increment', 'canary_successes_total', outcome, 1),
    gauge('increment', 'canary_successes_total', outcome, 1),
    gauge('increment', 'canary_failures_total', outcome, 1)
  ]
  for (const effect of effects) gauges.apply(effect)
  return gauges
}

describe('Gauges', () => {
  test("exposition() is the text of Flagger's /metrics: families by name, labels by name, all buckets", () => {
    expect(filled().exposition()).toBe(`# HELP flagger_canary_duration_seconds Seconds spent performing canary analysis.
# TYPE flagger_canary_duration_seconds histogram
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="0.005"} 0
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="0.01"} 0
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="0.025"} 1
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="0.05"} 1
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="0.1"} 2
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="0.25"} 2
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="0.5"} 2
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="1"} 2
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="2.5"} 2
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="5"} 2
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="10"} 2
flagger_canary_duration_seconds_bucket{name="podinfo",namespace="test",le="+Inf"} 3
flagger_canary_duration_seconds_sum{name="podinfo",namespace="test"} 30.12
flagger_canary_duration_seconds_count{name="podinfo",namespace="test"} 3
# HELP flagger_canary_failures_total Total number of canary failures
# TYPE flagger_canary_failures_total counter
flagger_canary_failures_total{analysis_status="completed",deployment_strategy="canary",name="podinfo",namespace="test"} 1
# HELP flagger_canary_metric_analysis Last canary analysis result per metric
# TYPE flagger_canary_metric_analysis gauge
flagger_canary_metric_analysis{metric="error \\"rate\\"",name="podinfo",namespace="test"} 12.5
flagger_canary_metric_analysis{metric="request-duration",name="podinfo",namespace="test"} 0.0005
# HELP flagger_canary_status Last canary analysis result
# TYPE flagger_canary_status gauge
flagger_canary_status{name="podinfo",namespace="test"} 0
# HELP flagger_canary_successes_total Total number of canary successes
# TYPE flagger_canary_successes_total counter
flagger_canary_successes_total{analysis_status="completed",deployment_strategy="canary",name="podinfo",namespace="test"} 2
# HELP flagger_canary_total Total number of canary object
# TYPE flagger_canary_total gauge
flagger_canary_total{namespace="test"} 2
# HELP flagger_canary_weight The virtual service destination weight current value
# TYPE flagger_canary_weight gauge
flagger_canary_weight{namespace="test",workload="podinfo"} 10
flagger_canary_weight{namespace="test",workload="podinfo-primary"} 90
# HELP flagger_info Flagger version and mesh provider information
# TYPE flagger_info gauge
flagger_info{mesh_provider="linkerd",version="1.44.0"} 1
`)
  })

  test('exposition() is read by our own parser, and lines() count observations', () => {
    const parsed = parseExposition(filled().exposition(), 'text/plain; version=0.0.4')
    expect('error' in parsed).toBe(false)
    expect(filled().lines()).toContain('flagger_canary_duration_seconds_count{name="podinfo",namespace="test"} 3')
  })
})
