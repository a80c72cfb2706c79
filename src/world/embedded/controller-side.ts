import { randomStream } from '../../lib/random/index.ts'
import { type Controller, resolveSettings, startController } from '../controller/index.ts'
import type { ClientIdentity } from '../dataplane/index.ts'
import {
  absenceCause,
  controllerFlags,
  countUserRequests,
  flaggerLogLine,
  isClusterName,
  isPrometheus,
  roleOfImage,
  TickEvidence,
  traceOfEffect
} from '../joint/index.ts'
import { createOutbound } from '../outbound/index.ts'
import type { WorldSpec } from '../world.ts'
import type { WorldClock } from './clock.ts'
import type { ControlPlane } from './control-plane.ts'
import type { LogBook } from './log-book.ts'
import type { WorldMetrics } from './metrics.ts'
import type { Network } from './network.ts'
import type { TraceLog } from './trace-log.ts'

/** The controller's own client in the mesh. */
const FLAGGER: ClientIdentity = { namespace: 'flagger-system', name: 'flagger', serviceAccount: 'flagger' }

/** What the controller is joined to. */
export interface ControllerSideOptions {
  readonly spec: WorldSpec
  readonly clock: WorldClock
  readonly controlPlane: ControlPlane
  readonly network: Network
  readonly metrics: WorldMetrics
  readonly trace: TraceLog
  readonly logs: LogBook
  readonly onFailure: (error: unknown) => void
}

/** A running controller and what the world asks of it. */
export interface ControllerSide {
  readonly controller: Controller
  /** Number of the tick a canary is in. */
  tickOf(canary: string): number
}

/** Starts the canary controller over HTTP and puts what it does into the trace. */
export async function startControllerSide(options: ControllerSideOptions): Promise<ControllerSide> {
  const { spec, clock, controlPlane, network, metrics, trace } = options
  const { api, bound } = controlPlane
  const ticks = new Map<string, number>()
  const evidence = new TickEvidence((asked) => absenceCause(metrics.engine, asked, clock.now()))
  const source = {
    canaryOf: (canary: string) => {
      const dot = canary.indexOf('.')
      return api.get('flagger.app', 'canaries', canary.slice(dot + 1), canary.slice(0, dot))
    },
    userRequests: (workload: string, namespace: string, windowMs: number) =>
      countUserRequests(metrics.engine, { workload, namespace, windowMs }, clock.now())
  }
  const outbound = createOutbound({
    allowHosts: spec.allowHosts,
    onCall: (call) => trace.record({ kind: 'outbound', ...call })
  })
  const { port } = await network.plane.outboundFor(FLAGGER)
  const controller = await startController({
    connection: { url: bound.url, ca: bound.ca, token: bound.token },
    timeline: clock,
    ...(clock.holding ? { holds: clock } : {}),
    settings: resolveSettings({ flags: controllerFlags(spec), env: spec.controller.env }),
    random: randomStream(spec.seed, 'controller'),
    watchSeen: (resourceVersion) => controlPlane.watchHolds.seen(resourceVersion),
    resolve: (url) => insideAddress(options, url, port),
    fetchImpl: (input, init) => {
      const { hostname } = new URL(String(input))
      if (isUnresolved(options, hostname)) return Promise.reject(notFound(hostname))
      return outbound.fetch(String(input), init ?? {})
    },
    onTick: (moment, context) => {
      if (moment === 'begin') ticks.set(context.canary, context.tick)
    },
    onEffect: (effect, result, context) => {
      if (effect.effect === 'log') writeLog(options, flaggerLogLine(effect, clock.now()))
      const body = traceOfEffect(evidence.complete(effect, context), result, context, source)
      if (body !== undefined) trace.record(body)
    },
    onError: options.onFailure
  })
  return { controller, tickOf: (canary) => ticks.get(canary) ?? 0 }
}

/**
 * Where a URL of the controller is answered: the world's Prometheus, a Service of the cluster through the controller's
 * own proxy, or (undefined) the world outside.
 */
function insideAddress(options: ControllerSideOptions, url: string, proxyPort: number): string | undefined {
  const { controlPlane, metrics } = options
  const { hostname, port, pathname, search } = new URL(url)
  const rest = `${pathname}${search}`
  if (isPrometheus(hostname, Number(port))) return `${metrics.listener.url}${rest}`
  if (!isClusterName(controlPlane.api, hostname) || isUnresolved(options, hostname)) return undefined
  return `http://127.0.0.1:${proxyPort}${rest}`
}

/** A cluster name without a Service: the pod's resolver would find nothing. */
function isUnresolved({ controlPlane }: ControllerSideOptions, host: string): boolean {
  if (/^[\d.]+$/.test(host) || !isClusterName(controlPlane.api, host)) return false
  const [name = '', namespace = FLAGGER.namespace] = host.split('.')
  return controlPlane.api.get('', 'services', namespace, name) === undefined
}

/** What Node's resolver says of a name that is not there; the controller puts it into Go's words. */
function notFound(host: string): Error {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' })
}

/** The controller's log belongs to the pods that stand for it. */
function writeLog({ controlPlane, spec, logs }: ControllerSideOptions, line: string): void {
  for (const pod of controlPlane.api.list('', 'pods')) {
    const containers = (
      pod.spec as { readonly containers?: readonly { readonly name: string; readonly image?: string }[] }
    ).containers
    for (const container of containers ?? []) {
      const role = roleOfImage(container.image ?? '', spec.images)
      if (role.role === 'stand-in' && role.part === 'controller') {
        logs.write(pod.metadata.namespace ?? '', pod.metadata.name, container.name, line)
      }
    }
  }
}
