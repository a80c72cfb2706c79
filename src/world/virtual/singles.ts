import { classify, hopDelay, type MeshEndpoint, outboundTarget, type ServicePort } from '../../model/mesh/index.ts'
import type { AppAnswer, AppFetch, AppFetchResult } from '../../model/app/index.ts'
import { draw } from '../../lib/random/index.ts'
import type { Timeline } from '../../lib/time/index.ts'
import { Labels } from '../../lib/tsdb/index.ts'
import { singleLatency } from './latency.ts'
import type { VirtualPods } from './pods.ts'
import type { TargetCounters } from './proxy-book.ts'
import { appRequest, classOf } from './request-kinds.ts'
import type { Destination, RequestClass, RoutedBackend, VirtualClient } from './routes.ts'
import type { Traffic } from './traffic.ts'

/** How long a request waits for an endpoint before its client's proxy answers 504. */
const FAILFAST_MS = 3000

/** What single requests go through. */
export interface SinglesOptions {
  readonly timeline: Timeline
  readonly pods: VirtualPods
  readonly traffic: Traffic
  readonly seed: number
}

type Done = (result: AppFetchResult) => void

/** Sends one request at a time on the timeline: hooks, `curl`, calls of apps that answer such requests. */
export class Singles {
  readonly #options: SinglesOptions
  #sent = 0

  constructor(options: SinglesOptions) {
    this.#options = options
  }

  /** Sends a request; `done` hears the answer, or that the client has given up, once. */
  send(client: VirtualClient, fetch: AppFetch, done: Done): void {
    const { timeline } = this.#options
    const began = timeline.now()
    let over = false
    const finish = (result: Unfinished): void => {
      if (over) return
      over = true
      timer?.cancel()
      done({ ...result, elapsedMs: timeline.now() - began })
    }
    const timer = Number.isFinite(fetch.timeoutMs)
      ? timeline.at(began + fetch.timeoutMs, () => finish({ ok: false, reason: 'timeout', message: 'timeout' }))
      : undefined
    const request = classOf(fetch)
    const key = `${client.key} ${++this.#sent}`
    const destination = this.#options.traffic.routes.resolve(client, request)
    this.#go({ client, request, key, over: () => over, finish }, destination)
  }

  #go(single: Single, destination: Destination): void {
    switch (destination.kind) {
      case 'unresolved': {
        const message = `lookup ${single.request.url.hostname}: no such host`
        return single.finish({ ok: false, reason: 'unresolved', message })
      }
      case 'unrouted':
        return single.finish(answered(404))
      case 'loopback':
        return this.#serve(single, { podKey: single.client.key, port: destination.port, counted: [] })
      case 'endpoint':
        return this.#arrive(single, destination.endpoint, undefined)
      case 'service':
        return this.#split(single, destination.backends)
    }
  }

  #split(single: Single, backends: readonly RoutedBackend[]): void {
    const { seed, traffic, timeline } = this.#options
    const left = backends.length === 1 ? backends : backends.filter(({ weight }) => weight > 0)
    const total = left.reduce((sum, { weight }) => sum + weight, 0)
    let rest = draw(seed, 0, 'split', single.key) * total
    const backend = left.find(({ weight }) => (rest -= weight) < 0) ?? left.at(-1)
    if (backend === undefined) return single.finish({ ok: false, reason: 'reset', message: 'EOF' })
    if (backend.missing) return single.finish(answered(500))
    const endpoints = traffic.batches.aliveOf(backend)
    const endpoint = endpoints[Math.floor(draw(seed, 0, 'p2c', single.key) * endpoints.length)]
    if (endpoint !== undefined) this.#arrive(single, endpoint, backend.service)
    else timeline.at(timeline.now() + FAILFAST_MS, () => single.finish(answered(504)))
  }

  #arrive(single: Single, endpoint: MeshEndpoint, backend: ServicePort | undefined): void {
    const { timeline, pods, seed } = this.#options
    const { client, request, key } = single
    const hops =
      (client.identity === undefined ? 0 : hopDelay(seed, client.key, key)) + hopDelay(seed, endpoint.ip, key)
    timeline.at(timeline.now() + hops, () => {
      if (single.over()) return
      const now = timeline.now()
      const outbound =
        client.identity === undefined
          ? undefined
          : pods
              .get(client.key)
              ?.book.target(`out ${endpoint.ip}:${endpoint.port} ${backend?.namespace}/${backend?.name}`, now, () =>
                Labels.fromPairs(outboundTarget(endpoint, backend))
              )
      const inbound = pods
        .get(endpoint.pod ?? '')
        ?.inbound({ port: endpoint.port, method: request.method, path: request.path, identity: client.identity }, now)
      const counted = [outbound, inbound].filter((target) => target !== undefined)
      for (const target of counted) target.request(1, now)
      this.#serve(single, { podKey: endpoint.pod ?? '', port: endpoint.port, counted })
    })
  }

  #serve(single: Single, at: { podKey: string; port: number; counted: readonly TargetCounters[] }): void {
    const { timeline, pods } = this.#options
    const { request, client, key } = single
    const began = timeline.now()
    const pod = pods.get(at.podKey)
    const listener = pod?.up === true ? pod.listenerOf(at.port) : undefined
    const meshed = at.counted.length > 0
    const end = (answer: AppAnswer): void => {
      if (answer.kind === 'hang') return
      // A client that went before the headers leaves no response.
      if (!single.over()) count(at.counted, answer, timeline.now(), timeline.now() - began)
      if (answer.kind === 'response') {
        single.finish({ ok: true, status: answer.status, headers: answer.headers, body: answer.body })
      } else if (meshed) single.finish(answered(answer.kind === 'reset' ? 502 : 500))
      else single.finish({ ok: false, reason: 'reset', message: answer.kind === 'reset' ? 'connection reset' : 'EOF' })
    }
    if (listener === undefined) {
      if (meshed) end({ kind: 'reset' })
      else single.finish({ ok: false, reason: 'refused', message: 'connection refused' })
      return
    }
    listener.serve(appRequest(request, client, { port: at.port, key }), end)
  }
}

/** An {@link AppFetchResult} whose duration is not known yet. */
type Unfinished =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  | {
      readonly ok: false
      readonly reason: 'refused' | 'reset' | 'timeout' | 'unresolved'
      readonly message: string
    }

interface Single {
  readonly client: VirtualClient
  readonly request: RequestClass
  /** Identity of the request; draws are keyed by it. */
  readonly key: string
  over(): boolean
  finish(result: Unfinished): void
}

function answered(status: number): Unfinished {
  return { ok: true, status, headers: {}, body: '' }
}

function count(targets: readonly TargetCounters[], answer: AppAnswer, now: number, ms: number): void {
  for (const target of targets) {
    if (answer.kind === 'close') {
      target.latency(undefined, undefined, now)
      target.response({ status: undefined, success: false, error: 'unclassified' }, 1, now)
      continue
    }
    const status = answer.kind === 'response' ? answer.status : 502
    target.latency(status, singleLatency(ms), now)
    target.response(classify(status, false, undefined), 1, now)
  }
}
