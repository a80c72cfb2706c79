import { FLOAT, INT, listOf, struct } from '../../../lib/golang/index.ts'
import { now } from '../effects.ts'
import { StepFailed } from '../failure.ts'
import { withQuery } from '../http.ts'
import { decodedAnswer, withoutValue } from './json-answer.ts'
import { answered, credential, intervalMs, NIL_ERROR, type MetricProvider, type ProviderContext } from './provider.ts'

/** A query asks for so many intervals. */
const INTERVALS = 10
const DATA = struct(
  '',
  [
    { name: 'timestamps', type: listOf(INT) },
    { name: 'values', type: listOf(FLOAT) }
  ],
  'struct { Timestamps []int64 "json:\\"timestamps\\""; Values []float64 "json:\\"values\\"" }'
)
const RESULT = struct('', [{ name: 'data', type: listOf(DATA) }], `struct { Data []${DATA.text} "json:\\"data\\"" }`)
const ANSWER = struct('providers.dynatraceResponse', [{ name: 'result', type: listOf(RESULT) }])

/**
 * Dynatrace: the first value of the last data of the first result.
 * @throws StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/dynatrace.go 1.44.0
 */
export function dynatraceProvider(context: ProviderContext): MetricProvider {
  const { address = '' } = context.provider
  if (address === '') throw new StepFailed('dynatrace endpoint is not set')
  const token = credential(context, 'dynatrace_token', 'dynatrace credentials does not contain dynatrace_token')
  const headers = { authorization: `Api-Token ${token}` }
  const spanMs = INTERVALS * Math.trunc(intervalMs(context))
  return {
    *query(metric, text) {
      const to = Math.floor((yield* now()) / 1000) * 1000
      const range = { from: String(to - spanMs), to: String(to) }
      const url = withQuery(`${address}/api/v2/metrics/query`, { metricSelector: text, resolution: 'Inf', ...range })
      const answer = yield* answered(metric, text, { url, headers })
      if (answer.status !== 200) throw new StepFailed(`error response: ${answer.body}: ${NIL_ERROR}`)
      const { result: [first] = [] } = (decodedAnswer(answer.body, ANSWER) ?? {}) as {
        result?: { data?: { values?: number[] }[] }[]
      }
      const value = first?.data?.at(-1)?.values?.[0]
      if (value === undefined) throw withoutValue(answer)
      return value
    },
    *requireOnline() {
      const answer = yield* answered('probe', '', { url: `${address}/api/v2/metrics?pageSize=1`, headers })
      if (answer.status !== 200) throw new StepFailed(`error response: ${answer.body}`)
    }
  }
}
