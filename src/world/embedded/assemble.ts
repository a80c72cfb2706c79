import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AppSpec } from '../../kinds/index.ts'
import { randomStream } from '../../lib/random/index.ts'
import { arrivalTimes } from '../../model/load/index.ts'
import { type Cluster, createCluster } from '../cluster/index.ts'
import { createWorldShell, type WorldShell } from '../shell/index.ts'
import type { WorldSpec } from '../world.ts'
import type { WorldClock } from './clock.ts'
import type { ControlPlane } from './control-plane.ts'
import { startControllerSide } from './controller-side.ts'
import { EmbeddedWorld } from './embedded-world.ts'
import type { WallFigures } from './figures.ts'
import { kubeletHooks } from './kubelet-hooks.ts'
import { createLoadVersions, type LoadVersions } from './load/load-versions.ts'
import { type OpenLoop, startOpenLoop } from './load/open-loop.ts'
import { openUpstream } from './load/upstream.ts'
import { createLogBook, type LogBook } from './log-book.ts'
import { startMetrics, type WorldMetrics } from './metrics.ts'
import { createNetwork, type Network } from './network.ts'
import { traceOfChange } from './object-trace.ts'
import { podRuntime } from './pod-runtime.ts'
import { shellPorts } from './shell-ports.ts'
import type { TraceLog } from './trace-log.ts'

/** What is there before the rest of a world is put together. */
export interface Foundation {
  readonly spec: WorldSpec
  readonly clock: WorldClock
  readonly trace: TraceLog
  readonly figures: WallFigures
  readonly controlPlane: ControlPlane
  readonly failed: Promise<never>
  readonly fail: (error: unknown) => void
}

/** Puts a world together around its API server: metrics, data plane, cluster, shell, objects, controller, load. */
export async function assembleWorld(foundation: Foundation): Promise<EmbeddedWorld> {
  const { spec, clock, trace, figures, controlPlane, fail } = foundation
  const { api } = controlPlane
  const images: Record<string, AppSpec> = { ...spec.images }
  const logs = createLogBook(clock, (podKey, container) => network.plane.logs(podKey, container))
  const versions = createLoadVersions()
  const metrics = await startMetrics({
    clock,
    seed: spec.seed,
    ...(spec.ports?.prometheus === undefined ? {} : { port: spec.ports.prometheus }),
    onQuery: (wallMs) => figures.spend('queries', wallMs)
  })
  const late: { cluster?: Cluster; shell?: WorldShell } = {}
  const network = createNetwork({
    clock,
    api,
    seed: spec.seed,
    mesh: spec.mesh,
    images,
    shell: () => shell,
    prometheusPort: Number(new URL(metrics.listener.url).port),
    onRequest: (observation) => versions.observe(observation),
    onExit: (namespace, pod, container, exitCode) =>
      late.cluster?.containerExited(`${namespace}/${pod}`, container, exitCode)
  })
  const shell = openShell(foundation, network, logs)
  const runtime = podRuntime({
    plane: network.plane,
    images,
    onUnknownImage: (error) => {
      if (spec.time === 'stepped') fail(error)
    }
  })
  const ticks = { of: (_canary: string): number => 0 }
  const untrace = api.subscribe((change) => {
    const body = traceOfChange(change, (canary) => ticks.of(canary))
    if (body !== undefined) trace.record(body)
    if (body?.kind === 'weight') for (const load of loads) load.changeWeight(body.canaryPercent)
  })
  const cluster = createCluster({ timeline: clock, api, random: randomStream(spec.seed, 'cluster'), runtime })
  late.cluster = cluster
  const scrapes = startScrapes(foundation, network, metrics)
  controlPlane.setHooks(
    kubeletHooks({
      clock,
      shell,
      logs,
      getPod: (namespace, name) => api.get('', 'pods', namespace, name),
      connect: (namespace, pod, port) => connectPod(network, `${namespace}/${pod}`, port)
    })
  )
  const loads: OpenLoop[] = []
  const stops: (() => unknown)[] = [untrace, scrapes]
  const world = new EmbeddedWorld({ ...foundation, metrics, network, shell, images, loads, stops })
  world.applyNow(spec.manifests)
  const side = await startControllerSide({ spec, clock, controlPlane, network, metrics, trace, logs, onFailure: fail })
  ticks.of = (canary) => side.tickOf(canary)
  loads.push(...(await startLoads(foundation, network, versions)))
  stops.push(
    () => side.controller.stop(),
    () => cluster.stop()
  )
  return world
}

function openShell({ clock, controlPlane }: Foundation, network: Network, logs: LogBook): WorldShell {
  const { api } = controlPlane
  const getPod = (namespace: string, name: string): ReturnType<typeof api.get> => api.get('', 'pods', namespace, name)
  return createWorldShell(
    shellPorts({
      clock,
      api: (request) => api.handle(request),
      upstreamOf: async (namespace, pod) =>
        getPod(namespace, pod) === undefined ? undefined : await network.upstreamOf({ namespace, name: pod }),
      logs,
      getPod
    })
  )
}

function startScrapes({ controlPlane, figures }: Foundation, network: Network, metrics: WorldMetrics): () => void {
  const loop = metrics.scrape({
    pods: () => network.discoveredPods(),
    fetch: (task, holdId) => network.scrape(task, holdId),
    onScrape: (wallMs) => figures.spend('scrapes', wallMs)
  })
  const unsubscribe = controlPlane.api.subscribe((change) => {
    if (change.group === '' && change.resource === 'pods') loop.podsChanged()
  })
  return () => {
    unsubscribe()
    loop.stop()
  }
}

async function startLoads(
  foundation: Foundation,
  network: Network,
  versions: LoadVersions
): Promise<readonly OpenLoop[]> {
  const { spec, clock, trace, figures, fail } = foundation
  return await Promise.all(
    spec.load.map(async (load) => {
      const client = { namespace: load.namespace, name: load.name, serviceAccount: 'default' }
      const { port } = await network.plane.outboundFor(client)
      return await startOpenLoop(load, {
        clock,
        upstream: openUpstream(clock, `http://127.0.0.1:${port}`),
        arrivals: arrivalTimes(load, spec.seed),
        versionOf: (key) => versions.take(key),
        record: (body) => trace.record(body),
        onRequest: (wallMs) => figures.spend('requests', wallMs),
        onFailure: fail
      })
    })
  )
}

async function connectPod(network: Network, podKey: string, port: number): Promise<Duplex> {
  const address = network.plane.podAddress(podKey, port)
  if (address === undefined) {
    throw new Error(`failed to connect to localhost:${port} inside namespace of pod ${podKey}: connection refused`)
  }
  return await new Promise((resolve, reject) => {
    const socket = connect(address.port, '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })
}
