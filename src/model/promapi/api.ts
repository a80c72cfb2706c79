import { PromqlParseError } from '../../lib/promql/index.ts'
import { type MetricFamily, printTextFormat } from '../../lib/exposition/index.ts'
import { labelsOf } from '../../lib/tsdb/index.ts'
import { type ApiData, exemplars, formatQueryData, instantQuery, rangeQuery } from './query-api.ts'
import { federate, labelNames, labelValues, series } from './series-api.ts'
import * as status from './status-api.ts'
import {
  ApiError,
  type ErrorType,
  Parameters,
  type PromApiOptions,
  type PromRequest,
  type PromResponse
} from './types.ts'

/** The HTTP API of a Prometheus server as a pure function. */
export interface PromApi {
  handle(request: PromRequest): PromResponse
}

const STATUS_OF: Readonly<Record<ErrorType, number>> = {
  bad_data: 400,
  execution: 422,
  timeout: 503,
  not_found: 404,
  internal: 500,
  unavailable: 500
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})
const JSON_HEADERS: Readonly<Record<string, string>> = Object.freeze({ 'content-type': 'application/json' })

const CORS_HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
  'access-control-expose-headers': 'Date',
  vary: 'Origin'
}

type Handler = (options: PromApiOptions, parameters: Parameters) => ApiData
type Routes = Readonly<Record<string, Handler>>

const fixed =
  (json: string): Handler =>
  () => ({ json })
const failing =
  (errorType: ErrorType, message: string): Handler =>
  () => {
    throw new ApiError(errorType, message)
  }
const ADMIN = failing('unavailable', 'admin APIs disabled')

const GET_ROUTES: Routes = {
  '/query': instantQuery,
  '/query_range': rangeQuery,
  '/query_exemplars': exemplars,
  '/format_query': (_, parameters) => formatQueryData(parameters),
  '/labels': labelNames,
  '/series': series,
  '/targets': status.targets,
  '/targets/metadata': status.targetMetadata,
  '/scrape_pools': status.scrapePools,
  '/metadata': status.metadata,
  '/rules': (_, parameters) => status.rules(parameters),
  '/alerts': fixed('{"alerts":[]}'),
  '/alertmanagers': fixed('{"activeAlertmanagers":[],"droppedAlertmanagers":[]}'),
  '/status/buildinfo': status.buildInfo,
  '/status/runtimeinfo': status.runtimeInfo,
  '/status/config': status.config,
  '/status/flags': status.flags,
  '/status/tsdb': status.tsdbStatus,
  '/status/walreplay': fixed('{"min":0,"max":0,"current":0}')
}
const POST_ROUTES: Routes = {
  '/query': instantQuery,
  '/query_range': rangeQuery,
  '/query_exemplars': exemplars,
  '/format_query': (_, parameters) => formatQueryData(parameters),
  '/labels': labelNames,
  '/series': series,
  '/admin/tsdb/delete_series': ADMIN,
  '/admin/tsdb/clean_tombstones': ADMIN,
  '/admin/tsdb/snapshot': ADMIN
}
const ROUTES_OF_METHOD: Readonly<Record<string, Routes>> = {
  GET: GET_ROUTES,
  POST: POST_ROUTES,
  PUT: {
    '/admin/tsdb/delete_series': ADMIN,
    '/admin/tsdb/clean_tombstones': ADMIN,
    '/admin/tsdb/snapshot': ADMIN
  },
  DELETE: { '/series': failing('internal', 'not implemented') }
}
const WRITE_REFUSAL = 'remote write receiver needs to be enabled with --enable-feature=remote-write-receiver\n'

/**
 * Creates the API over an engine. Reads only; answers have the texts, formats and codes of Prometheus 2.55.
 * @see Prometheus web/api/v1/api.go and web/web.go, v2.55.1
 */
export function createPromApi(options: PromApiOptions): PromApi {
  return { handle: (request) => handle(options, request) }
}

function handle(options: PromApiOptions, request: PromRequest): PromResponse {
  const cleaned = request.path.includes('//') ? request.path.replace(/\/{2,}/g, '/') : request.path
  if (cleaned !== request.path) return redirect(301, cleaned + queryText(request), request.method)
  if (cleaned.startsWith('/api/v1/')) return handleApi(options, request, cleaned.slice('/api/v1'.length))
  return handlePage(options, request, cleaned)
}

function handleApi(options: PromApiOptions, request: PromRequest, path: string): PromResponse {
  const cors = request.headers?.['origin'] === undefined ? NO_HEADERS : CORS_HEADERS
  const known = ROUTES_OF_METHOD[request.method]?.[path]
  if (known !== undefined) return envelope(cors, () => known(options, new Parameters(request)))
  if (request.method === 'OPTIONS') return { status: 204, headers: cors, body: '' }
  if (path.length > 1 && path.endsWith('/') && isKnown(path.slice(0, -1))) {
    return redirect(request.method === 'GET' ? 301 : 308, path.slice(0, -1) + queryText(request), request.method)
  }
  const values = /^\/label\/([^/]+)\/values$/.exec(path)
  if (path === '/write' && request.method === 'POST') return plain(404, WRITE_REFUSAL, request.method)
  const allowed = values === null ? methodsOf(path) : ['GET', 'OPTIONS']
  if (allowed.length === 0) return plain(404, '404 page not found\n', request.method)
  if (!allowed.includes(request.method)) return notAllowed(request.method, allowed)
  return envelope(cors, () => {
    if (values === null) throw new ApiError('not_found', 'not found')
    return labelValues(options, new Parameters(request), decodeURIComponent(values[1] ?? ''))
  })
}

const METHODS_OF_PATH: ReadonlyMap<string, readonly string[]> = methodsOfPaths()
const NO_METHODS: readonly string[] = []

function methodsOfPaths(): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, readonly string[]>()
  for (const [method, routes] of Object.entries(ROUTES_OF_METHOD)) {
    for (const path of Object.keys(routes)) {
      methods.set(path, [...(methods.get(path) ?? ['OPTIONS']), method].toSorted())
    }
  }
  return methods
}

function methodsOf(path: string): readonly string[] {
  return METHODS_OF_PATH.get(path) ?? NO_METHODS
}

function isKnown(path: string): boolean {
  return methodsOf(path).length > 0 || /^\/label\/[^/]+\/values$/.test(path)
}

function envelope(cors: Readonly<Record<string, string>>, produce: () => ApiData): PromResponse {
  const headers = cors === NO_HEADERS ? JSON_HEADERS : { ...JSON_HEADERS, ...cors }
  try {
    const { json, warnings = [], infos = [] } = produce()
    const extra = annotationsJson('warnings', warnings) + annotationsJson('infos', infos)
    return { status: 200, headers, body: `{"status":"success","data":${json}${extra}}` }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const body = JSON.stringify({ status: 'error', errorType: error.errorType, error: error.message })
    return { status: STATUS_OF[error.errorType], headers, body }
  }
}

function annotationsJson(name: string, texts: readonly string[]): string {
  return texts.length === 0 ? '' : `,"${name}":${JSON.stringify(texts)}`
}

function handlePage(options: PromApiOptions, request: PromRequest, path: string): PromResponse {
  const { method } = request
  if (path === '/-/reload' || path === '/-/quit') return lifecycle(method)
  if (path === '/') return redirect(302, '/graph', method)
  const page = pageOf(options, request, path)
  if (page === undefined) return plain(404, '404 page not found\n', method)
  const head = path.startsWith('/-/')
  const allowed = head ? ['GET', 'HEAD', 'OPTIONS'] : ['GET', 'OPTIONS']
  if (!allowed.includes(method)) return notAllowed(method, allowed)
  return method === 'HEAD' ? { status: page.status, headers: {}, body: '' } : page
}

function pageOf(options: PromApiOptions, request: PromRequest, path: string): PromResponse | undefined {
  const text = 'text/plain; charset=utf-8'
  const exposition = 'text/plain; version=0.0.4; charset=utf-8'
  switch (path) {
    case '/-/healthy':
      return { status: 200, headers: { 'content-type': text }, body: 'Prometheus Server is Healthy.\n' }
    case '/-/ready':
      return { status: 200, headers: { 'content-type': text }, body: 'Prometheus Server is Ready.\n' }
    case '/metrics':
      return { status: 200, headers: { 'content-type': exposition }, body: ownMetrics(options) }
    case '/federate':
      return federation(options, request, exposition)
    case '/graph':
      return redirect(301, '/graph/', request.method)
    default:
      return undefined
  }
}

function federation(options: PromApiOptions, request: PromRequest, contentType: string): PromResponse {
  try {
    return { status: 200, headers: { 'content-type': contentType }, body: federate(options, new Parameters(request)) }
  } catch (error) {
    if (!(error instanceof PromqlParseError) && !(error instanceof ApiError)) throw error
    return plain(400, `${error.message}\n`, request.method)
  }
}

function lifecycle(method: string): PromResponse {
  const headers = { 'content-type': 'text/plain; charset=utf-8' }
  if (method !== 'POST' && method !== 'PUT') return { status: 405, headers, body: 'Only POST or PUT requests allowed' }
  return { status: 403, headers, body: 'Lifecycle API is not enabled.' }
}

/** The server's own exposition, as far as the twin has something to tell. */
function ownMetrics(options: PromApiOptions): string {
  const gauge = (name: string, help: string, value: number): MetricFamily => ({
    name,
    help,
    type: 'gauge',
    samples: [{ labels: labelsOf({ __name__: name }), value }]
  })
  return printTextFormat([
    gauge(
      'process_start_time_seconds',
      'Start time of the process since unix epoch in seconds.',
      (options.startMs ?? 0) / 1000
    ),
    gauge(
      'prometheus_ready',
      'Whether Prometheus startup was fully completed and the server is ready for normal operation.',
      1
    ),
    gauge('prometheus_tsdb_head_series', 'Total number of series in the head block.', options.engine.db.seriesCount)
  ])
}

function queryText(request: PromRequest): string {
  if (request.query.length === 0) return ''
  return `?${request.query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')}`
}

function redirect(code: number, location: string, method: string): PromResponse {
  const headers = { 'content-type': 'text/html; charset=utf-8', location }
  const reason = code === 302 ? 'Found' : code === 308 ? 'Permanent Redirect' : 'Moved Permanently'
  const body = method === 'GET' ? `<a href="${location.replaceAll('&', '&amp;')}">${reason}</a>.\n\n` : ''
  return { status: code, headers, body }
}

function plain(code: number, text: string, method: string): PromResponse {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
  return { status: code, headers, body: method === 'HEAD' ? '' : text }
}

function notAllowed(method: string, allowed: readonly string[]): PromResponse {
  const response = plain(405, 'Method Not Allowed\n', method)
  return { ...response, headers: { ...response.headers, allow: allowed.join(', ') } }
}
