import { createHash } from 'node:crypto'
import { draw } from '../../lib/random/index.ts'
import type { AppOptions, AppRequest } from './app.ts'
import { canonicalHeader, errorAnswer, escapeHtml, jsonAnswer, sniffContentType, textError } from './go-http.ts'
import { signToken, verifyToken } from './jwt.ts'
import { type AppAnswer, type AppFetchResult, type AppPlan, fetchAll, readNow, respond, sleep } from './plan.ts'
import type { PodinfoConfig } from './podinfo-config.ts'
import type { PodinfoMetrics } from './podinfo-metrics.ts'
import type { PodinfoHandler } from './podinfo-routes.data.ts'
import { atLeast } from './version.ts'

/** What a podinfo process remembers. */
export interface PodinfoState {
  healthy: boolean
  ready: boolean
  faultInjection: boolean
  readonly store: Map<string, string>
  readonly metrics: PodinfoMetrics
}

/** A podinfo process as its handlers see it. */
export interface PodinfoProcess {
  readonly config: PodinfoConfig
  readonly state: PodinfoState
  readonly options: AppOptions
}

/** Handles a request of a route. */
export type PodinfoHandling = (
  process: PodinfoProcess,
  request: AppRequest,
  variables: Readonly<Record<string, string>>
) => AppPlan

/** Largest number of stored bodies; the oldest goes first. */
const STORE_LIMIT = 1000

const TRACING_HEADERS: readonly string[] = [
  'x-request-id',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'x-ot-span-context'
]

/** podinfo's handlers by name. */
export const PODINFO_HANDLERS: Readonly<Record<PodinfoHandler, PodinfoHandling>> = {
  info: ({ config, options }, request) => instant(info(config, options, request)),
  version: ({ config }) => instant(jsonAnswer({ commit: config.revision, version: config.version })),
  echo: ({ config }, request) => echo(config, request),
  env: ({ options }) => instant(jsonAnswer(options.container.env.map(([name, value]) => `${name}=${value}`))),
  headers: ({ config }, request) => instant(jsonAnswer(headersSeen(config, request))),
  delay: (_process, _request, variables) => delay(Number(variables['wait'])),
  chunked,
  healthz: ({ state }) => instant(health(state.healthy)),
  readyz: ({ state }) => instant(health(state.ready)),
  'readyz-enable': ({ state }) => instant(setReady(state, true)),
  'readyz-disable': ({ state }) => instant(setReady(state, false)),
  'fault-enable': ({ state }) => instant(setFault(state, true)),
  'fault-disable': ({ state }) => instant(setFault(state, false)),
  'fault-status': ({ state }) => instant(fault(state, 200)),
  panic: ({ config }) => panic(config),
  status: (_process, _request, variables) => instant(status(Number(variables['code']))),
  'store-write': (process, request) => instant(storeWrite(process, request)),
  'store-read': (process, _request, variables) => instant(storeRead(process, variables['hash'] ?? '')),
  token: ({ config }, request) => token(config, request),
  'token-validate': ({ config }, request) => validateToken(config, request),
  cache: () => instant(errorAnswer(400, 'cache server is offline')),
  configs: ({ config, options }) => instant(jsonAnswer(configFiles(config, options))),
  metrics: ({ state, options }) => instant(metricsAnswer(state, options)),
  swagger: ({ config }) => instant(swagger(config)),
  websocket: () => instant(textError(400, 'Bad Request\n')),
  pprof: () => instant(textError(404, 'Unknown profile\n'))
}

/** A plan that needs nothing of its world. */
// oxlint-disable-next-line require-yield -- it has no effects on purpose
export function* instant(answer: AppAnswer): AppPlan {
  return answer
}

/** What `/metrics` answers on either port. */
export function metricsAnswer(state: PodinfoState, options: AppOptions): AppAnswer {
  const headers = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }
  return respond(200, headers, state.metrics.render(options.startedAt / 1000))
}

function health(ok: boolean): AppAnswer {
  return ok ? HEALTHY : respond(503, {}, '')
}

/** Most requests that a process gets are probes. */
const HEALTHY: AppAnswer = jsonAnswer({ status: 'OK' })

function setReady(state: PodinfoState, ready: boolean): AppAnswer {
  state.ready = ready
  return respond(202, {}, '')
}

function fault(state: PodinfoState, code: number): AppAnswer {
  return jsonAnswer({ fault_injection: state.faultInjection ? 'enabled' : 'disabled' }, code)
}

function setFault(state: PodinfoState, on: boolean): AppAnswer {
  state.faultInjection = on
  return fault(state, 202)
}

function info(config: PodinfoConfig, options: AppOptions, request: AppRequest): AppAnswer {
  const agent = request.headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1] ?? ''
  if (agent.startsWith('Mozilla') && !request.target.startsWith('/api/')) return page(config, options)
  let known = infos.get(options)
  if (known === undefined) infos.set(options, (known = infoAnswer(config, options)))
  return known
}

/** A process says the same each time. */
const infos = new WeakMap<AppOptions, AppAnswer>()

function infoAnswer(config: PodinfoConfig, options: AppOptions): AppAnswer {
  return jsonAnswer({
    hostname: options.container.hostname,
    version: config.version,
    revision: config.revision,
    color: config.color,
    // What is undefined JSON leaves out.
    logo: atLeast(config.version, '3.1.2') ? config.logo : undefined,
    message: config.message,
    goos: 'linux',
    goarch: 'amd64',
    runtime: atLeast(config.version, '6.14.0') ? 'go1.26.0' : 'go1.16.9',
    num_goroutine: '8',
    num_cpu: '2'
  })
}

/** The page for browsers: a mounted `vue.html` with its title filled in, else a small page of the twin. */
function page(config: PodinfoConfig, options: AppOptions): AppAnswer {
  const headers = { 'Content-Type': 'text/html; charset=utf-8' }
  const mounted = options.container.files['./ui/vue.html']
  const title = escapeHtml(options.container.hostname)
  if (mounted !== undefined) {
    const filled = mounted.replaceAll('{{.Title}}', title).replaceAll('{{.Logo}}', escapeHtml(config.logo))
    return respond(200, headers, filled)
  }
  const style = `body{margin:0;min-height:100vh;display:grid;place-items:center;font-family:sans-serif;color:#fff;background:${escapeHtml(config.color)}}`
  const body =
    `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${style}</style></head>` +
    `<body><main><h1>${escapeHtml(config.message)}</h1><p>podinfo ${escapeHtml(config.version)} · ` +
    `<code>${escapeHtml(config.color)}</code> · served by ${title}</p></main></body></html>\n`
  return respond(200, headers, body)
}

function headersSeen(config: PodinfoConfig, request: AppRequest): Record<string, string[]> {
  const seen = new Map<string, string[]>()
  for (const [name, value] of request.headers) {
    const key = canonicalHeader(name)
    if (key === 'Host') continue
    seen.set(key, [...(seen.get(key) ?? []), value])
  }
  seen.set('X-Api-Version', [config.version])
  seen.set('X-Api-Revision', [config.revision])
  return Object.fromEntries([...seen].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function configFiles(config: PodinfoConfig, options: AppOptions): Record<string, string> {
  const folder = config.configPath.replace(/\/+$/, '')
  if (folder === '') return {}
  const files = Object.entries(options.container.files)
    .filter(([path]) => path.startsWith(`${folder}/`))
    .map(([path, content]): [string, string] => [path.slice(folder.length + 1), content])
  return Object.fromEntries(files.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Headers podinfo sends with bodies that are not its own. */
function rawHeaders(version: string, body: string): Record<string, string> {
  if (atLeast(version, '6.12.0')) {
    return {
      'Content-Security-Policy': "default-src 'none'",
      'Content-Type': 'application/octet-stream',
      'X-Content-Type-Options': 'nosniff'
    }
  }
  const type = sniffContentType(body)
  return type === undefined ? {} : { 'Content-Type': type }
}

function* echo(config: PodinfoConfig, request: AppRequest): AppPlan {
  if (config.backendUrls.length === 0) {
    return respond(202, { ...rawHeaders(config.version, request.body), 'X-Color': config.color }, request.body)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of request.headers) {
    if (TRACING_HEADERS.includes(name.toLowerCase())) headers[name] = value
  }
  headers['X-API-Version'] = config.version
  headers['X-API-Revision'] = config.revision
  const calls = config.backendUrls.map((url) => ({
    url,
    method: 'POST',
    headers,
    body: request.body,
    timeoutMs: config.clientTimeoutMs
  }))
  const results = yield* fetchAll(calls)
  const bodies = results.map((result, index) => backendText(config.backendUrls[index] ?? '', result))
  const answer = jsonAnswer(bodies)
  return answer.kind === 'response' ? { ...answer, headers: { ...answer.headers, 'X-Color': config.color } } : answer
}

function backendText(url: string, result: AppFetchResult): string {
  if (!result.ok) return `backend ${url} call failed ${result.message}`
  return result.status >= 400 ? `backend ${url} response status code ${result.status}` : result.body
}

function status(code: number): AppAnswer {
  // Go's server refuses to write such a status and drops the connection.
  return code < 100 || code > 999 ? { kind: 'close' } : jsonAnswer({ status: code }, code)
}

function* panic(config: PodinfoConfig): AppPlan {
  if (atLeast(config.version, '6.2.0')) yield { effect: 'exit', code: 255 }
  return { kind: 'close' }
}

function swagger(config: PodinfoConfig): AppAnswer {
  const info = `{\n        "description": "Go microservice template for Kubernetes.",\n        "title": "Podinfo API",\n        "version": "${config.version}"\n    }`
  const body = `{\n    "schemes": ["http","https"],\n    "swagger": "2.0",\n    "info": ${info},\n    "paths": {}\n}`
  return respond(200, { 'Content-Type': 'text/plain; charset=utf-8' }, body)
}

function* delay(seconds: number): AppPlan {
  yield* sleep(seconds * 1000)
  return jsonAnswer({ delay: seconds })
}

function* chunked(
  { config, options }: PodinfoProcess,
  request: AppRequest,
  variables: Readonly<Record<string, string>>
): AppPlan {
  const wait = variables['wait']
  const most = Math.max(12, Math.floor(config.serverTimeoutMs / 1000))
  const drawn = 10 + Math.floor((most - 10) * draw(options.seed, 0, 'podinfo', 'chunked', request.key))
  const seconds = wait === undefined ? drawn : Number(wait)
  const headers = {
    Connection: 'Keep-Alive',
    'Transfer-Encoding': 'chunked',
    'X-Content-Type-Options': 'nosniff'
  }
  yield { effect: 'head', status: 200, headers }
  yield* sleep(seconds * 1000)
  return respond(200, headers, `{\n  "delay": ${seconds}\n}`)
}

function storeWrite({ config, state }: PodinfoProcess, request: AppRequest): AppAnswer {
  // The image of 1.x has no data folder.
  if (!atLeast(config.version, '2.0.0')) return errorAnswer(500, 'writing file failed')
  const hash = createHash('sha1').update(request.body).digest('hex')
  state.store.set(hash, request.body)
  if (state.store.size > STORE_LIMIT) state.store.delete(state.store.keys().next().value ?? '')
  return jsonAnswer({ hash }, 202)
}

function storeRead({ config, state }: PodinfoProcess, hash: string): AppAnswer {
  if (atLeast(config.version, '6.11.1') && !/^[a-f0-9]{40}$/.test(hash)) return errorAnswer(400, 'invalid hash')
  const content = state.store.get(hash)
  if (content === undefined) return errorAnswer(500, 'reading file failed')
  return respond(202, rawHeaders(config.version, content), content)
}

function* token(config: PodinfoConfig, request: AppRequest): AppPlan {
  const expiresAt = (yield* readNow()) + 60_000
  const name = request.body === '' ? 'anonymous' : request.body
  const signed = signToken(name, expiresAt, config.jwtSecret)
  return jsonAnswer({ token: signed, expires_at: new Date(expiresAt).toISOString() })
}

function* validateToken({ version, jwtSecret }: PodinfoConfig, request: AppRequest): AppPlan {
  const header = request.headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? ''
  const words = header.split(' ')
  if (words.length !== 2 || words[0]?.toLowerCase() !== 'bearer') {
    return errorAnswer(401, 'authorization bearer header required')
  }
  const prefix = atLeast(version, '6.0.0') && !atLeast(version, '6.3.3') ? 'token is malformed: ' : ''
  const verdict = verifyToken(words[1] ?? '', jwtSecret, yield* readNow(), prefix)
  if (!verdict.ok) return errorAnswer(401, verdict.message)
  return jsonAnswer({ token_name: verdict.name, expires_at: new Date(verdict.expiresAt).toISOString() })
}
