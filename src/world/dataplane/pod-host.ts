import type { AppSpec, KubeObject } from '../../kinds/index.ts'
import type { Hold, Instant, Timeline } from '../../lib/time/index.ts'
import { draw } from '../../lib/random/index.ts'
import type { AppContainer, AppCore, AppFetch, AppFetchResult, AppShellResult } from '../../model/app/index.ts'
import {
  ADMIN_PORT,
  answerAdmin,
  InboundProxy,
  type ObjectReader,
  type ProxyAnswer,
  ProxyMetrics
} from '../../model/mesh/index.ts'
import { ContainerHost } from './container-host.ts'
import { containersOf, podKeyOf, readContainer } from './container.ts'
import type { Cancellable, Holds, HoldUsers } from './holds.ts'
import { openInboundListener } from './inbound-listener.ts'
import type { Listener } from './listener.ts'
import { Upstream } from './upstream.ts'

/** Kubelet's period for the proxy's own probes. */
const PROXY_PROBE_PERIOD_MS = 10_000
const PROXY_CONTAINERS: ReadonlySet<string> = new Set(['linkerd-proxy', 'linkerd-init', 'istio-proxy'])

/** What a pod needs of the data plane. */
export interface PodHostOptions {
  readonly pod: KubeObject
  readonly meshed: boolean
  readonly reader: ObjectReader
  readonly timeline: Timeline
  readonly holds: Holds | undefined
  readonly users: HoldUsers
  readonly seed: number
  readonly hopDelays: boolean
  readonly adminTraffic: boolean
  /** Behaviour of an image; undefined: not declared. */
  specFor(image: string): AppSpec | undefined
  ownApp?(container: AppContainer): AppCore | undefined
  fetch(pod: string, request: AppFetch, hold: Hold | undefined, done: (result: AppFetchResult) => void): Cancellable
  shell(place: ShellPlace, argv: readonly string[], timeoutMs: number, hold: Hold | undefined): Promise<AppShellResult>
  exited(pod: string, container: string, code: number): void
}

/** Where a shell command of an app runs. */
export interface ShellPlace {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

/** A pod on the wire: its containers' processes and, if meshed, the proxy in front of them. */
export class PodHost {
  readonly key: string
  readonly meshed: boolean
  readonly metrics: ProxyMetrics
  readonly inbound: InboundProxy
  readonly #options: PodHostOptions
  readonly #containers = new Map<string, ContainerHost>()
  #listener: Listener | undefined
  #upstream: Upstream | undefined
  #probes: Cancellable | undefined
  #crash: Cancellable | undefined
  #up = false

  constructor(options: PodHostOptions) {
    this.#options = options
    this.key = podKeyOf(options.pod)
    this.meshed = options.meshed
    this.metrics = new ProxyMetrics()
    const probed = httpProbes(options.pod)
    this.inbound = new InboundProxy({
      metrics: this.metrics,
      adminTraffic: options.adminTraffic,
      ip: () => this.#ip(),
      isProbe: (port, path) => probed.has(`${port} ${path}`)
    })
  }

  get pod(): KubeObject {
    return this.#options.pod
  }

  /** Whether the pod's proxy (or, unmeshed, its network) can be reached. */
  get up(): boolean {
    return this.#up
  }

  /** Containers that are apps of the twin, in order. */
  get containers(): ReadonlyMap<string, ContainerHost> {
    return this.#containers
  }

  /** Images without a declared behaviour. */
  undeclaredImages(): readonly string[] {
    return this.#appContainers()
      .map((container) => String(container['image']))
      .filter((image) => this.#options.specFor(image) === undefined)
  }

  /** Begins the processes (or, with a name, one of them again) at that instant. */
  start(at: Instant, only?: string): void {
    const { timeline, holds, users, seed, reader, pod } = this.#options
    if (only === undefined) this.#openProxy(at)
    for (const raw of this.#appContainers()) {
      const container = readContainer(pod, raw, reader)
      if (only !== undefined && container.name !== only) continue
      const spec = this.#options.specFor(container.image)
      if (spec === undefined) continue
      void this.#containers.get(container.name)?.end()
      const place = { namespace: container.namespace, pod: pod.metadata.name, container: container.name }
      const host = new ContainerHost({
        spec,
        container,
        own: this.#options.ownApp?.(container),
        seed,
        timeline,
        holds,
        users,
        startedAt: at,
        fetch: (request, hold, done) => this.#options.fetch(this.key, request, hold, done),
        shell: (argv, timeoutMs, hold) => this.#options.shell(place, argv, timeoutMs, hold),
        exited: (code) => this.#exited(container.name, code)
      })
      this.#containers.set(container.name, host)
      this.#armCrash(container.name, host, at)
    }
  }

  /** The way into the pod's proxy; undefined when it is down or there is none. */
  proxyUpstream(): Upstream | undefined {
    const port = this.#listener?.port ?? 0
    if (!this.#up || port === 0) return undefined
    this.#upstream ??= new Upstream(port)
    return this.#upstream
  }

  /** The way to an application's port, past the proxy. */
  appUpstream(port: number): Upstream | undefined {
    for (const container of this.#containers.values()) {
      const upstream = container.upstream(port)
      if (upstream !== undefined) return upstream
    }
    return undefined
  }

  /** The real port on loopback behind a port of the pod, past the proxy, as `kubectl port-forward` reaches it. */
  realPort(port: number): number | undefined {
    for (const container of this.#containers.values()) {
      const real = container.realPort(port)
      if (real !== undefined) return real
    }
    return undefined
  }

  /** The real port of the proxy's inbound listener, once open. */
  proxyPort(): number | undefined {
    return this.#listener?.port === 0 ? undefined : this.#listener?.port
  }

  /** The container behind a port, for observers. */
  imageOf(port: number): string | undefined {
    for (const container of this.#containers.values()) if (container.app.ports.includes(port)) return container.image
    return undefined
  }

  /** A request to the proxy's admin server. */
  admin(path: string, clientId: string | undefined): ProxyAnswer {
    const { timeline, adminTraffic } = this.#options
    const peer = clientId === undefined ? {} : { clientId }
    const admin = { inbound: this.inbound, metrics: this.metrics, ready: this.#up, counted: adminTraffic }
    return answerAdmin({ method: 'GET', path, peer }, admin, timeline.now())
  }

  /** SIGTERM to every container. @returns milliseconds until the last process has ended */
  terminate(now: Instant): number {
    const times = [...this.#containers.values()].map((container) => container.terminate(now))
    return Math.max(0, ...times)
  }

  /** Everything of the pod is gone. */
  async stop(): Promise<void> {
    this.#up = false
    this.#probes?.cancel()
    this.#crash?.cancel()
    this.#upstream?.close()
    await Promise.all([
      this.#listener?.close() ?? Promise.resolve(),
      ...[...this.#containers.values()].map((container) => container.end())
    ])
  }

  #appContainers(): readonly Readonly<Record<string, unknown>>[] {
    return containersOf(this.#options.pod).filter((container) => !PROXY_CONTAINERS.has(String(container['name'])))
  }

  #ip(): string {
    const { reader, pod } = this.#options
    const stored = reader.get('', 'pods', pod.metadata.namespace, pod.metadata.name) ?? pod
    const status = stored.status
    const ip = typeof status === 'object' && status !== null && 'podIP' in status ? status.podIP : undefined
    return typeof ip === 'string' ? ip : '0.0.0.0'
  }

  #openProxy(at: Instant): void {
    const { timeline, holds, users, seed, hopDelays, adminTraffic } = this.#options
    if (!this.meshed) {
      this.#up = true
      return
    }
    const name = this.key
    const { metrics } = this
    this.#listener = openInboundListener({
      name,
      timeline,
      holds,
      users,
      seed,
      hopDelays,
      proxy: this.inbound,
      metrics,
      adminTraffic,
      upstream: (port) => this.appUpstream(port)
    })
    this.#up = true
    const declared = containersOf(this.#options.pod).some((container) =>
      PROXY_CONTAINERS.has(String(container['name']))
    )
    // Where the pod shows its proxy as a container, its kubelet runs these probes itself.
    if (adminTraffic && !declared) this.#probeProxy(at + PROXY_PROBE_PERIOD_MS * draw(seed, 0, 'proxy-probe', name))
  }

  #probeProxy(due: Instant): void {
    this.#probes = this.#options.timeline.at(due, () => {
      if (!this.#up) return
      this.admin('/live', undefined)
      this.admin('/ready', undefined)
      this.#probeProxy(due + PROXY_PROBE_PERIOD_MS)
    })
  }

  #armCrash(name: string, host: ContainerHost, at: Instant): void {
    const crash = host.app.crash()
    if (crash === undefined) return
    this.#crash = this.#options.timeline.at(at + crash.afterMs, () => {
      if (this.#containers.get(name) === host) this.#exited(name, crash.exitCode)
    })
  }

  #exited(name: string, code: number): void {
    void this.#containers.get(name)?.end()
    this.#containers.delete(name)
    this.#options.exited(this.key, name, code)
  }
}

/** `port path` of every HTTP probe of a pod, the proxy's own included. */
function httpProbes(pod: KubeObject): ReadonlySet<string> {
  const probed = new Set<string>([`${ADMIN_PORT} /live`, `${ADMIN_PORT} /ready`])
  for (const container of containersOf(pod)) {
    for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
      const probe = container[kind]
      if (typeof probe !== 'object' || probe === null || !('httpGet' in probe)) continue
      const get = probe.httpGet
      if (typeof get !== 'object' || get === null || !('port' in get)) continue
      const path = 'path' in get && typeof get.path === 'string' ? get.path : '/'
      probed.add(`${portNumber(container, get.port)} ${path.split('?')[0] ?? '/'}`)
    }
  }
  return probed
}

/** Number of a port that a container may have given a name. */
export function portNumber(container: Readonly<Record<string, unknown>>, port: unknown): number {
  if (typeof port === 'number') return port
  const ports: readonly unknown[] = Array.isArray(container['ports']) ? container['ports'] : []
  for (const entry of ports) {
    if (
      typeof entry === 'object' &&
      entry !== null &&
      'name' in entry &&
      entry.name === port &&
      'containerPort' in entry
    ) {
      return Number(entry.containerPort)
    }
  }
  return Number(port) || 0
}
