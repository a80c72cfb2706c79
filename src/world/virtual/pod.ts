import type { AppSpec, KubeObject } from '../../kinds/index.ts'
import { draw, randomStream } from '../../lib/random/index.ts'
import type { Instant, Timeline } from '../../lib/time/index.ts'
import { Labels } from '../../lib/tsdb/index.ts'
import type { AppFetch, AppFetchResult, AppShellResult } from '../../model/app/index.ts'
import {
  ADMIN_PORT,
  inboundTarget,
  isMeshed,
  meshIdentity,
  type ObjectReader,
  podEndpoint
} from '../../model/mesh/index.ts'
import type { CounterGroup } from '../../model/scrape/index.ts'
import { containersOf, podKeyOf, portNumber, readContainer, type ShellPlace } from '../dataplane/index.ts'
import { VirtualContainer } from './container.ts'
import { singleLatency } from './latency.ts'
import { ProxyBook, type TargetCounters } from './proxy-book.ts'
import { StandingProbes } from './standing-probes.ts'

/** Period of the kubelet's probes of the proxy. @see linkerd2 edge-26.8.3 charts/partials/templates/_proxy.tpl */
const PROXY_PROBE_PERIOD_MS = 10_000

/** Most kinds of incoming requests whose counters are at hand. */
const INBOUND_MAX = 8

/** Containers that are proxies, where a pod shows its own. */
const PROXY_CONTAINERS: ReadonlySet<string> = new Set(['linkerd-proxy'])

/** What a pod needs of its world. */
export interface PodPorts {
  readonly timeline: Timeline
  readonly reader: ObjectReader
  readonly seed: number
  /** Whether the mesh's own requests count. */
  readonly adminTraffic: boolean
  specFor(image: string): AppSpec | undefined
  fetch(pod: VirtualPod, request: AppFetch, done: (result: AppFetchResult) => void): void
  shell(place: ShellPlace, argv: readonly string[], timeoutMs: number, done: (result: AppShellResult) => void): void
  exited(pod: VirtualPod, container: string, code: number): void
  /** Called before what the pod answers changes. */
  changing(): void
  /** A container answers from now on. */
  listening(pod: VirtualPod, container: VirtualContainer): void
}

/** One request, or many alike, as a pod's proxy counts it. */
export interface InboundOf {
  readonly port: number
  readonly method: string
  /** Path without query. */
  readonly path: string
  /** The client's mesh identity; undefined: it has none. */
  readonly identity: string | undefined
}

/** A pod that runs: its containers' apps and, where it is meshed, what its proxy has counted. */
export class VirtualPod {
  readonly key: string
  readonly namespace: string
  readonly meshed: boolean
  readonly ip: string
  /** Mesh identity; undefined without a proxy. */
  readonly identity: string | undefined
  readonly object: KubeObject
  readonly book: ProxyBook = new ProxyBook()
  readonly containers: Map<string, VirtualContainer> = new Map<string, VirtualContainer>()
  readonly probes: StandingProbes
  up = true
  readonly #ports: PodPorts
  readonly #probed: ReadonlySet<string>
  /** Who counts what came in lately: mostly the same few kinds of requests come. */
  readonly #inbound: { readonly of: InboundOf; readonly target: TargetCounters }[] = []
  #probeDue: Instant

  constructor(object: KubeObject, ports: PodPorts, at: Instant) {
    this.object = object
    this.key = podKeyOf(object)
    this.namespace = object.metadata.namespace ?? 'default'
    this.#ports = ports
    this.meshed = isMeshed(object, ports.reader.get('', 'namespaces', undefined, this.namespace))
    const status = object.status as { readonly podIP?: string } | undefined
    this.ip = status?.podIP ?? '0.0.0.0'
    const account = podEndpoint(object, this.ip, 0).labels['dst_serviceaccount'] ?? 'default'
    this.identity = this.meshed ? meshIdentity(account, this.namespace) : undefined
    this.#probed = httpProbes(object)
    this.probes = new StandingProbes(randomStream(ports.seed, 'probes', this.key))
    const phase = PROXY_PROBE_PERIOD_MS * draw(ports.seed, 0, 'proxy-probe', this.key)
    this.#probeDue = this.#probesProxy() ? at + phase : Number.POSITIVE_INFINITY
  }

  /** Begins the processes (or, with a name, one of them again) at that instant. */
  start(at: Instant, only?: string): void {
    for (const raw of this.#appContainers()) {
      const name = String(raw['name'])
      if (only !== undefined && name !== only) continue
      const spec = this.#ports.specFor(String(raw['image']))
      if (spec === undefined) continue
      this.containers.get(name)?.end()
      this.containers.set(name, this.#container(spec, raw, at))
    }
  }

  /** The container that answers on a port. */
  listenerOf(port: number): VirtualContainer | undefined {
    for (const container of this.containers.values()) if (container.listensOn(port)) return container
    return undefined
  }

  /** The counters of requests that come in like this one; undefined where nothing counts them. */
  inbound(of: InboundOf, now: Instant): TargetCounters | undefined {
    if (!this.meshed || !this.up) return undefined
    if (of.port === ADMIN_PORT && !this.#ports.adminTraffic) return undefined
    for (const known of this.#inbound) {
      if (
        known.of.port === of.port &&
        known.of.path === of.path &&
        known.of.identity === of.identity &&
        known.of.method === of.method &&
        !known.target.gone
      )
        return known.target
    }
    const target = this.#inboundOf(of, now)
    if (this.#inbound.length >= INBOUND_MAX) this.#inbound.length = 0
    this.#inbound.push({ of, target })
    return target
  }

  #inboundOf(of: InboundOf, now: Instant): TargetCounters {
    const probe = (of.method === 'GET' || of.method === 'HEAD') && this.#probed.has(`${of.port} ${of.path}`)
    // The admin server's series carry its listen address verbatim.
    const ip = of.port === ADMIN_PORT ? '0.0.0.0' : this.ip
    return this.book.target(`in ${of.port} ${of.identity ?? ''} ${probe}`, now, () => inboundLabels(ip, of, probe))
  }

  /** A scrape of the proxy: it counts itself in its own requests, in its responses only from the next one on. */
  scrape(identity: string, now: Instant): { readonly groups: readonly CounterGroup[]; counted(): void } {
    this.#countProbes(now)
    this.probes.count(now)
    const target = this.inbound({ port: ADMIN_PORT, method: 'GET', path: '/metrics', identity }, now)
    target?.request(1, now)
    return {
      groups: this.book.scrape(now),
      counted: () => {
        target?.latency(200, singleLatency(0), now)
        target?.response({ status: 200, success: true }, 1, now)
      }
    }
  }

  /** A request to the proxy's admin server. @returns the status */
  admin(path: string, identity: string | undefined, now: Instant): number {
    const target = this.inbound({ port: ADMIN_PORT, method: 'GET', path, identity }, now)
    const status = path === '/live' || path === '/ready' || path === '/metrics' ? 200 : 404
    target?.request(1, now)
    target?.latency(status, singleLatency(0), now)
    target?.response({ status, success: true }, 1, now)
    return status
  }

  /** SIGTERM. @returns milliseconds until the last process has ended */
  terminate(): number {
    let longest = 0
    for (const container of this.containers.values()) longest = Math.max(longest, container.terminate())
    return longest
  }

  /** Everything of the pod is gone. */
  stop(): void {
    this.#ports.changing()
    this.up = false
    for (const container of this.containers.values()) container.end()
  }

  #probesProxy(): boolean {
    if (!this.meshed || !this.#ports.adminTraffic) return false
    // Where the pod shows its proxy as a container, its kubelet runs these probes itself.
    return !containersOf(this.object).some((container) => PROXY_CONTAINERS.has(String(container['name'])))
  }

  /** The kubelet's `/live` and `/ready` since the last look: they do nothing but count. */
  #countProbes(now: Instant): void {
    if (this.#probeDue > now) return
    const rounds = Math.floor((now - this.#probeDue) / PROXY_PROBE_PERIOD_MS) + 1
    this.#probeDue += rounds * PROXY_PROBE_PERIOD_MS
    const count = 2 * rounds
    const target = this.inbound({ port: ADMIN_PORT, method: 'GET', path: '/live', identity: undefined }, now)
    target?.request(count, now)
    target?.latency(200, singleLatency(0, count), now)
    target?.response({ status: 200, success: true }, count, now)
  }

  #appContainers(): readonly Readonly<Record<string, unknown>>[] {
    return containersOf(this.object).filter((container) => !PROXY_CONTAINERS.has(String(container['name'])))
  }

  #container(spec: AppSpec, raw: Readonly<Record<string, unknown>>, at: Instant): VirtualContainer {
    const { timeline, reader, seed } = this.#ports
    const described = readContainer(this.object, raw, reader)
    const { name } = described
    const place: ShellPlace = { namespace: this.namespace, pod: this.object.metadata.name, container: name }
    const container: VirtualContainer = new VirtualContainer(spec, described, at, {
      timeline,
      seed,
      fetch: (request, done) => this.#ports.fetch(this, request, done),
      shell: (argv, timeoutMs, done) => this.#ports.shell(place, argv, timeoutMs, done),
      exited: (code) => {
        this.containers.delete(name)
        this.#ports.exited(this, name, code)
      },
      changing: () => this.#ports.changing(),
      touched: () => this.probes.wake(timeline.now()),
      listening: () => this.#ports.listening(this, container)
    })
    return container
  }
}

/** Label sets of what comes in by what they are made of: addresses and clients come again in other pods and worlds. */
const labelsOfInbound = new Map<string, Labels>()

/** Most of them that are kept. */
const INBOUND_LABELS_MAX = 500

function inboundLabels(ip: string, { port, identity }: InboundOf, probe: boolean): Labels {
  const key = `${ip} ${port} ${identity ?? ''} ${probe}`
  const known = labelsOfInbound.get(key)
  if (known !== undefined) return known
  if (labelsOfInbound.size >= INBOUND_LABELS_MAX) labelsOfInbound.clear()
  const peer = identity === undefined ? {} : { clientId: identity }
  const labels = Labels.fromPairs(inboundTarget({ ip, port, peer, probe }))
  labelsOfInbound.set(key, labels)
  return labels
}

/** `port path` of every HTTP probe of a pod, the proxy's own included. */
function httpProbes(pod: KubeObject): ReadonlySet<string> {
  const probed = new Set<string>([`${ADMIN_PORT} /live`, `${ADMIN_PORT} /ready`])
  for (const container of containersOf(pod)) {
    for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
      const probe = container[kind] as
        | { readonly httpGet?: { readonly path?: string; readonly port?: unknown } }
        | undefined
      if (probe?.httpGet === undefined) continue
      probed.add(`${portNumber(container, probe.httpGet.port)} ${(probe.httpGet.path ?? '/').split('?')[0] ?? '/'}`)
    }
  }
  return probed
}
