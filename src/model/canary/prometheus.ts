import { joinPaths, parseFloat64, parseUrl, queryEscape, resolveReference, urlText } from '../../lib/golang/index.ts'
import type { MetricTemplate } from '../../kinds/index.ts'
import type { HttpRequest, Plan } from './effects.ts'
import { ControllerPanic, StepFailed, wrapped } from './failure.ts'
import { goJsonError, goTypeOf } from './go-json.ts'
import { requested, transportError } from './http.ts'

const TIMEOUT_MS = 5000
const ONLINE_QUERY = 'vector(1)'

/** A Prometheus server as Flagger's client sees it. */
export interface PrometheusClient {
  readonly address: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly insecure: boolean
  /** Value of Authorization of the next query, if the server asks for one. */
  readonly authorization: string | undefined
  /** How many values of Authorization the next query sends; grows where the headers are shared with a cache. */
  readonly nextValues: () => number
}

/** A query had no value; Flagger reports that apart from other errors. */
export class NoValues extends StepFailed {}

/** A client for an address without credentials. */
export function plainClient(address: string): PrometheusClient {
  if (address === '' || !isUrl(address)) throw new StepFailed(`prometheus address ${address} is not a valid URL`)
  return { address, headers: {}, insecure: false, authorization: undefined, nextValues: () => 1 }
}

/**
 * A client for a template's provider.
 * @param credentials - data of the secret, decoded; undefined without secretRef
 * @param nextValues - counts the values of Authorization that headers in a cache gather
 * @throws StepFailed for a wrong address or incomplete credentials
 */
export function templateClient(
  provider: MetricTemplate['spec']['provider'],
  credentials: Readonly<Record<string, string>> | undefined,
  nextValues: () => number = () => 1
): PrometheusClient {
  const address = provider.address ?? ''
  if (address === '' || !isUrl(address)) throw new StepFailed(`${provider.type} address ${address} is not a valid URL`)
  return {
    address,
    headers: provider.headers ?? {},
    insecure: provider.insecureSkipVerify === true,
    authorization: provider.secretRef === undefined ? undefined : authorizationOf(provider.type, credentials ?? {}),
    nextValues: provider.headers !== undefined && credentials?.['token'] !== undefined ? nextValues : () => 1
  }
}

/**
 * Runs a query and gives its value: the last series with a string value counts.
 * @param metric - name for the trace
 * @throws NoValues, StepFailed
 * @see fluxcd/flagger pkg/metrics/providers/prometheus.go RunQuery 1.44.0
 */
export function* runQuery(client: PrometheusClient, metric: string, query: string): Plan<number> {
  const text = query.replaceAll(/[\t\n\f\r ]+/g, ' ')
  const request: HttpRequest = {
    method: 'GET',
    url: queryUrl(client.address, text),
    headers: headersOf(client),
    timeoutMs: TIMEOUT_MS,
    ...(client.insecure ? { insecure: true } : {})
  }
  const outcome = yield* requested(request, (one) => ({ effect: 'query', metric, query: text, request: one }))
  if (!outcome.ok) throw new StepFailed(`request failed: ${transportError(request, outcome.error)}`)
  if (outcome.status >= 400) {
    throw new StepFailed(`error response: Status ${outcome.status} ${statusText(outcome.status)}: ${outcome.body}`)
  }
  const value = lastValue(outcome.body)
  if (value === undefined || Number.isNaN(value)) throw new NoValues('no values found')
  return value
}

/**
 * Asks whether a server answers.
 * @throws StepFailed when it does not
 */
export function* requireOnline(client: PrometheusClient): Plan<void> {
  const value = yield* wrapped('running query failed: ', runQuery(client, 'probe', ONLINE_QUERY))
  if (value !== 1) throw new StepFailed(`value is not 1 for query: ${ONLINE_QUERY}`)
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

function lastValue(body: string): number | undefined {
  const series = seriesOf(body)
  let value: number | undefined
  for (const entry of series) {
    if (entry.values !== undefined && entry.values !== null) throw new StepFailed('query returned multiple values')
    const pair = Array.isArray(entry.value) ? entry.value : []
    if (pair.length < 2) throw new ControllerPanic(`runtime error: index out of range [1] with length ${pair.length}`)
    const sample: unknown = pair[1]
    if (typeof sample === 'string') value = parseSample(sample)
  }
  return value
}

function seriesOf(body: string): readonly PrometheusSeries[] {
  const parsed = parseJson(body)
  const data = (parsed as { data?: unknown } | null)?.data
  const result = (data as { result?: unknown } | null | undefined)?.result
  if (result === undefined || result === null) return []
  if (!Array.isArray(result)) throw undecodable(goTypeOf(result), 'Data.Result', body)
  const odd = result.find((entry) => typeof entry !== 'object' || entry === null || Array.isArray(entry))
  // Go reports the first element that is no object; the type is the anonymous struct of a series.
  if (odd !== undefined) throw undecodable(goTypeOf(odd), 'Data.Result', body)
  return result as PrometheusSeries[]
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new StepFailed(`error unmarshaling result: ${goJsonError(body) ?? 'invalid JSON'}, '${body}'`)
  }
}

function undecodable(type: string, field: string, body: string): StepFailed {
  const struct =
    'struct { Metric struct { Name string "json:\\"name\\"" }; Value []interface {} "json:\\"value\\""; Values []interface {} "json:\\"values\\"" }'
  return new StepFailed(
    `error unmarshaling result: json: cannot unmarshal ${type} into Go struct field .${field} of type ${struct}, '${body}'`
  )
}

function parseSample(text: string): number {
  const parsed = parseFloat64(text)
  if (!parsed.ok) throw new StepFailed(parsed.error)
  return parsed.value
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout'
}

function statusText(status: number): string {
  return STATUS_TEXTS[status] ?? ''
}
