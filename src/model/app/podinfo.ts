import { keptByParts } from '../../lib/memory/index.ts'
import { draw } from '../../lib/random/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import type { AppCore, AppOptions, AppRequest, AppTermination } from './app.ts'
import { pathOf } from './faults.ts'
import { textError } from './go-http.ts'
import { type AppAnswer, type AppPlan, readNow, respond, sleep } from './plan.ts'
import { type PodinfoConfig, podinfoConfig } from './podinfo-config.ts'
import {
  instant,
  metricsAnswer,
  PODINFO_HANDLERS,
  type PodinfoHandling,
  type PodinfoProcess,
  type PodinfoState
} from './podinfo-handlers.ts'
import { PodinfoMetrics, routeLabel } from './podinfo-metrics.ts'
import { PODINFO_ROUTES, type PodinfoHandler, type PodinfoRoute } from './podinfo-routes.data.ts'
import { cleanPath, type CompiledTemplate, compileTemplate, matchTemplate } from './router.ts'
import { atLeast } from './version.ts'

interface Route extends PodinfoRoute {
  readonly compiled: CompiledTemplate
  readonly label: string
  readonly handle: PodinfoHandling
}

const ALWAYS_THERE: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/**
 * stefanprodan/podinfo, versions 1.x to 6.14: every endpoint but websockets, pprof and the cache server.
 * @see /conformance/podinfo for what was recorded from the real one
 */
export function createPodinfo(options: AppOptions): AppCore {
  const config = podinfoConfig(options.container, options.spec.version)
  const state: PodinfoState = {
    healthy: !config.unhealthy,
    ready: !config.unready,
    faultInjection: false,
    store: new Map(),
    metrics: new PodinfoMetrics()
  }
  const routes = compileRoutes(config)
  const server: Server = { config, state, options, routes }
  return {
    version: config.version,
    ports: config.metricsPort > 0 ? [config.port, config.metricsPort] : [config.port],
    startupMs: 300,
    serve: (request, now) =>
      request.port === config.metricsPort && config.metricsPort > 0
        ? instant(metricsPortAnswer(request, state, options))
        : serveMain(server, request, now),
    standing: (request) => isStanding(config, routes, request),
    background: () => [{ name: 'start', task: startLog(config) }],
    terminate: () => terminate(config, state)
  }
}

interface Server extends PodinfoProcess {
  readonly routes: readonly Route[]
}

/** Routes by version and prefix: every process of a version has the same. */
const compiled = new Map<string, readonly Route[]>()

/** Most versions and prefixes whose routes are kept. */
const COMPILED_MAX = 100

function compileRoutes(config: PodinfoConfig): readonly Route[] {
  const key = `${config.version} ${config.prefix}`
  const known = compiled.get(key)
  if (known !== undefined) return known
  const routes = PODINFO_ROUTES.filter(
    (route) =>
      atLeast(config.version, route.since) && (route.until === undefined || !atLeast(config.version, route.until))
  ).map((route) => {
    const bare = route.template === '/' ? config.prefix || '/' : `${config.prefix}${route.template}`
    const template = route.handler === 'metrics' || route.handler === 'pprof' ? route.template : bare
    return {
      ...route,
      compiled: compileTemplate(template),
      label: routeLabel(route.name ?? route.template),
      handle: PODINFO_HANDLERS[route.handler]
    }
  })
  if (compiled.size >= COMPILED_MAX) compiled.clear()
  compiled.set(key, routes)
  return routes
}

/** Handlers whose answers follow from the process and the request alone. */
const STANDING_HANDLERS: ReadonlySet<PodinfoHandler> = new Set([
  'info',
  'version',
  'env',
  'headers',
  'healthz',
  'readyz',
  'status',
  'cache',
  'configs',
  'fault-status',
  'swagger',
  'websocket',
  'pprof'
])

function isStanding(config: PodinfoConfig, routes: readonly Route[], request: AppRequest): boolean {
  if (config.randomDelay || config.randomError) return false
  const path = pathOf(request.target)
  if (request.port === config.metricsPort && config.metricsPort > 0) return path !== '/metrics'
  const { route } = findRoute(routes, request.method, path)
  return route === undefined || STANDING_HANDLERS.has(route.handler)
}

interface Found {
  /** Undefined: none takes the path, or none the method. */
  readonly route: Route | undefined
  readonly variables: Readonly<Record<string, string>>
  /** Whether a route takes the path, with whatever method. */
  readonly known: boolean
}

/** Most requests whose routes are kept. */
const FOUND_MAX = 500

/** Nearly all requests are alike. */
const findRoute = keptByParts(FOUND_MAX, (routes: readonly Route[], method: string, path: string): Found => {
  let known = false
  for (const route of routes) {
    const variables = matchTemplate(route.compiled, path)
    if (variables === undefined) continue
    known = true
    if (route.methods.length === 0 || route.methods.includes(method)) return { route, variables, known }
  }
  return { route: undefined, variables: {}, known }
})

function* serveMain(server: Server, request: AppRequest, now: Instant): AppPlan {
  const path = pathOf(request.target)
  const clean = cleanPath(path)
  if (clean !== path) {
    const query = request.target.slice(path.length)
    return respond(301, { Location: clean + query }, '')
  }
  const { route, variables, known } = findRoute(server.routes, request.method, path)
  if (route === undefined) return known ? respond(405, {}, '') : textError(404, '404 page not found\n')
  const answer = yield* middleware(server, request, path, () => route.handle(server, request, variables))
  if (answer.kind === 'response') {
    const took = ((yield* readNow()) - now) / 1000
    server.state.metrics.observe(request.method, route.label, answer.status, took)
    if (took * 1000 > server.config.serverTimeoutMs) return { kind: 'close' }
  }
  return answer
}

/** Fault injection, then the random delay, then the random error, as podinfo chains them. */
function middleware(server: Server, request: AppRequest, path: string, handle: () => AppPlan): AppPlan {
  const { config, state } = server
  const plain = config.prefix !== '' && path.startsWith(config.prefix) ? path.slice(config.prefix.length) : path
  if (state.faultInjection && !isExcluded(plain)) {
    return instant(textError(500, '{"status":"fault injection enabled"}\n'))
  }
  return config.randomDelay || config.randomError ? byChance(server, request, handle) : handle()
}

function* byChance(server: Server, request: AppRequest, handle: () => AppPlan): AppPlan {
  const { config } = server
  const now = yield* readNow()
  if (config.randomDelay) {
    if (config.randomDelayMax <= config.randomDelayMin) return { kind: 'close' }
    const range = config.randomDelayMax - config.randomDelayMin
    const units = config.randomDelayMin + Math.floor(range * chance(server, request, now, 'delay'))
    yield* sleep(units * config.randomDelayUnitMs)
  }
  if (config.randomError) {
    const at = yield* readNow()
    if (chance(server, request, at, 'error') < 1 / 3) {
      return respond([500, 400, 409][Math.floor(3 * chance(server, request, at, 'status'))] ?? 500, {}, '')
    }
  }
  return yield* handle()
}

function isExcluded(path: string): boolean {
  return path.startsWith('/fault_injection') || path.startsWith('/debug/') || ALWAYS_THERE.has(path)
}

/**
 * podinfo seeds its draws with the wall-clock second for each request. Built with Go below 1.24 (podinfo before 6.8.0)
 * all requests of one second therefore draw the same; from then on that call does nothing.
 */
function chance(server: Server, request: AppRequest, now: Instant, what: string): number {
  return atLeast(server.config.version, '6.8.0')
    ? draw(server.options.seed, 0, 'podinfo', what, request.key)
    : draw(0, Math.floor(now / 1000), 'podinfo', what)
}

function metricsPortAnswer(request: AppRequest, state: PodinfoState, options: AppOptions): AppAnswer {
  const path = pathOf(request.target)
  if (path === '/healthz') return respond(200, { 'Content-Type': 'text/plain; charset=utf-8' }, 'OK')
  if (path === '/metrics') return metricsAnswer(state, options)
  return textError(404, '404 page not found\n')
}

function* startLog(config: PodinfoConfig): Generator<{ readonly effect: 'log'; readonly line: string }, void, unknown> {
  const fields = { version: config.version, revision: config.revision, port: String(config.port) }
  yield { effect: 'log', line: JSON.stringify({ level: 'info', msg: 'Starting podinfo', ...fields }) }
}

/** SIGTERM: probes fail at once, three seconds of normal service, then the listeners close. */
function terminate(config: PodinfoConfig, state: PodinfoState): AppTermination {
  state.healthy = false
  state.ready = false
  return { drainMs: config.level === 'debug' ? 0 : 3000, shutdownMs: config.shutdownTimeoutMs, exitCode: 0 }
}
