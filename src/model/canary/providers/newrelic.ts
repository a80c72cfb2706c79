import { FLOAT, listOf, struct } from '../../../lib/golang/index.ts'
import type { Plan } from '../effects.ts'
import { StepFailed } from '../failure.ts'
import { withQuery } from '../http.ts'
import { decodedAnswer, withoutValue } from './json-answer.ts'
import {
  answered,
  credential,
  intervalMs,
  NIL_ERROR,
  type Answered,
  type MetricProvider,
  type ProviderContext
} from './provider.ts'

const DEFAULT_ADDRESS = 'https://insights-api.newrelic.com'
const ONLINE_QUERY = 'SELECT * FROM Metric'
const RESULT = struct('', [{ name: 'result', type: FLOAT }], 'struct { Result *float64 "json:\\"result\\"" }')
const ANSWER = struct('providers.newRelicResponse', [{ name: 'results', type: listOf(RESULT) }])

/**
 * New Relic Insights: the only result.
 * @throws StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/newrelic.go 1.44.0
 */
export function newRelicProvider(context: ProviderContext): MetricProvider {
  const lead = 'newrelic credentials does not contain the key'
  const account = credential(context, 'newrelic_account_id', `${lead} 'newrelic_account_id'`)
  // The quotes stand like that upstream.
  const key = credential(context, 'newrelic_query_key', `${lead} ''newrelic_query_key`)
  const seconds = Math.trunc(intervalMs(context) / 1000)
  const address = context.provider.address || DEFAULT_ADDRESS
  function* asked(metric: string, query: string): Plan<Answered> {
    const nrql = `${query} SINCE ${seconds} seconds ago`
    const url = withQuery(`${address}/v1/accounts/${account}/query`, { nrql })
    return yield* answered(metric, query, { url, headers: { 'X-Query-Key': key } })
  }
  return {
    *query(metric, text) {
      const answer = yield* asked(metric, text)
      if (answer.status !== 200) throw new StepFailed(`error response: ${answer.body}: ${NIL_ERROR}`)
      const { results = [] } = (decodedAnswer(answer.body, ANSWER) ?? {}) as { results?: { result?: number }[] }
      const value = results.length === 1 ? results[0]?.result : undefined
      if (value === undefined) throw withoutValue(answer)
      return value
    },
    *requireOnline() {
      const answer = yield* asked('probe', ONLINE_QUERY)
      if (answer.status !== 200) throw new StepFailed(`error response: ${answer.body}`)
    }
  }
}
