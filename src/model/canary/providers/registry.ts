import { cloudWatchProvider, influxdbProvider, splunkProvider, stackdriverProvider } from './cloud.ts'
import { datadogProvider } from './datadog.ts'
import { dynatraceProvider } from './dynatrace.ts'
import { externalMetricsProvider } from './external-metrics.ts'
import { graphiteProvider } from './graphite.ts'
import { keptnProvider } from './keptn.ts'
import { newRelicProvider } from './newrelic.ts'
import { templateProvider } from './prometheus.ts'
import type { MetricProvider, ProviderContext } from './provider.ts'

/** Metric providers by type; adding one takes this line and its file. */
const PROVIDERS: Readonly<Record<string, (context: ProviderContext) => MetricProvider>> = {
  prometheus: templateProvider,
  datadog: datadogProvider,
  externalmetrics: externalMetricsProvider,
  cloudwatch: cloudWatchProvider,
  newrelic: newRelicProvider,
  graphite: graphiteProvider,
  stackdriver: stackdriverProvider,
  influxdb: influxdbProvider,
  dynatrace: dynatraceProvider,
  keptn: keptnProvider,
  splunk: splunkProvider
}

/**
 * The provider of a template; an unknown type is Prometheus.
 * @throws StepFailed with the text that follows `provider <type> error: `
 * @see fluxcd/flagger pkg/metrics/providers/factory.go 1.44.0
 */
export function providerFor(context: ProviderContext): MetricProvider {
  return (PROVIDERS[context.provider.type] ?? templateProvider)(context)
}
