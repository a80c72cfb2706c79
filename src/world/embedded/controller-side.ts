import { randomStream } from '../../lib/random/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { AppContainer, AppCore } from '../../model/app/index.ts'
import {
  type Controller,
  type ControllerSettings,
  type LogEffect,
  resolveSettings,
  startController
} from '../controller/index.ts'
import type { ClientIdentity } from '../dataplane/index.ts'
import {
  absenceCause,
  controllerFlags,
  countUserRequests,
  flaggerLogLine,
  isClusterName,
  isPrometheus,
  TickEvidence,
  traceOfEffect
} from '../joint/index.ts'
import { createOutbound } from '../outbound/index.ts'
import type { WorldSpec } from '../world.ts'
import type { WorldClock } from './clock.ts'
import { controllerApp } from './controller-app.ts'
import { ControllerFleet, isController, type StartProcess } from './controller-fleet.ts'
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
  /** A pod's container ended by itself. */
  readonly exited: (podKey: string, container: string, exitCode: number) => void
  readonly onFailure: (error: unknown) => void
}

/** The controller's processes and what the world asks of them. */
export interface ControllerSide {
  readonly fleet: ControllerFleet
  /** Number of the tick a canary is in. */
  tickOf(canary: string): number
  /** What a pod that stands for the controller answers; undefined for any other container. */
  appOf(container: AppContainer): AppCore | undefined
}

/** Prepares the canary controller, which works over HTTP; what it does goes into the trace. */
export function createControllerSide(options: ControllerSideOptions): ControllerSide {
  const { spec, clock } = options
  const settings = resolveSettings({ flags: controllerFlags(spec), env: spec.controller.env })
  const ticks = new Map<string, number>()
  const fleet = new ControllerFleet({
    spec,
    timeline: clock,
    leaderElection: settings.leaderElection,
    start: (process) => startProcess(options, { settings, ticks, process }),
    exited: options.exited,
    hold: (name) => (clock.holding ? clock.hold(name) : undefined),
    onFailure: options.onFailure
  })
  return {
    fleet,
    tickOf: (canary) => ticks.get(canary) ?? 0,
    appOf: (container) => {
      if (!isController(container.image, spec.images)) return undefined
      const controller = (): Controller | undefined => fleet.behind(container.namespace, container.hostname)
      return controllerApp({ container, port: settings.port, controller })
    }
  }
}

interface Starting {
  readonly settings: ControllerSettings
  readonly ticks: Map<string, number>
  readonly process: Parameters<StartProcess>[0]
}

async function startProcess(
  options: ControllerSideOptions,
  { settings, ticks, process }: Starting
): Promise<Controller> {
  const { spec, clock, controlPlane, network, metrics, trace } = options
  const { bound } = controlPlane
  const { hostname, pod, onExit } = process
  const evidence = new TickEvidence((asked) => absenceCause(metrics.engine, asked, clock.now()))
  const source = evidenceSource(options)
  const outbound = createOutbound({
    allowHosts: spec.allowHosts,
    onCall: (call) => trace.record({ kind: 'outbound', ...call })
  })
  const { port } = await network.plane.outboundFor(FLAGGER)
  return await startController({
    connection: { url: bound.url, ca: bound.ca, token: bound.token },
    timeline: clock,
    ...(clock.holding ? { holds: clock } : {}),
    settings,
    hostname,
    random: randomStream(spec.seed, pod === undefined ? 'controller' : `controller ${hostname}`),
    watchSeen: (resourceVersion) => controlPlane.watchHolds.seen(resourceVersion),
    resolve: (url) => insideAddress(options, url, port),
    fetchImpl: (input, init) => {
      const host = new URL(String(input)).hostname
      if (isUnresolved(options, host)) return Promise.reject(notFound(host))
      return outbound.fetch(String(input), init ?? {})
    },
    onTick: (moment, context) => {
      if (moment === 'begin') ticks.set(context.canary, context.tick)
    },
    onEffect: (effect, result, context) => {
      if (effect.effect === 'log') writeLog(options, effect, pod)
      const body = traceOfEffect(evidence.complete(effect, context), result, context, source)
      if (body !== undefined) trace.record(body)
    },
    onError: options.onFailure,
    ...(onExit === undefined ? {} : { onExit })
  })
}

function evidenceSource({ controlPlane, metrics, clock }: ControllerSideOptions): Parameters<typeof traceOfEffect>[3] {
  return {
    canaryOf: (canary) => {
      const dot = canary.indexOf('.')
      return controlPlane.api.get('flagger.app', 'canaries', canary.slice(dot + 1), canary.slice(0, dot))
    },
    userRequests: (workload, namespace, windowMs) =>
      countUserRequests(metrics.engine, { workload, namespace, windowMs }, clock.now())
  }
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

/** The log of a process belongs to its pod; that of one without a pod to all that stand for it. */
function writeLog(
  { controlPlane, spec, logs, clock }: ControllerSideOptions,
  effect: LogEffect,
  own?: KubeObject
): void {
  const line = flaggerLogLine(effect, clock.now())
  for (const pod of own === undefined ? controlPlane.api.list('', 'pods') : [own]) {
    const { containers = [] } = pod.spec as {
      readonly containers?: readonly { readonly name: string; readonly image?: string }[]
    }
    for (const { name, image = '' } of containers) {
      if (isController(image, spec.images)) logs.write(pod.metadata.namespace ?? '', pod.metadata.name, name, line)
    }
  }
}
