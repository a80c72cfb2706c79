import { draw } from '../../lib/random/index.ts'
import type { Instant, Timeline } from '../../lib/time/index.ts'
import { Balancer } from './balancer.ts'
import type {
  ClusterView,
  MeshEndpoint,
  RouteIdentity,
  ServicePort,
  ServiceRouting,
  WeightedBackend
} from './cluster-view.ts'
import { backendLabels, parentLabels, routeLabels } from './labels.ts'
import type { LabelList, ProxyMetrics } from './proxy-metrics.ts'

/** How long an unused stack stays, milliseconds: the chart's default. */
export const STACK_IDLE_MS = 5000

/** What every stack of one client's proxy shares. */
export interface StackContext {
  readonly view: ClusterView
  readonly metrics: ProxyMetrics
  readonly timeline: Timeline
  readonly seed: number
  readonly clientNamespace: string
  readonly alive: (endpoint: MeshEndpoint) => boolean
  /** Whether the way of routing is decided once per stack, as in the real proxy. */
  readonly latchesMode: boolean
  /** How long an unused stack stays, milliseconds; default {@link STACK_IDLE_MS}. */
  readonly stackIdleMs?: number
}

/** Labels of a route and a backend, made once. */
export interface RouteSeries {
  readonly request: LabelList
  readonly backend: LabelList
}

/**
 * What a client's proxy keeps for one service address while it is in use: the way of routing, the balancers of its
 * backends, the labels of its series.
 */
export class OutboundStack {
  readonly service: ServicePort
  readonly #context: StackContext
  readonly #balancers = new Map<string, Balancer>()
  readonly #series = new Map<string, RouteSeries>()
  readonly #mode: 'profile' | 'policy'
  #version = -1
  inFlight = 0
  lastUsed: Instant

  constructor(service: ServicePort, context: StackContext) {
    this.service = service
    this.#context = context
    this.lastUsed = context.timeline.now()
    const routing = context.view.routing(service, context.clientNamespace)
    this.#mode = routing.mode
    // In policy mode the service's own backend is always built, whether or not a route uses it.
    if (routing.mode === 'policy') this.balancer(service)
    this.#build(routing)
  }

  /** The routing as this stack sees it: where the mode is latched a later change of it is not seen. */
  routing(): ServiceRouting {
    const { view, clientNamespace, latchesMode } = this.#context
    const routing = view.routing(this.service, clientNamespace)
    if (!latchesMode || routing.mode === this.#mode) return routing
    return this.#mode === 'policy'
      ? { mode: 'policy', rules: view.rules(this.service, clientNamespace) }
      : { mode: 'profile', backends: [{ service: this.service, weight: 1, missing: false }] }
  }

  /** Takes over changed endpoints in every balancer. */
  refresh(now: Instant): void {
    if (this.#version === this.#context.view.version) return
    this.#version = this.#context.view.version
    for (const [key, balancer] of this.#balancers) balancer.update(this.#context.view.endpoints(parseKey(key)), now)
  }

  /** Backends that a route names are built with it, used or not. */
  #build(routing: ServiceRouting): void {
    if (routing.mode !== 'policy') return
    for (const rule of routing.rules) {
      for (const backend of rule.backends) if (!backend.missing) this.balancer(backend.service)
    }
  }

  /** An endpoint's proxy went away or came back. */
  reconsider(now: Instant): void {
    this.#build(this.routing())
    for (const [key, balancer] of this.#balancers) balancer.update(this.#context.view.endpoints(parseKey(key)), now)
  }

  /** The balancer of a backend, made when first used. */
  balancer(backend: ServicePort): Balancer {
    const key = keyOf(backend)
    let balancer = this.#balancers.get(key)
    if (balancer === undefined) {
      const { metrics, timeline, seed, alive, view } = this.#context
      const labels = [...parentLabels(this.service, this.service.port), ...backendLabels(backend)]
      balancer = new Balancer({ backend, metrics, timeline, seed, labels, alive })
      this.#balancers.set(key, balancer)
      balancer.update(view.endpoints(backend), timeline.now())
    }
    return balancer
  }

  /** Labels of a route's series, made once per route and backend. */
  series(route: RouteIdentity, backend: ServicePort | 'fail'): RouteSeries {
    const key = `${route.namespace}/${route.name} ${typeof backend === 'string' ? backend : keyOf(backend)}`
    let series = this.#series.get(key)
    if (series === undefined) {
      const parent = parentLabels(this.service, this.service.port)
      series = {
        request: [...parent, ...routeLabels(route), ['hostname', '']],
        backend: [...parent, ...routeLabels(route), ...backendLabels(backend)]
      }
      this.#series.set(key, series)
    }
    return series
  }

  /**
   * Draws a backend by weight among those that take requests; the draws of requests are independent of each other.
   * @returns undefined when none is left (the request is shed), `'closed'` where the real proxy breaks the connection
   */
  draw(backends: readonly WeightedBackend[], key: string): WeightedBackend | 'closed' | undefined {
    const only = backends[0]
    if (backends.length === 1 && only !== undefined) return this.#takes(only) ? only : undefined
    let left = backends.filter((backend) => backend.weight > 0)
    if (left.length === 0) return 'closed'
    for (let round = 0; left.length > 0; round++) {
      const chosen = drawWeighted(left, draw(this.#context.seed, round, 'split', key))
      if (chosen === undefined || this.#takes(chosen)) return chosen
      left = left.filter((backend) => backend !== chosen)
    }
    return undefined
  }

  /** The proxy drops the stack. */
  close(): void {
    for (const balancer of this.#balancers.values()) balancer.close()
  }

  #takes(backend: WeightedBackend): boolean {
    return backend.missing || this.balancer(backend.service).open
  }
}

function drawWeighted(backends: readonly WeightedBackend[], chance: number): WeightedBackend | undefined {
  const total = backends.reduce((sum, backend) => sum + backend.weight, 0)
  let rest = chance * total
  for (const backend of backends) {
    rest -= backend.weight
    if (rest < 0) return backend
  }
  return backends.at(-1)
}

function keyOf(service: ServicePort): string {
  return `${service.namespace}/${service.name}:${service.port}`
}

function parseKey(key: string): ServicePort {
  const [path = '', port = '0'] = key.split(':')
  const [namespace = '', name = ''] = path.split('/')
  return { namespace, name, port: Number(port) }
}
