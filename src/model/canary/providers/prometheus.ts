import {
  ANY,
  joinPaths,
  listOf,
  parseFloat64,
  parseUrl,
  queryEscape,
  resolveReference,
  STRING,
  struct,
  urlText
} from '../../../lib/golang/index.ts'
import { keptByText } from '../../../lib/memory/index.ts'
import type { Plan } from '../effects.ts'
import { ControllerPanic, StepFailed, wrapped } from '../failure.ts'
import { statusText } from '../http-status.data.ts'
import { decodedAnswer } from './json-answer.ts'
import { answered, NoValues, type MetricProvider, type ProviderContext } from './provider.ts'

const ONLINE_QUERY = 'vector(1)'

/** A Prometheus server as Flagger's client sees it. */
interface PrometheusClient {
  readonly address: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly insecure: boolean
  /** Value of Authorization of the next query, if the server asks for one. */
  readonly authorization: string | undefined
  /** How many values of Authorization the next query sends; grows where the headers are shared with a cache. */
  readonly nextValues: () => number
}

/** Most servers that are kept. */
const ADDRESSES_MAX = 20

/**
 * Prometheus at an address without credentials: every check of a tick asks the same server.
 * @throws StepFailed for a wrong address
 */
export const plainProvider: (address: string) => MetricProvider = keptByText(ADDRESSES_MAX, (address) => {
  if (address === '' || !isUrl(address)) throw new StepFailed(`prometheus address ${address} is not a valid URL`)
  return prometheusProvider({ address, headers: {}, insecure: false, authorization: undefined, nextValues: () => 1 })
})

/**
 * Prometheus as a template describes it.
 * @throws StepFailed for a wrong address or incomplete credentials
 * @see fluxcd/flagger pkg/metrics/providers/prometheus.go 1.44.0
 */
export function templateProvider({ provider, credentials, nextValues }: ProviderContext): MetricProvider {
  const address = provider.address ?? ''
  if (address === '' || !isUrl(address)) throw new StepFailed(`${provider.type} address ${address} is not a valid URL`)
  const gathers =
    provider.headers !== undefined && provider.secretRef !== undefined && credentials['token'] !== undefined
  return prometheusProvider({
    address,
    headers: provider.headers ?? {},
    insecure: provider.insecureSkipVerify === true,
    authorization: provider.secretRef === undefined ? undefined : authorizationOf(provider.type, credentials),
    nextValues: gathers ? nextValues : () => 1
  })
}

function prometheusProvider(client: PrometheusClient): MetricProvider {
  return {
    query: (metric, text) => runQuery(client, metric, text),
    *requireOnline() {
      const value = yield* wrapped('running query failed: ', runQuery(client, 'probe', ONLINE_QUERY))
      if (value !== 1) throw new StepFailed(`value is not 1 for query: ${ONLINE_QUERY}`)
    }
  }
}

/** A query in one line, and its URL. */
interface Asked {
  readonly text: string
  readonly url: string
}

/** Most queries of one server that are kept. */
const QUERIES_MAX = 200

/** The same queries are asked at every tick. */
const askedOf = keptByText(ADDRESSES_MAX, (address) =>
  keptByText(QUERIES_MAX, (query): Asked => {
    const text = query.replaceAll(/[\t\n\f\r ]+/g, ' ')
    return { text, url: queryUrl(address, text) }
  })
)

/** The last series with a text as value counts. */
function* runQuery(client: PrometheusClient, metric: string, query: string): Plan<number> {
  const { insecure } = client
  const { text, url } = askedOf(client.address)(query)
  const answer = yield* answered(metric, text, { url, headers: headersOf(client), insecure })
  if (answer.status >= 400)
    throw new StepFailed(`error response: Status ${answer.status} ${statusText(answer.status)}: ${answer.body}`)
  const value = lastValue(answer.body)
  if (value === undefined || Number.isNaN(value)) throw new NoValues('no values found')
  return value
}

function isUrl(address: string): boolean {
  return parseUrl(address).ok
}

/** The address with the path of the query API joined on; what the address has for query and fragment is dropped. */
function queryUrl(address: string, query: string): string {
  const base = parseUrl(address)
  const reference = parseUrl(`./api/v1/query?query=${queryEscape(query)}`)
  if (!base.ok || !reference.ok) throw new StepFailed(`url.Parse failed: ${base.ok ? '' : base.error}`)
  const path = joinPaths(base.url.path, reference.url.path)
  return urlText(resolveReference(base.url, { ...reference.url, path }))
}

function headersOf({ headers, authorization, nextValues }: PrometheusClient): Record<string, readonly string[]> {
  if (authorization === undefined) return { ...headers }
  const own = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? []
  const gathered = Array.from({ length: nextValues() }, () => authorization)
  return { ...headers, Authorization: [...own, ...gathered] }
}

function authorizationOf(type: string, credentials: Readonly<Record<string, string>>): string | undefined {
  const { token, username, password } = credentials
  if (token !== undefined) return token === '' ? undefined : `Bearer ${token}`
  if (username === undefined) throw new StepFailed(`${type} credentials does not contain a username`)
  if (password === undefined) throw new StepFailed(`${type} credentials does not contain a password`)
  if (username === '' || password === '') return undefined
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}

interface PrometheusSeries {
  value?: unknown
  values?: unknown
}

/** The whole answer where one series without labels is the result, as it is of nearly every check: it is read without parsing. */
const ONE_VALUE =
  /^\{"status":"success","data":\{"resultType":"vector","result":\[\{"metric":\{\},"value":\[(?:0|[1-9]\d*)(?:\.\d+)?,"([\w.+-]*)"\]\}\]\}\}\n?$/

function lastValue(body: string): number | undefined {
  const only = ONE_VALUE.exec(body)?.[1]
  return only === undefined ? valueOfSeries(seriesOf(body)) : parseSample(only)
}

function valueOfSeries(series: readonly (PrometheusSeries | undefined)[]): number | undefined {
  let value: number | undefined
  for (const entry of series) {
    if (entry?.values !== undefined) throw new StepFailed('query returned multiple values')
    const pair = Array.isArray(entry?.value) ? entry.value : []
    if (pair.length < 2) throw new ControllerPanic(`runtime error: index out of range [1] with length ${pair.length}`)
    const sample: unknown = pair[1]
    if (typeof sample === 'string') value = parseSample(sample)
  }
  return value
}

const METRIC = struct('', [{ name: 'name', type: STRING }], 'struct { Name string "json:\\"name\\"" }')
const SERIES = struct(
  '',
  [
    { name: 'Metric', type: METRIC },
    { name: 'value', type: listOf(ANY) },
    { name: 'values', type: listOf(ANY) }
  ],
  `struct { Metric ${METRIC.text}; Value []interface {} "json:\\"value\\""; Values []interface {} "json:\\"values\\"" }`
)
const DATA = struct('', [{ name: 'Result', type: listOf(SERIES) }], `struct { Result []${SERIES.text} }`)
const ANSWER = struct('providers.prometheusResponse', [{ name: 'Data', type: DATA }])

function seriesOf(body: string): readonly (PrometheusSeries | undefined)[] {
  const answer = (decodedAnswer(body, ANSWER) ?? {}) as { Data?: { Result?: (PrometheusSeries | undefined)[] } }
  return answer.Data?.Result ?? []
}

function parseSample(text: string): number {
  const parsed = parseFloat64(text)
  if (!parsed.ok) throw new StepFailed(parsed.error)
  return parsed.value
}
