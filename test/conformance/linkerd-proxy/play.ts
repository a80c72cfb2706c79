import type { KubeObject } from '../../../src/kinds/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import {
  ADMIN_PORT,
  answerAdmin,
  ClusterView,
  InboundProxy,
  type MeshEndpoint,
  meshIdentity,
  type OutboundAttempt,
  type OutboundExchange,
  OutboundProxy,
  ProxyMetrics
} from '../../../src/model/mesh/index.ts'
import type { AppScript, CasePod, CaseRoute, CaseService, CaseStep, ProxyCase } from './case.ts'

/** What one request of a case came to. */
export interface PlayedResponse {
  readonly step: number
  readonly i: number
  readonly status: number
  readonly servedBy: string | undefined
  readonly error: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** What a case came to. */
export interface Played {
  readonly responses: readonly PlayedResponse[]
  readonly scrapes: readonly { readonly step: number; readonly pod: string; readonly text: string }[]
}

const NAMESPACE = 'shop'
/** Hop of one proxy in milliseconds: constant here, because a case's delays lie in the middle of their buckets. */
const HOP_MS = 0.3

interface PodState {
  readonly spec: CasePod
  readonly metrics: ProxyMetrics
  readonly inbound: InboundProxy
  readonly outbound: OutboundProxy
  listening: boolean
  blackhole: boolean
  up: boolean
  requests: number
  script: AppScript
}

/** Plays a case against the mesh model in virtual time. */
export function playCase(source: ProxyCase, seed: number): Played {
  return new Stage(source, seed).play()
}

class Stage {
  readonly #case: ProxyCase
  readonly #clock = new VirtualClock(0)
  readonly #objects = new Map<string, KubeObject>()
  readonly #view: ClusterView
  readonly #pods = new Map<string, PodState>()
  readonly #responses: PlayedResponse[] = []
  readonly #scrapes: { step: number; pod: string; text: string }[] = []
  readonly #flying = new Set<Carried>()
  #requests = 0

  constructor(source: ProxyCase, seed: number) {
    this.#case = source
    const objects = [...source.topology.services]
    this.#view = new ClusterView({
      list: (group, resource, namespace) =>
        [...this.#objects]
          .filter(
            ([key, object]) =>
              key.startsWith(`${group}/${resource}/`) &&
              (namespace === undefined || object.metadata.namespace === namespace)
          )
          .map(([, object]) => object),
      get: (group, resource, namespace, name) => this.#objects.get(`${group}/${resource}/${namespace ?? ''}/${name}`)
    })
    for (const pod of source.topology.pods) this.#addPod(pod, seed)
    for (const service of objects) this.#addService(service)
    this.#view.onChange(() => {
      for (const pod of this.#pods.values()) pod.outbound.refresh()
    })
  }

  play(): Played {
    const last = Math.max(0, ...this.#case.steps.map((step) => (typeof step.t === 'number' ? step.t : 0)))
    for (const step of this.#case.steps) {
      if (step.t === 'before') this.#step(step)
      else if (typeof step.t === 'number') this.#clock.at(step.t, () => this.#step(step))
    }
    this.#clock.runUntil(last)
    const loadEnd = Math.max(
      ...this.#case.steps.map((step) =>
        step.op === 'load' ? Number(step.t === 'before' ? 0 : step.t) + loadMs(step) : 0
      )
    )
    this.#clock.runUntil(Math.max(last, loadEnd) + 20_000)
    for (const step of this.#case.steps) if (step.t === 'end') this.#step(step)
    return { responses: this.#responses, scrapes: this.#scrapes }
  }

  #put(group: string, resource: string, object: KubeObject): void {
    this.#objects.set(`${group}/${resource}/${object.metadata.namespace ?? ''}/${object.metadata.name}`, object)
    this.#view.changed({ group, resource })
  }

  #addPod(spec: CasePod, seed: number): void {
    const namespace = spec.namespace ?? NAMESPACE
    const account = spec.serviceAccount ?? spec.name.replace(/-\d+$/, '')
    const deployment = spec.deployment ?? spec.name.replace(/-\d+$/, '')
    const labels: Record<string, string> = {
      'pod-template-hash': '5d8f7c9b6',
      'linkerd.io/proxy-deployment': deployment
    }
    if (spec.meshed) labels['linkerd.io/control-plane-ns'] = 'linkerd'
    this.#put('', 'pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: spec.name, namespace, labels },
      spec: { serviceAccountName: account },
      status: { podIP: spec.ip }
    })
    const idleMs = seconds(spec.env?.['LINKERD2_PROXY_METRICS_RETAIN_IDLE'], 600) * 1000
    const metrics = new ProxyMetrics({ retainIdleMs: idleMs })
    const legacy = this.#case.proxyVersion.startsWith('2.210')
    const unsafe = spec.env?.['LINKERD2_PROXY_INBOUND_METRICS_AUTHORITY_LABELS'] === 'unsafe'
    const admin = spec.env?.['LINKERD2_PROXY_ADMIN_LISTEN_ADDR'] ?? ''
    const inbound = new InboundProxy({
      metrics,
      legacy,
      authorityLabels: legacy || unsafe,
      adminAddress: admin.startsWith('[') ? admin.slice(1, admin.indexOf(']')) : '0.0.0.0',
      adminTraffic: true,
      ip: () => spec.ip,
      isProbe: (port, path) =>
        port === ADMIN_PORT ? path === '/live' || path === '/ready' : (spec.probes ?? []).includes(path)
    })
    const outbound = new OutboundProxy({
      view: this.#view,
      metrics,
      timeline: this.#clock,
      seed,
      clientNamespace: namespace,
      alive: (endpoint) => endpoint.identity === undefined || this.#podAt(endpoint)?.up !== false,
      latchesMode: true,
      stackIdleMs: seconds(spec.env?.['LINKERD2_PROXY_OUTBOUND_DISCOVERY_IDLE_TIMEOUT'], 5) * 1000
    })
    this.#pods.set(spec.name, {
      spec,
      metrics,
      inbound,
      outbound,
      listening: spec.app,
      blackhole: false,
      up: true,
      requests: 0,
      script: {}
    })
  }

  #addService(service: CaseService): void {
    this.#put('', 'services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service.name, namespace: NAMESPACE, annotations: annotationsOf(service) },
      spec: { clusterIP: service.ip, ports: [{ name: 'http', port: service.port }] }
    })
    this.#setEndpoints(service.name, service.endpoints)
    this.#setRoutes(service.name, service.port, service.routes ?? [])
    this.#setProfile(service.name, service.profile)
  }

  #setEndpoints(service: string, pods: readonly string[]): void {
    this.#put('discovery.k8s.io', 'endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${service}-1`, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': service } },
      ports: [{ name: 'http', port: 8080 }],
      endpoints: pods.map((name) => {
        const pod = this.#case.topology.pods.find((candidate) => candidate.name === name)
        return {
          addresses: [pod?.ip],
          conditions: { ready: true },
          targetRef: { kind: 'Pod', name, namespace: pod?.namespace ?? NAMESPACE }
        }
      })
    })
  }

  #setRoutes(service: string, port: number, routes: readonly CaseRoute[]): void {
    const group = 'gateway.networking.k8s.io'
    for (const [key, object] of this.#objects) {
      if (key.startsWith(`${group}/httproutes/`) && object.metadata.labels?.['service'] === service)
        this.#objects.delete(key)
    }
    for (const route of routes) this.#put(group, 'httproutes', routeObject(route, service, port))
    this.#view.changed({ group, resource: 'httproutes' })
  }

  #setProfile(service: string, profile: CaseService['profile'] | null): void {
    const name = `${service}.${NAMESPACE}.svc.cluster.local`
    this.#objects.delete(`linkerd.io/serviceprofiles/${NAMESPACE}/${name}`)
    if (profile !== undefined && profile !== null) {
      this.#put('linkerd.io', 'serviceprofiles', {
        apiVersion: 'linkerd.io/v1alpha2',
        kind: 'ServiceProfile',
        metadata: { name, namespace: NAMESPACE },
        spec: {
          dstOverrides: (profile.dstOverrides ?? []).map((override) => ({
            authority: `${override.service}.${NAMESPACE}.svc.cluster.local`,
            weight: override.weight
          }))
        }
      })
    }
    this.#view.changed({ group: 'linkerd.io', resource: 'serviceprofiles' })
  }

  #podAt(endpoint: MeshEndpoint): PodState | undefined {
    return this.#pods.get(endpoint.pod?.split('/')[1] ?? '')
  }

  #step(step: CaseStep): void {
    const pod = this.#pods.get(step.pod ?? '')
    switch (step.op) {
      case 'request':
        for (let i = 0; i < (step.repeat ?? 1); i++) {
          const due = this.#clock.now() + i * (step.gap_ms ?? 0)
          this.#clock.at(due, () => this.#request(step, i))
        }
        return
      case 'load':
        if (step.rate === undefined) this.#closedLoop(step)
        else {
          for (let i = 0; i < (step.count ?? 0); i++) {
            this.#clock.at(this.#clock.now() + (i * 1000) / step.rate, () => this.#request(step, i))
          }
        }
        return
      case 'scrape':
        this.#scrape(step)
        return
      case 'app':
        if (pod !== undefined) pod.script = step.app ?? {}
        return
      case 'listen':
        if (pod !== undefined) pod.listening = step.on === true
        return
      case 'blackhole':
        if (pod !== undefined) pod.blackhole = step.on === true
        return
      case 'endpoints':
        this.#setEndpoints(step.service ?? '', step.set ?? [])
        return
      case 'routes':
        this.#setRoutes(step.service ?? '', 8080, step.routes ?? [])
        return
      case 'profile':
        this.#setProfile(step.service ?? '', step.profile)
        return
      case 'proxykill':
        if (pod !== undefined) this.#kill(pod)
        for (const other of this.#pods.values()) other.outbound.refresh()
        return
      default:
        throw new Error(`step ${step.op} is not modelled`)
    }
  }

  #kill(pod: PodState): void {
    pod.up = false
    for (const carried of this.#flying) {
      if (carried.gone || carried.attempt?.endpoint.pod?.split('/')[1] !== pod.spec.name) continue
      carried.attempt.lost('reset', this.#clock.now())
    }
  }

  #scrape(step: CaseStep): void {
    const pod = this.#pods.get(step.pod ?? '')
    if (pod === undefined) return
    const from = this.#pods.get(step.from ?? '')
    const peer = from === undefined ? {} : { clientId: identityOf(from.spec) }
    const options = { inbound: pod.inbound, metrics: pod.metrics, ready: true, counted: true }
    const answer = answerAdmin({ method: 'GET', path: '/metrics', peer }, options, this.#clock.now())
    this.#scrapes.push({ step: step.n, pod: step.pod ?? '', text: answer.body })
  }

  /** As many requests at once as there are connections, each followed by the next. */
  #closedLoop(step: CaseStep): void {
    let sent = 0
    const next = (): void => {
      if (sent < (step.count ?? 0)) this.#request(step, sent++, next)
    }
    for (let worker = 0; worker < (step.concurrency ?? 1); worker++) next()
  }

  #request(step: CaseStep, i: number, then: () => void = () => {}): void {
    this.#requests += 1
    const carried: Carried = new Carried(
      this.#clock,
      (played) => {
        this.#flying.delete(carried)
        this.#responses.push({ step: step.n, i, ...played })
        then()
      },
      step
    )
    this.#flying.add(carried)
    const from = this.#pods.get(step.from ?? '')
    const key = `r${this.#requests}`
    const [, target = '', port = '8080'] = /^pod:([^:]+):(\d+)$/.exec(step.to ?? '') ?? []
    const authority = target === '' ? `${step.to}.${NAMESPACE}:8080` : `${this.#pods.get(target)?.spec.ip}:${port}`
    carried.authority = step.headers?.['host'] ?? step.headers?.['Host'] ?? authority
    if (from === undefined || !from.spec.meshed) {
      const pod = this.#pods.get(target)
      if (pod !== undefined) this.#arrive(pod, Number(port), undefined, carried)
      return
    }
    this.#clock.at(this.#clock.now() + HOP_MS, () => {
      carried.exchange = from.outbound.begin(
        {
          key,
          method: step.method ?? 'GET',
          target: step.path ?? '/',
          authority,
          header: (name) => step.headers?.[name],
          bodyBytes: bodyBytes(step.body)
        },
        {
          forward: (attempt) => {
            carried.call?.abandoned(this.#clock.now())
            carried.call = undefined
            carried.attempt = attempt
            attempt.dispatched(this.#clock.now())
            const pod = this.#podAt(attempt.endpoint)
            if (pod === undefined || !pod.up) attempt.lost('refused', this.#clock.now())
            else if (!pod.spec.meshed) this.#toApp(pod, carried, undefined)
            else this.#arrive(pod, attempt.endpoint.port, identityOf(from.spec), carried)
          },
          respond: (answer) => {
            carried.call?.abandoned(this.#clock.now())
            carried.cut(answer.status, answer.headers)
          },
          outside: () => carried.done(502, {}),
          loopback: () => carried.done(502, {})
        }
      )
    })
    if (step.abortAfter_ms !== undefined) this.#clock.at(this.#clock.now() + step.abortAfter_ms, () => carried.abort())
  }

  #arrive(pod: PodState, port: number, clientId: string | undefined, carried: Carried): void {
    const { step } = carried
    const peer = clientId === undefined ? {} : { clientId }
    if (port === ADMIN_PORT) {
      const options = { inbound: pod.inbound, metrics: pod.metrics, ready: true, counted: true }
      const request = { method: step.method ?? 'GET', path: (step.path ?? '/').split('?')[0] ?? '/', peer }
      const answer = answerAdmin(request, options, this.#clock.now())
      carried.upstreamHead(answer.status, {})
      carried.upstreamEnd()
      return
    }
    const call = pod.inbound.begin(
      {
        port,
        method: step.method ?? 'GET',
        path: (step.path ?? '/').split('?')[0] ?? '/',
        contentType: step.headers?.['content-type'],
        peer,
        authority: carried.authority
      },
      this.#clock.now()
    )
    carried.call = call
    this.#clock.at(this.#clock.now() + HOP_MS, () => {
      call.dispatched(this.#clock.now())
      this.#toApp(pod, carried, call)
    })
  }

  #toApp(pod: PodState, carried: Carried, call: ReturnType<InboundProxy['begin']> | undefined): void {
    const fail = (reason: 'refused' | 'reset' | 'closed' | 'connect-timeout'): void => {
      const now = this.#clock.now()
      if (call !== undefined) {
        carried.upstreamHead(call.failed(reason, now), {})
        carried.upstreamEnd()
      } else if (carried.attempt !== undefined)
        carried.attempt.lost(reason === 'connect-timeout' ? 'connect-timeout' : 'refused', now)
      else carried.done(0, {})
    }
    if (pod.blackhole) {
      this.#clock.at(this.#clock.now() + (call === undefined ? 1000 : 100), () => fail('connect-timeout'))
      return
    }
    if (!pod.listening) {
      fail('refused')
      return
    }
    carried.servedBy = pod.spec.name
    pod.requests += 1
    const script = carried.step.app ?? pod.script
    const { attempt } = carried
    this.#clock.at(this.#clock.now() + (script.delay_ms ?? 0), () => {
      if (carried.gone || carried.attempt !== attempt) return
      if (script.before === 'hang') return
      if (script.before !== undefined) {
        fail(script.before === 'reset' ? 'reset' : 'closed')
        return
      }
      const grpc = script.headers?.['grpc-status'] ?? script.headers?.['Grpc-Status']
      const failed = script.failEvery !== undefined && pod.requests % script.failEvery === 0
      const status = failed ? 503 : (script.status ?? 200)
      call?.head(status, grpc)
      carried.upstreamHead(status, script.headers ?? {})
      this.#body(script, carried, call)
    })
  }

  #body(script: AppScript, carried: Carried, call: ReturnType<InboundProxy['begin']> | undefined): void {
    let at = this.#clock.now()
    for (const [waitMs] of script.chunks ?? []) {
      at += waitMs
      this.#clock.at(at, () => {
        if (carried.gone) return
        call?.body(this.#clock.now())
        carried.attempt?.body(this.#clock.now())
      })
    }
    this.#clock.at(at, () => {
      if (carried.gone || script.end === 'hang') return
      if (script.end !== undefined) {
        call?.broken(this.#clock.now())
        carried.upstreamBroken()
        return
      }
      const grpc = script.trailers?.['grpc-status'] ?? script.trailers?.['Grpc-Status']
      call?.end(this.#clock.now(), grpc)
      carried.upstreamEnd(grpc)
    })
  }
}

/** A request on its way, and what its client sees in the end. */
class Carried {
  readonly step: CaseStep
  readonly #clock: VirtualClock
  readonly #report: (played: Omit<PlayedResponse, 'step' | 'i'>) => void
  attempt: OutboundAttempt | undefined
  exchange: OutboundExchange | undefined
  call: ReturnType<InboundProxy['begin']> | undefined
  servedBy: string | undefined
  authority = ''
  gone = false
  #status = 0
  #headers: Readonly<Record<string, string>> = {}
  #dropped = false

  constructor(clock: VirtualClock, report: (played: Omit<PlayedResponse, 'step' | 'i'>) => void, step: CaseStep) {
    this.#clock = clock
    this.#report = report
    this.step = step
  }

  upstreamHead(status: number, headers: Readonly<Record<string, string>>): void {
    const grpc = headers['grpc-status'] ?? headers['Grpc-Status']
    this.#dropped = this.attempt !== undefined && !this.attempt.head(status, grpc, this.#clock.now())
    this.#status = status
    this.#headers = headers
  }

  upstreamEnd(grpcStatus?: string): void {
    if (this.#dropped) {
      this.attempt?.next()
      return
    }
    this.attempt?.end(this.#clock.now(), grpcStatus)
    this.done(this.#status, this.#headers)
  }

  upstreamBroken(): void {
    this.attempt?.broken(this.#clock.now())
    this.done(this.#status, this.#headers, 'broken')
  }

  abort(): void {
    if (this.gone) return
    this.call?.abandoned(this.#clock.now())
    this.exchange?.abandoned(this.#clock.now())
    this.done(this.#status, {}, 'client gave up')
  }

  /** The proxy answers itself, or cuts off an answer that has begun (status 0). */
  cut(status: number, headers: Readonly<Record<string, string>>): void {
    if (status === 0 && this.#status !== 0) this.done(this.#status, this.#headers, 'cut off')
    else this.done(status, headers)
  }

  done(status: number, headers: Readonly<Record<string, string>>, error?: string): void {
    if (this.gone) return
    this.gone = true
    this.#report({ status, headers, servedBy: this.servedBy, error })
  }
}

/** Size of a scripted body: text, a number of bytes, or `{size}`. */
function bodyBytes(body: unknown): number {
  if (typeof body === 'number') return body
  if (typeof body === 'string') return body.length
  return typeof body === 'object' && body !== null && 'size' in body ? Number(body.size) : 0
}

/** Seconds of a setting such as `2s`. */
function seconds(text: string | undefined, absent: number): number {
  return Number(/^(\d+)/.exec(text ?? '')?.[1] ?? absent)
}

function loadMs(step: CaseStep): number {
  return ((step.count ?? 0) * 1000) / (step.rate ?? 500)
}

function identityOf(pod: CasePod): string {
  return meshIdentity(pod.serviceAccount ?? pod.name.replace(/-\d+$/, ''), pod.namespace ?? NAMESPACE)
}

/** A retry policy of a case as Linkerd's annotations. */
function retryAnnotations(retry: Readonly<Record<string, unknown>> | undefined): Record<string, string> {
  if (retry === undefined) return {}
  const ranges = retry['statuses']
  const annotations: Record<string, string> = {
    'retry.linkerd.io/http': Array.isArray(ranges)
      ? ranges.map((range: unknown) => (Array.isArray(range) ? range.join('-') : String(range))).join(',')
      : '5xx',
    'retry.linkerd.io/limit': String(retry['limit'] ?? 1)
  }
  if (retry['timeout_ms'] !== undefined) annotations['retry.linkerd.io/timeout'] = `${String(retry['timeout_ms'])}ms`
  return annotations
}

function annotationsOf(service: CaseService): Record<string, string> {
  const annotations = retryAnnotations(service.retry)
  for (const kind of ['request', 'response']) {
    const ms = service.timeouts?.[`${kind}_ms`]
    if (ms !== undefined) annotations[`timeout.linkerd.io/${kind}`] = `${ms}ms`
  }
  return annotations
}

function routeObject(route: CaseRoute, service: string, port: number): KubeObject {
  const annotations = retryAnnotations(route.retry)
  const timeouts: Record<string, string> = {}
  if (route.timeouts?.['request_ms'] !== undefined) timeouts['request'] = `${route.timeouts['request_ms']}ms`
  if (route.timeouts?.['response_ms'] !== undefined) timeouts['backendRequest'] = `${route.timeouts['response_ms']}ms`
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: route.name, namespace: NAMESPACE, labels: { service }, annotations },
    spec: {
      parentRefs: [{ group: 'core', kind: 'Service', name: service, port }],
      rules: [
        {
          matches:
            route.header === undefined
              ? []
              : [{ headers: Object.entries(route.header).map(([name, value]) => ({ name, value })) }],
          backendRefs: route.backends.map((backend) => ({ name: backend.service, port, weight: backend.weight })),
          timeouts
        }
      ]
    }
  }
}
