import { FLOAT, listOf, struct } from '../../../lib/golang/index.ts'
import { now, type Plan } from '../effects.ts'
import { ControllerPanic, StepFailed } from '../failure.ts'
import { statusText } from '../http-status.data.ts'
import { withQuery } from '../http.ts'
import { decodedAnswer, withoutValue } from './json-answer.ts'
import { answered, credential, intervalMs, type MetricProvider, type ProviderContext } from './provider.ts'

const DEFAULT_ADDRESS = 'https://api.datadoghq.com'
/** A query asks for so many intervals. */
const INTERVALS = 10
const SERIES = struct(
  '',
  [{ name: 'pointlist', type: listOf(listOf(FLOAT)) }],
  'struct { Pointlist [][]float64 "json:\\"pointlist\\"" }'
)
const ANSWER = struct('providers.datadogResponse', [{ name: 'Series', type: listOf(SERIES) }])

/**
 * Datadog: the oldest point of the first series.
 * @throws StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/datadog.go 1.44.0
 */
export function datadogProvider(context: ProviderContext): MetricProvider {
  const missing = (key: string): string => `datadog credentials does not contain ${key}`
  const headers = {
    'DD-API-KEY': credential(context, 'datadog_api_key', missing('datadog_api_key')),
    'DD-APPLICATION-KEY': credential(context, 'datadog_application_key', missing('datadog_application_key'))
  }
  const seconds = Math.trunc((INTERVALS * intervalMs(context)) / 1000)
  const address = context.provider.address || DEFAULT_ADDRESS
  return {
    *query(metric, text) {
      const to = Math.floor((yield* now()) / 1000)
      const url = withQuery(`${address}/api/v1/query`, { query: text, from: String(to - seconds), to: String(to) })
      const answer = yield* answered(metric, text, { url, headers })
      if (answer.status !== 200)
        throw new StepFailed(`error response: ${answer.body}: ${answer.status} ${statusText(answer.status)}`)
      const { Series: [series] = [] } = (decodedAnswer(answer.body, ANSWER) ?? {}) as {
        Series?: { pointlist?: number[][] }[]
      }
      const point = series?.pointlist?.[0]
      if (point === undefined || point.length === 0) throw withoutValue(answer)
      if (point.length < 2) throw new ControllerPanic('runtime error: index out of range [1] with length 1')
      return point[1] ?? 0
    },
    *requireOnline(): Plan<void> {
      const answer = yield* answered('probe', '', { url: withQuery(`${address}/api/v1/validate`, {}), headers })
      if (answer.status !== 200) throw new StepFailed(`error response: ${answer.body}`)
    }
  }
}
