import { keptByText } from '../../lib/memory/index.ts'
import { randomStream } from '../../lib/random/index.ts'
import type { HttpOutcome } from '../../model/canary/index.ts'
import { meshIdentity } from '../../model/mesh/index.ts'
import type { PromApi } from '../../model/promapi/index.ts'
import type { TraceBody } from '../../trace/index.ts'
import { type HttpEffect, type LocalApi, resolveSettings, startLocalController } from '../controller/index.ts'
import {
  absenceCause,
  controllerFlags,
  countUserRequests,
  isClusterName,
  isPrometheus,
  TickEvidence,
  traceOfEffect
} from '../joint/index.ts'
import type { WorldSpec } from '../world.ts'
import type { Meter } from './meter.ts'
import type { VirtualMetrics } from './metrics.ts'
import type { VirtualClient } from './routes.ts'
import type { Singles } from './singles.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The controller's own client in the mesh. */
const FLAGGER: VirtualClient = {
  key: 'flagger-system/flagger',
  namespace: 'flagger-system',
  identity: meshIdentity('flagger', 'flagger-system')
}

/** What the controller is joined to. */
export interface ControllerSideOptions {
  readonly spec: WorldSpec
  readonly time: VirtualTime
  readonly meter: Meter
  readonly api: LocalApi
  readonly metrics: VirtualMetrics
  readonly singles: Singles
  readonly record: (body: TraceBody) => void
}

/** A running controller and what the world asks of it. */
export interface ControllerSide {
  /** Number of the tick a canary is in. */
  tickOf(canary: string): number
  stop(): void
}

/** Starts the canary controller in the same stack and puts what it does into the trace. */
export function startControllerSide(options: ControllerSideOptions): ControllerSide {
  const { spec, time, meter, api, metrics, record } = options
  const ticks = new Map<string, number>()
  const evidence = new TickEvidence((asked) =>
    meter.in('queries', () => absenceCause(metrics.engine, asked, time.now()))
  )
  let last: { readonly key: string; readonly count: number } | undefined
  const source = {
    canaryOf: (canary: string) => {
      const dot = canary.indexOf('.')
      return api.get('flagger.app', 'canaries', canary.slice(dot + 1), canary.slice(0, dot))
    },
    // The checks of one tick mostly share their window.
    userRequests: (workload: string, namespace: string, windowMs: number) => {
      const key = `${namespace}/${workload} ${windowMs} ${time.now()}`
      if (last?.key !== key) {
        const of = { workload, namespace, windowMs }
        last = { key, count: meter.in('queries', () => countUserRequests(metrics.engine, of, time.now())) }
      }
      return last.count
    }
  }
  const controller = startLocalController({
    settings: resolveSettings({ flags: controllerFlags(spec), env: spec.controller.env }),
    timeline: meter.timeline(time, 'controller'),
    api,
    random: randomStream(spec.seed, 'controller'),
    http: (effect, _context, answer) => exchange(options, effect, answer),
    onTick: (moment, context) => {
      if (moment === 'begin') ticks.set(context.canary, context.tick)
    },
    onEffect: (effect, result, context) => {
      const body = traceOfEffect(evidence.complete(effect, context), result, context, source)
      if (body !== undefined) record(body)
    }
  })
  return { tickOf: (canary) => ticks.get(canary) ?? 0, stop: () => controller.kill() }
}

function exchange(options: ControllerSideOptions, effect: HttpEffect, answer: (outcome: HttpOutcome) => void): void {
  const { hostname, port } = urlOf(effect.request.url)
  if (effect.effect !== 'alert' && isPrometheus(hostname, Number(port))) {
    return answer(options.meter.in('queries', () => askPrometheus(options.metrics.api, effect)))
  }
  if (effect.effect === 'alert' || !isClusterName(options.api, hostname)) return answer(outside(options, effect))
  const { url, method, headers, body = '', timeoutMs } = effect.request
  options.singles.send(FLAGGER, { url, method, headers: flattened(headers), body, timeoutMs }, (result) => {
    if (result.ok) {
      const lower = Object.entries(result.headers).map(([name, value]) => [name.toLowerCase(), value])
      return answer({ ok: true, status: result.status, body: result.body, headers: Object.fromEntries(lower) })
    }
    answer({ ok: false, error: goError(effect, result.reason) })
  })
}

/** The parts of a URL that are read here. */
interface UrlParts {
  readonly hostname: string
  readonly port: string
  readonly pathname: string
  readonly query: readonly (readonly [string, string])[]
}

/** Most URLs whose parts are kept. */
const URLS_MAX = 500

/** A controller asks the same URLs again and again. */
const urlOf = keptByText(URLS_MAX, (text): UrlParts => {
  const { hostname, port, pathname, searchParams } = new URL(text)
  return { hostname, port, pathname, query: [...searchParams] }
})

function askPrometheus(api: PromApi, { request }: HttpEffect): HttpOutcome {
  const { pathname, query } = urlOf(request.url)
  const { method, body = '' } = request
  const form = method === 'POST' ? [...new URLSearchParams(body)] : []
  const { status, headers, body: text } = api.handle({ method, path: pathname, query, form })
  return { ok: true, status, headers, body: text }
}

/** The world outside: noted in the trace, answered by the twin. */
function outside({ record }: ControllerSideOptions, { request }: HttpEffect): HttpOutcome {
  record({ kind: 'outbound', url: request.url, method: request.method, payload: parsed(request.body ?? '') })
  return { ok: true, status: 200, headers: {}, body: 'ok' }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function flattened(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** The words Go's HTTP client has for a failure. */
function goError({ effect, request }: HttpEffect, reason: string): string {
  const { hostname, port } = urlOf(request.url)
  switch (reason) {
    case 'timeout':
      return effect === 'webhook'
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : 'context deadline exceeded'
    case 'unresolved':
      return `dial tcp: lookup ${hostname}: no such host`
    case 'refused':
      return `dial tcp ${hostname}:${port === '' ? '80' : port}: connect: connection refused`
    default:
      return 'EOF'
  }
}
