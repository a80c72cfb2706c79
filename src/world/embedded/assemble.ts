import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AppSpec } from '../../kinds/index.ts'
import { invariant } from '../../lib/errors/index.ts'
import { randomStream } from '../../lib/random/index.ts'
import { arrivalTimes } from '../../model/load/index.ts'
import { type Cluster, createCluster } from '../cluster/index.ts'
import { createWorldShell, type WorldShell } from '../shell/index.ts'
import type { WireHooks } from '../wire/index.ts'
import type { WorldSpec } from '../world.ts'
import type { WorldClock } from './clock.ts'
import type { ControlPlane } from './control-plane.ts'
import { type ControllerSide, createControllerSide } from './controller-side.ts'
import { EmbeddedWorld } from './embedded-world.ts'
import type { WallFigures } from './figures.ts'
import { announcePrometheus } from './installed-api.ts'
import { kubeletHooks } from './kubelet-hooks.ts'
import { createLoadVersions, type LoadVersions } from './load/load-versions.ts'
import { type OpenLoop, startOpenLoop } from './load/open-loop.ts'
import { openUpstream } from './load/upstream.ts'
import { createLogBook, type LogBook } from './log-book.ts'
import { startMetrics, type WorldMetrics } from './metrics.ts'
import { createNetwork, type Network } from './network.ts'
import { injectProxy, requireKnownImages, traceOfChange } from '../joint/index.ts'
import { podRuntime, type PodRuntimeOptions } from './pod-runtime.ts'
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
  const { spec, clock, controlPlane, figures } = foundation
  const images: Record<string, AppSpec> = { ...spec.images }
  requireKnownImages(spec.manifests, images)
  const { api } = controlPlane
  controlPlane.setAdmission((request) => injectProxy(request, (name) => api.get('', 'namespaces', undefined, name)))
  const versions = createLoadVersions()
  const metrics = await startMetrics({
    clock,
    seed: spec.seed,
    ...(spec.ports?.prometheus === undefined ? {} : { port: spec.ports.prometheus }),
    onQuery: (wallMs) => figures.spend('queries', wallMs)
  })
  const late: Late = {}
  // Only where a person types: a run's objects hold nothing that differs between two runs of one seed.
  if (spec.time === 'wall') announcePrometheus(api, metrics.listener.url)
  const network = openNetwork(foundation, { images, versions, metrics, late })
  const logs = createLogBook(clock, (podKey, container) => network.plane.logs(podKey, container))
  const shell = openShell(foundation, { network, logs, metrics })
  late.shell = shell
  const loads: OpenLoop[] = []
  const stops: (() => unknown)[] = [traceObjects(foundation, late, loads), startScrapes(foundation, network, metrics)]
  const side = createControllerSide({
    ...foundation,
    network,
    metrics,
    logs,
    exited: (podKey, container, exitCode) => late.cluster?.containerExited(podKey, container, exitCode),
    onFailure: foundation.fail
  })
  late.side = side
  late.cluster = startCluster(foundation, network, { images, fleet: side.fleet })
  stops.push(() => late.cluster?.stop())
  controlPlane.setHooks(kubelet(foundation, { network, shell, logs }))
  const world = new EmbeddedWorld({ ...foundation, metrics, network, shell, images, loads, stops })
  try {
    world.applyNow(spec.manifests)
    stops.unshift(() => side.fleet.stop())
    await side.fleet.begin()
    loads.push(...(await startLoads(foundation, network, versions)))
  } catch (error) {
    await world.stop()
    throw error
  }
  return world
}

/** Parts that others need before they are there. */
interface Late {
  cluster?: Cluster
  shell?: WorldShell
  side?: ControllerSide
}

interface NetworkParts {
  readonly images: Record<string, AppSpec>
  readonly versions: LoadVersions
  readonly metrics: WorldMetrics
  readonly late: Late
}

function openNetwork({ spec, clock, controlPlane }: Foundation, parts: NetworkParts): Network {
  const { images, versions, metrics, late } = parts
  return createNetwork({
    clock,
    api: controlPlane.api,
    seed: spec.seed,
    mesh: spec.mesh,
    images,
    ownApp: (container) => late.side?.appOf(container),
    shell: () => {
      invariant(late.shell !== undefined, 'an app ran a command before there was a shell')
      return late.shell
    },
    prometheusPort: Number(new URL(metrics.listener.url).port),
    onRequest: (observation) => versions.observe(observation),
    onExit: (namespace, pod, container, exitCode) =>
      late.cluster?.containerExited(`${namespace}/${pod}`, container, exitCode)
  })
}

/** Puts what changes among the stored objects into the trace; a new weight closes the loads' step. */
function traceObjects({ controlPlane, trace }: Foundation, late: Late, loads: readonly OpenLoop[]): () => void {
  return controlPlane.api.subscribe((change) => {
    const body = traceOfChange(change, (canary) => late.side?.tickOf(canary) ?? 0)
    if (body !== undefined) trace.record(body)
    if (body?.kind === 'weight') for (const load of loads) load.changeWeight(body.canaryPercent)
  })
}

function startCluster(
  foundation: Foundation,
  network: Network,
  parts: Pick<PodRuntimeOptions, 'images' | 'fleet'>
): Cluster {
  const { spec, clock, controlPlane, fail } = foundation
  const runtime = podRuntime({
    plane: network.plane,
    ...parts,
    onUnknownImage: (error) => {
      if (spec.time === 'stepped') fail(error)
    }
  })
  return createCluster({ timeline: clock, api: controlPlane.api, random: randomStream(spec.seed, 'cluster'), runtime })
}

interface KubeletParts {
  readonly network: Network
  readonly shell: WorldShell
  readonly logs: LogBook
}

function kubelet({ clock, controlPlane }: Foundation, { network, shell, logs }: KubeletParts): WireHooks {
  return kubeletHooks({
    clock,
    shell,
    logs,
    getPod: (namespace, name) => controlPlane.api.get('', 'pods', namespace, name),
    connect: (namespace, pod, port) => connectPod(network, `${namespace}/${pod}`, port)
  })
}

interface ShellParts {
  readonly network: Network
  readonly logs: LogBook
  readonly metrics: WorldMetrics
}

function openShell({ clock, controlPlane }: Foundation, { network, logs, metrics }: ShellParts): WorldShell {
  const { api } = controlPlane
  const getPod = (namespace: string, name: string): ReturnType<typeof api.get> => api.get('', 'pods', namespace, name)
  return createWorldShell(
    shellPorts({
      clock,
      api: (request) => api.handle(request),
      upstreamOf: async (namespace, pod) =>
        getPod(namespace, pod) === undefined ? undefined : await network.upstreamOf({ namespace, name: pod }),
      logs,
      getPod,
      engine: metrics.engine
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
