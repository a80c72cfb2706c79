import { randomStream } from '../../lib/random/index.ts'
import { type Controller, parseFlags, resolveSettings, startController } from '../controller/index.ts'
import type { ClientIdentity } from '../dataplane/index.ts'
import { createOutbound } from '../outbound/index.ts'
import type { WorldSpec } from '../world.ts'
import type { WorldClock } from './clock.ts'
import type { ControlPlane } from './control-plane.ts'
import { flaggerLogLine, traceOfEffect } from './controller-trace.ts'
import { imagesOf, roleOfImage } from './images.ts'
import type { LogBook } from './log-book.ts'
import { countUserRequests, type WorldMetrics } from './metrics.ts'
import { isPrometheus, type Network } from './network.ts'
import { TickEvidence } from './tick-evidence.ts'
import type { TraceLog } from './trace-log.ts'

/** Where Flagger of the tutorials finds Linkerd's Prometheus. */
const METRICS_SERVER = 'http://prometheus.linkerd-viz:9090'

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
  const evidence = new TickEvidence()
  const source = {
    canaryOf: (canary: string) => {
      const dot = canary.indexOf('.')
      return api.get('flagger.app', 'canaries', canary.slice(dot + 1), canary.slice(0, dot))
    },
    userRequests: (workload: string, namespace: string, windowMs: number) =>
      countUserRequests(metrics.engine, workload, namespace, windowMs, clock.now())
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
    fetchImpl: (input, init) => outbound.fetch(String(input), init ?? {}),
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

/** Flags of the scenario over those of a Flagger among the manifests over what the mesh calls for. */
export function controllerFlags(spec: WorldSpec): Readonly<Record<string, string>> {
  return {
    'mesh-provider': spec.mesh.provider,
    'metrics-server': METRICS_SERVER,
    ...flagsOfManifests(spec),
    ...spec.controller.flags
  }
}

interface WithContainers {
  readonly template?: {
    readonly spec?: { readonly containers?: readonly { readonly image?: string; readonly args?: readonly string[] }[] }
  }
}

function flagsOfManifests(spec: WorldSpec): Readonly<Record<string, string>> {
  for (const object of spec.manifests) {
    const isController = imagesOf(object).some((image) => {
      const role = roleOfImage(image, spec.images)
      return role.role === 'stand-in' && role.part === 'controller'
    })
    if (!isController) continue
    const containers = (object.spec as WithContainers | undefined)?.template?.spec?.containers ?? []
    return parseFlags(containers.flatMap((container) => container.args ?? []))
  }
  return {}
}

/**
 * Where a URL of the controller is answered: the world's Prometheus, a Service of the cluster through the controller's
 * own proxy, or (undefined) the world outside.
 */
function insideAddress(
  { controlPlane, metrics }: ControllerSideOptions,
  url: string,
  proxyPort: number
): string | undefined {
  const { hostname, port, pathname, search } = new URL(url)
  const rest = `${pathname}${search}`
  if (isPrometheus(hostname, Number(port))) return `${metrics.listener.url}${rest}`
  return isClusterName(controlPlane, hostname) ? `http://127.0.0.1:${proxyPort}${rest}` : undefined
}

/** `name`, `name.namespace`, `name.namespace.svc…`, an address: hosts that a pod's resolver finds in the cluster. */
function isClusterName({ api }: ControlPlane, host: string): boolean {
  if (/^[\d.]+$/.test(host)) return true
  const [, namespace, svc] = host.split('.')
  if (namespace === undefined || svc === 'svc') return true
  return svc === undefined && api.get('', 'namespaces', undefined, namespace) !== undefined
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
