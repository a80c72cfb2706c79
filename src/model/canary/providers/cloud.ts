import { parseUrl } from '../../../lib/golang/index.ts'
import { StepFailed } from '../failure.ts'
import { answered, credential, intervalMs, type MetricProvider, type ProviderContext } from './provider.ts'

/**
 * AWS CloudWatch: only what is refused before the service is asked.
 * @throws StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/cloudwatch.go 1.44.0
 */
export function cloudWatchProvider(context: ProviderContext): MetricProvider {
  if (!context.provider.region) throw new StepFailed('region not specified')
  intervalMs(context)
  return unasked('cloudwatch')
}

/**
 * Google Cloud Monitoring: only what is refused before the service is asked.
 * @throws StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/stackdriver.go 1.44.0
 */
export function stackdriverProvider(context: ProviderContext): MetricProvider {
  const { type, secretRef } = context.provider
  if (secretRef !== undefined) credential(context, 'project', `${type} credentials does not contain a project id`)
  return unasked(type)
}

/**
 * InfluxDB: only what is refused before the server is asked.
 * @throws StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/influxdb.go 1.44.0
 */
export function influxdbProvider(context: ProviderContext): MetricProvider {
  const { type, address = '', secretRef } = context.provider
  if (address === '' || !parseUrl(address).ok) throw new StepFailed(`${type} address ${address} is not a valid URL`)
  if (secretRef !== undefined) {
    credential(context, 'token', `${type} credentials does not contain an authentication token`)
    credential(context, 'org', `${type} credentials does not contain an organisation`)
  }
  return unasked(type)
}

/**
 * Splunk Observability: whether it answers; its queries go over a web socket.
 * @throws StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/splunk.go 1.44.0
 */
export function splunkProvider(context: ProviderContext): MetricProvider {
  const { address = '' } = context.provider
  if (address === '') throw new StepFailed('splunk endpoint is not set')
  const token = credential(context, 'sf_token_key', 'splunk credentials does not contain sf_token_key')
  intervalMs(context)
  const url = `${address}/v2/metric?limit=1`.replace('ws', 'http').replace('stream', 'api')
  return {
    ...unasked('splunk'),
    *requireOnline() {
      const answer = yield* answered('probe', '', { url, headers: { 'X-SF-Token': token } })
      if (answer.status !== 200) throw new StepFailed(`error response: ${answer.body}`)
    }
  }
}

/** A provider whose service the twin does not speak to. */
function unasked(type: string): MetricProvider {
  const refuse = (): never => {
    throw new StepFailed(`not modelled by rollout-twin: queries to ${type}`)
  }
  return {
    // oxlint-disable-next-line require-yield -- it never gets that far
    *query() {
      return refuse()
    },
    // oxlint-disable-next-line require-yield -- it never gets that far
    *requireOnline() {
      refuse()
    }
  }
}
