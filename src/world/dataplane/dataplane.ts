import type { ApiChange, AppSpec, KubeObject, MeshSpec } from '../../kinds/index.ts'
import { draw } from '../../lib/random/index.ts'
import type { Hold, Timeline } from '../../lib/time/index.ts'
import type { AppContainer, AppCore, AppFetch, AppFetchResult, AppShellResult } from '../../model/app/index.ts'
import {
  ClusterView,
  isMeshed,
  type MeshEndpoint,
  meshIdentity,
  type ObjectReader,
  OutboundProxy,
  type ProxyAnswer,
  ProxyMetrics
} from '../../model/mesh/index.ts'
import type { LoadTester } from '../../model/loadtester/index.ts'
import { clientFetch } from './client-fetch.ts'
import { podKeyOf } from './container.ts'
import type { AppLogLine } from './container-host.ts'
import { type Cancellable, type Holds, HoldUsers } from './holds.ts'
import type { Listener } from './listener.ts'
import type { RequestObservation } from './observation.ts'
import { type EndpointRoute, openOutboundListener } from './outbound-listener.ts'
import { PodHost, type ShellPlace } from './pod-host.ts'
import { type ProbeDone, type ProbeSpec, runProbe } from './probes.ts'
import { Upstream } from './upstream.ts'

/** Who calls: a pod, or a client of the world's own that has no pod. */
export interface ClientIdentity {
  readonly namespace: string
  /** Name of the pod, or of the client. */
  readonly name: string
  /** Default `default`. */
  readonly serviceAccount?: string
  /** Whether it calls through a proxy; default true. */
  readonly meshed?: boolean
}

/** What a data plane is made with. */
export interface DataplaneOptions {
  readonly timeline: Timeline
  /** Absent in a world that follows the wall clock: there requests take the time they take. */
  readonly holds?: Holds
  /** The cluster's objects. */
  readonly api: ObjectReader & { subscribe?(listener: (change: ApiChange) => void): () => void }
  readonly seed: number
  readonly mesh: MeshSpec
  /** Behaviour per image; undefined: not declared. */
  specFor(image: string): AppSpec | undefined
  /** The app of a container that the world itself runs; undefined: one of the described apps. */
  ownApp?(container: AppContainer): AppCore | undefined
  /** Hears of every request of a client once it is over. */
  onRequest?(observation: RequestObservation): void
  /** Runs a command of an app (the load tester's, an exec probe's); absent: every command fails with 127. */
  shell?(place: ShellPlace, argv: readonly string[], timeoutMs: number, hold: Hold | undefined): Promise<AppShellResult>
  /** A container's process ended by itself. */
  onExit?(namespace: string, pod: string, container: string, exitCode: number): void
  /** Real port on loopback of a host that is no Service with pods (the world's Prometheus, an allowed outside host). */
  outside?(host: string, port: number): number | undefined
}

/** How a pod begins. */
export type PodStarted = { readonly startupMs: number } | { readonly imageError: string }

/** Everything between clients and applications. */
export interface Dataplane {
  /** Begins a pod's processes (or one container's again). @returns simulated time until its containers run */
  startPod(pod: KubeObject, container?: string): PodStarted
  /** SIGTERM. @returns simulated milliseconds until the last process has ended */
  terminatePod(pod: KubeObject): number
  /** The pod is gone: listeners close, connections break. */
  stopPod(pod: KubeObject): Promise<void>
  /** Runs one probe; see {@link ProbeSpec}. */
  probe(pod: KubeObject, container: string, probe: ProbeSpec, done: ProbeDone): void
  /** The client's way into the cluster: an HTTP listener that takes requests by their Host header (or absolute URL). */
  outboundFor(client: ClientIdentity): Promise<{ readonly port: number }>
  /** Calls a cluster name (or pod address) as that client. */
  fetch(request: AppFetch, client: ClientIdentity, hold?: Hold): Promise<AppFetchResult>
  /**
   * The client of a request under that hold has given up at this simulated instant. A client that sends by itself calls
   * this before it closes its socket: the close alone reaches the servers only some wall milliseconds later.
   */
  abandon(holdId: number): void
  /** Real port behind a pod's port, past its proxy, as `kubectl port-forward` reaches it; undefined when nothing listens. */
  podAddress(podKey: string, port: number): { readonly port: number } | undefined
  /** The pod's proxy metrics; undefined without a proxy. */
  metricsOf(podKey: string): ProxyMetrics | undefined
  /** A request to the admin server of a pod's proxy, counted as such. @param clientId - the caller's mesh identity */
  admin(podKey: string, path: string, clientId?: string): ProxyAnswer | undefined
  /** Log lines of a container (default: the pod's first); undefined when it does not run. */
  logs(podKey: string, container?: string): readonly AppLogLine[] | undefined
  /** The load testers that run, by pod. */
  loadTesters(): ReadonlyMap<string, LoadTester>
  /** Another behaviour for an image's running containers. */
  changeSpec(image: string, spec: AppSpec): void
  /** What the mesh's control plane knows; told of changes by itself when `api.subscribe` is there. */
  readonly view: ClusterView
  /** Closes every listener. */
  close(): Promise<void>
}

interface Client {
  readonly listener: Listener
  readonly proxy: OutboundProxy
  upstream: Upstream | undefined
}

/** Starts a data plane without pods. */
export function createDataplane(options: DataplaneOptions): Dataplane {
  return new LoopbackDataplane(options)
}

/** Container creation of a kubelet with the image at hand, simulated milliseconds. */
const CREATION_MS = { least: 600, most: 1400 }

class LoopbackDataplane implements Dataplane {
  readonly view: ClusterView
  readonly #options: DataplaneOptions
  readonly #pods = new Map<string, PodHost>()
  readonly #clients = new Map<string, Client>()
  readonly #outside = new Map<number, Upstream>()
  readonly #unsubscribe: () => void
  readonly #users = new HoldUsers()
  readonly #specs = new Map<string, AppSpec>()

  constructor(options: DataplaneOptions) {
    this.#options = options
    this.view = new ClusterView(options.api)
    this.#unsubscribe = options.api.subscribe?.((change) => this.view.changed(change)) ?? ((): void => {})
    this.view.onChange(() => this.#refresh())
  }

  startPod(pod: KubeObject, container?: string): PodStarted {
    const { timeline, seed } = this.#options
    const key = podKeyOf(pod)
    const known = this.#pods.get(key)
    const host = known ?? this.#newHost(pod)
    const undeclared = host.undeclaredImages()[0]
    if (undeclared !== undefined) return { imageError: `no behaviour is declared for image "${undeclared}"` }
    const chance = draw(seed, 0, 'container-creation', key)
    const startupMs = Math.round(CREATION_MS.least + (CREATION_MS.most - CREATION_MS.least) * chance)
    this.#pods.set(key, host)
    host.start(timeline.now() + startupMs, known === undefined ? undefined : container)
    this.#refresh()
    return { startupMs }
  }

  terminatePod(pod: KubeObject): number {
    return this.#pods.get(podKeyOf(pod))?.terminate(this.#options.timeline.now()) ?? 0
  }

  async stopPod(pod: KubeObject): Promise<void> {
    const key = podKeyOf(pod)
    const host = this.#pods.get(key)
    const client = this.#clients.get(key)
    this.#pods.delete(key)
    this.#clients.delete(key)
    const closing = Promise.all([host?.stop(), closeClient(client)])
    this.#refresh()
    await closing
  }

  probe(pod: KubeObject, container: string, probe: ProbeSpec, done: ProbeDone): void {
    const host = this.#pods.get(podKeyOf(pod))
    const { timeline, holds } = this.#options
    if (host === undefined) done(false, 'the pod does not run')
    else {
      const exec = async (
        target: PodHost,
        name: string,
        argv: readonly string[],
        hold: Hold | undefined
      ): Promise<number> => {
        const place = {
          namespace: target.pod.metadata.namespace ?? 'default',
          pod: target.pod.metadata.name,
          container: name
        }
        return (await this.#shell(place, argv, 60_000, hold)).exitCode
      }
      runProbe({ timeline, holds, exec }, { host, container, probe }, done)
    }
  }

  async outboundFor(client: ClientIdentity): Promise<{ readonly port: number }> {
    return { port: await this.#client(client).listener.opened }
  }

  async fetch(request: AppFetch, client: ClientIdentity, hold?: Hold): Promise<AppFetchResult> {
    const known = this.#client(client)
    const port = await known.listener.opened
    known.upstream ??= new Upstream(port)
    const { upstream } = known
    return new Promise((resolve) => {
      clientFetch({ timeline: this.#options.timeline, upstream, request, hold, users: this.#users }, resolve)
    })
  }

  abandon(holdId: number): void {
    this.#users.abandon(holdId)
  }

  podAddress(podKey: string, port: number): { readonly port: number } | undefined {
    const real = this.#pods.get(podKey)?.realPort(port)
    return real === undefined ? undefined : { port: real }
  }

  metricsOf(podKey: string): ProxyMetrics | undefined {
    const host = this.#pods.get(podKey)
    return host?.meshed === true ? host.metrics : undefined
  }

  admin(podKey: string, path: string, clientId?: string): ProxyAnswer | undefined {
    const host = this.#pods.get(podKey)
    return host?.meshed === true && host.up ? host.admin(path, clientId) : undefined
  }

  logs(podKey: string, container?: string): readonly AppLogLine[] | undefined {
    const host = this.#pods.get(podKey)
    const found = container === undefined ? host?.containers.values().next().value : host?.containers.get(container)
    return found?.log
  }

  loadTesters(): ReadonlyMap<string, LoadTester> {
    const found = new Map<string, LoadTester>()
    for (const [key, host] of this.#pods) {
      for (const container of host.containers.values())
        if (container.loadTester !== undefined) found.set(key, container.loadTester)
    }
    return found
  }

  changeSpec(image: string, spec: AppSpec): void {
    this.#specs.set(image, spec)
    for (const host of this.#pods.values()) {
      for (const container of host.containers.values()) if (container.image === image) container.app.change(spec)
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    const pods = [...this.#pods.values()]
    const clients = [...this.#clients.values()]
    this.#pods.clear()
    this.#clients.clear()
    for (const upstream of this.#outside.values()) upstream.close()
    await Promise.all([...pods.map((host) => host.stop()), ...clients.map(closeClient)])
  }

  #newHost(pod: KubeObject): PodHost {
    const { timeline, holds, seed, api, mesh, specFor, ownApp, onExit } = this.#options
    const namespace = pod.metadata.namespace ?? 'default'
    return new PodHost({
      pod,
      meshed: isMeshed(pod, api.get('', 'namespaces', undefined, namespace)),
      reader: api,
      timeline,
      holds,
      users: this.#users,
      seed,
      hopDelays: holds !== undefined,
      adminTraffic: mesh.adminTraffic,
      specFor: (image) => this.#specs.get(image) ?? specFor(image),
      ...(ownApp === undefined ? {} : { ownApp }),
      fetch: (key, request, hold, done) => this.#podFetch(key, request, hold, done),
      shell: (place, argv, timeoutMs, hold) => this.#shell(place, argv, timeoutMs, hold),
      exited: (_key, container, code) => onExit?.(namespace, pod.metadata.name, container, code)
    })
  }

  async #shell(
    place: ShellPlace,
    argv: readonly string[],
    timeoutMs: number,
    hold: Hold | undefined
  ): Promise<AppShellResult> {
    const run = this.#options.shell
    if (run === undefined) return { exitCode: 127, output: `${argv[0] ?? ''}: not found\n` }
    return run(place, argv, timeoutMs, hold)
  }

  #podFetch(
    key: string,
    request: AppFetch,
    hold: Hold | undefined,
    done: (result: AppFetchResult) => void
  ): Cancellable {
    const [namespace = '', name = ''] = key.split('/')
    const client = this.#client({ namespace, name })
    let call: Cancellable | undefined
    let off = false
    const send = (port: number): void => {
      if (off) return
      client.upstream ??= new Upstream(port)
      call = clientFetch(
        { timeline: this.#options.timeline, upstream: client.upstream, request, hold, users: this.#users },
        done
      )
    }
    const { port } = client.listener
    if (port !== 0) send(port)
    else void client.listener.opened.then(send)
    return {
      cancel: () => {
        off = true
        call?.cancel()
      }
    }
  }

  #client(identity: ClientIdentity): Client {
    const key = `${identity.namespace}/${identity.name}`
    const known = this.#clients.get(key)
    if (known !== undefined) return known
    const { timeline, holds, seed, onRequest } = this.#options
    const host = this.#pods.get(key)
    const meshed = host?.meshed ?? identity.meshed ?? true
    const account = host === undefined ? (identity.serviceAccount ?? 'default') : serviceAccountOf(host.pod)
    const proxy = new OutboundProxy({
      view: meshed ? this.view : this.#plainView(),
      metrics: host?.metrics ?? new ProxyMetrics(),
      timeline,
      seed,
      clientNamespace: identity.namespace,
      alive: (endpoint) => this.#alive(endpoint),
      latchesMode: false
    })
    const listener = openOutboundListener({
      client: key,
      identity: meshed ? meshIdentity(account, identity.namespace) : undefined,
      timeline,
      holds,
      users: this.#users,
      seed,
      hopDelays: holds !== undefined,
      proxy,
      route: (endpoint) => this.#route(endpoint),
      loopback: (port) => this.#pods.get(key)?.appUpstream(port),
      outside: (name, port) => this.#outsideUpstream(name, port),
      onRequest: (observation) => onRequest?.(observation)
    })
    const client = { listener, proxy, upstream: undefined }
    this.#clients.set(key, client)
    return client
  }

  /** What a client without a proxy sees: plain Services, no splits and no routes. */
  #plainView(): ClusterView {
    const { api } = this.#options
    const routing = new Set(['split.smi-spec.io', 'linkerd.io', 'gateway.networking.k8s.io', 'policy.linkerd.io'])
    const view = new ClusterView({
      list: (group, resource, namespace) => (routing.has(group) ? [] : api.list(group, resource, namespace)),
      get: (group, resource, namespace, name) =>
        routing.has(group) ? undefined : api.get(group, resource, namespace, name)
    })
    api.subscribe?.((change) => view.changed(change))
    return view
  }

  #alive(endpoint: MeshEndpoint): boolean {
    // An endpoint without a proxy stays in the balancer whatever becomes of it; its requests fail one by one.
    if (endpoint.pod === undefined || endpoint.identity === undefined) return true
    return this.#pods.get(endpoint.pod)?.up === true
  }

  #route(endpoint: MeshEndpoint): EndpointRoute | undefined {
    const host = endpoint.pod === undefined ? undefined : this.#pods.get(endpoint.pod)
    if (host === undefined) return undefined
    const upstream = host.meshed ? host.proxyUpstream() : host.appUpstream(endpoint.port)
    if (upstream === undefined) return undefined
    return { upstream, proxied: host.meshed, image: host.imageOf(endpoint.port) }
  }

  #outsideUpstream(name: string, port: number): Upstream | undefined {
    const real = this.#options.outside?.(name, port)
    if (real === undefined) return undefined
    let upstream = this.#outside.get(real)
    if (upstream === undefined) {
      upstream = new Upstream(real)
      this.#outside.set(real, upstream)
    }
    return upstream
  }

  #refresh(): void {
    for (const client of this.#clients.values()) client.proxy.refresh()
  }
}

function serviceAccountOf(pod: KubeObject): string {
  const { spec } = pod
  const named =
    typeof spec === 'object' && spec !== null && 'serviceAccountName' in spec ? spec.serviceAccountName : undefined
  return typeof named === 'string' ? named : 'default'
}

async function closeClient(client: Client | undefined): Promise<void> {
  client?.upstream?.close()
  await client?.listener.close()
}
