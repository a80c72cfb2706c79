import { TwinError } from '../../lib/errors/index.ts'
import type { Random } from '../../lib/random/index.ts'
import { Labels } from '../../lib/tsdb/index.ts'
import type { AppAnswer, AppFetch, AppFetchResult, AppRequest } from '../../model/app/index.ts'
import {
  classify,
  type MeshEndpoint,
  outboundTarget,
  type ResponseVerdict,
  type ServicePort
} from '../../model/mesh/index.ts'
import { expectedMs, shares } from './balancing.ts'
import { type Answers, type Batch, limitOf, type Report, withCount } from './batch.ts'
import type { VirtualContainer } from './container.ts'
import { binomial, multinomial } from './draws.ts'
import type { Gates } from './gates.ts'
import type { LateAnswers, Span } from './late-answers.ts'
import { type Latency, singleLatency } from './latency.ts'
import { latencyFor, type Outcome, outcomesFor } from './outcomes.ts'
import type { VirtualPod } from './pod.ts'
import type { VirtualPods } from './pods.ts'
import type { TargetCounters } from './proxy-book.ts'
import { classOf, RequestKinds } from './request-kinds.ts'
import type { Destination, RequestClass, RoutedBackend, VirtualClient } from './routes.ts'

/** Apps that call apps that call apps …: deeper than this is a loop. */
const DEPTH_MAX = 8

/** Most requests of one batch that an app answers one by one. */
const SINGLY_MAX = 5000

/** What batches are sent through. */
export interface BatchesOptions {
  readonly pods: VirtualPods
  readonly random: Random
  readonly late: LateAnswers
  readonly gates: Gates
  resolve(client: VirtualClient, request: RequestClass): Destination
}

/** Sends many requests at once: splits them by weight and over pods, draws what becomes of them, counts them. */
export class Batches {
  readonly #options: BatchesOptions
  readonly #kinds = new RequestKinds()

  constructor(options: BatchesOptions) {
    this.#options = options
  }

  /** Sends a batch. */
  send(batch: Batch, report: Report): void {
    const { destination, count } = batch
    if (count <= 0) return
    switch (destination.kind) {
      case 'unresolved':
        return report({ count, status: undefined, reason: 'unresolved', meanMs: 0 })
      case 'unrouted':
        return report({ count, status: 404, meanMs: 0 })
      case 'loopback':
        return this.#loopback(batch, destination.port, report)
      case 'endpoint':
        return this.#arrive(batch, { endpoint: destination.endpoint, backend: undefined }, report)
      case 'service':
        return this.#split(batch, destination.backends, report)
    }
  }

  /** Sends requests to endpoints of a backend, as its balancer would spread them. */
  balance(batch: Batch, backend: RoutedBackend, report: Report): void {
    this.#spread(batch, backend, this.aliveOf(backend), report)
  }

  #spread(batch: Batch, backend: RoutedBackend, endpoints: readonly MeshEndpoint[], report: Report): void {
    const [only] = endpoints
    if (only !== undefined && endpoints.length === 1) {
      return this.#arrive(batch, { endpoint: only, backend: backend.service }, report)
    }
    const means = endpoints.map(({ pod, port }) => expectedMs(this.#options.pods.get(pod ?? '')?.listenerOf(port)))
    const counts = multinomial(this.#options.random, batch.count, shares(means))
    for (const [index, endpoint] of endpoints.entries()) {
      const count = counts[index] ?? 0
      if (count > 0) this.#arrive(withCount(batch, count), { endpoint, backend: backend.service }, report)
    }
  }

  /** A meshed endpoint that cannot be reached leaves the balancer; one without a proxy stays. */
  aliveOf({ endpoints }: RoutedBackend): readonly MeshEndpoint[] {
    for (const endpoint of endpoints) {
      if (!this.#isAlive(endpoint)) return endpoints.filter((one) => this.#isAlive(one))
    }
    return endpoints
  }

  #isAlive({ pod, identity }: MeshEndpoint): boolean {
    return pod === undefined || identity === undefined || this.#options.pods.get(pod)?.up === true
  }

  #loopback(batch: Batch, port: number, report: Report): void {
    const pod = this.#options.pods.get(batch.client.key)
    const listener = pod?.listenerOf(port)
    if (pod === undefined || listener === undefined) {
      report({ count: batch.count, status: undefined, reason: 'refused', meanMs: 0 })
    } else this.#serve(batch, { pod, listener, port, counted: [] }, report)
  }

  #split(batch: Batch, backends: readonly RoutedBackend[], report: Report): void {
    const { gates, random } = this.#options
    const [only] = backends
    const single = backends.length === 1
    if (single && only !== undefined && !gates.isShut(batch.client.key, only.service)) {
      return this.#toBackend(batch, only, report)
    }
    const left = backends.filter(
      (backend) => (single || backend.weight > 0) && !gates.isShut(batch.client.key, backend.service)
    )
    if (left.length === 0) {
      const shed = single || backends.some((backend) => backend.weight > 0)
      report({ count: batch.count, status: shed ? 503 : undefined, ...(shed ? {} : { reason: 'reset' }), meanMs: 0 })
      return
    }
    const counts = multinomial(random, batch.count, single ? [1] : left.map(({ weight }) => weight))
    left.forEach((backend, index) => {
      const count = counts[index] ?? 0
      if (count > 0) this.#toBackend(withCount(batch, count), backend, report)
    })
  }

  #toBackend(batch: Batch, backend: RoutedBackend, report: Report): void {
    const { count } = batch
    if (backend.missing) return report({ count, status: 500, meanMs: 0 })
    const alive = this.aliveOf(backend)
    if (alive.length > 0) return this.#spread(batch, backend, alive, this.#retrying(batch, report))
    if (batch.depth > 0) return report({ count, status: 504, meanMs: 3000 })
    this.#options.gates.wait(batch, backend, report)
  }

  /** Answers that the route asks to try again are sent anew, their backend drawn again. */
  #retrying(batch: Batch, report: Report): Report {
    const retry = batch.destination.kind === 'service' ? batch.destination.rule?.retry : undefined
    if (retry === undefined || batch.attempt >= retry.limit) return report
    return (answers) => {
      const { status, count } = answers
      const again = status !== undefined && retry.statuses.some(([low, high]) => status >= low && status <= high)
      if (again) this.send({ ...batch, count, attempt: batch.attempt + 1 }, report)
      else report(answers)
    }
  }

  #arrive(
    batch: Batch,
    to: { readonly endpoint: MeshEndpoint; readonly backend: ServicePort | undefined },
    report: Report
  ): void {
    const { count, span, request, client } = batch
    const { endpoint, backend } = to
    const now = span.to
    const sender = this.#options.pods.get(client.key)
    const outbound =
      client.identity === undefined
        ? undefined
        : sender?.book.target(`out ${endpoint.ip}:${endpoint.port} ${backend?.namespace}/${backend?.name}`, now, () =>
            Labels.fromPairs(outboundTarget(endpoint, backend))
          )
    outbound?.request(count, now)
    const pod = this.#options.pods.get(endpoint.pod ?? '')
    const { method, path } = request
    const inbound = pod?.inbound({ port: endpoint.port, method, path, identity: client.identity }, now)
    inbound?.request(count, now)
    const counted = countedBy(outbound, inbound)
    const listener = pod?.up === true ? pod.listenerOf(endpoint.port) : undefined
    if (pod === undefined || listener === undefined) {
      for (const target of counted) {
        target.latency(502, singleLatency(0, count), now)
        target.response({ status: 502, success: false }, count, now)
      }
      const meshed = client.identity !== undefined || inbound !== undefined
      report({ count, status: meshed ? 502 : undefined, ...(meshed ? {} : { reason: 'refused' }), meanMs: 0 })
      return
    }
    this.#serve(batch, { pod, listener, port: endpoint.port, counted }, report)
  }

  #serve(batch: Batch, at: Serving, report: Report): void {
    const { random } = this.#options
    const request = this.#kinds.of(batch.request, batch.client, at.port)
    const table = outcomesFor(at.listener.spec, request)
    const [only] = table
    if (table.length === 1 && only !== undefined)
      return this.#serveOutcome(batch, at, { outcome: only, request }, report)
    const counts = multinomial(
      random,
      batch.count,
      table.map(({ chance }) => chance)
    )
    for (const [index, outcome] of table.entries()) {
      const count = counts[index] ?? 0
      if (count > 0) this.#serveOutcome(withCount(batch, count), at, { outcome, request }, report)
    }
  }

  #serveOutcome(
    batch: Batch,
    at: Serving,
    of: { readonly outcome: Outcome; readonly request: AppRequest },
    report: Report
  ): void {
    const { outcome, request } = of
    const { count } = batch
    const { spec } = at.listener
    const answered = (answer: AppAnswer, number: number, elapsedMs: number): void =>
      this.#answer(withCount(batch, number), at, { answer, latency: latencyFor(spec, outcome, elapsedMs) }, report)
    if (outcome.reset) answered({ kind: 'reset' }, count, 0)
    else if (outcome.status !== undefined) {
      answered({ kind: 'response', status: outcome.status, headers: {}, body: '' }, count, 0)
    } else for (const own of this.#ownAnswers(batch, at, request)) answered(own.answer, own.count, own.elapsedMs)
  }

  #answer(
    batch: Batch,
    at: Serving,
    of: { readonly answer: AppAnswer; readonly latency: Latency },
    report: Report
  ): void {
    const { answer, latency } = of
    const image = at.listener.container.image
    const { limitMs, status: limitStatus } = limitOf(batch)
    const hanging = answer.kind === 'hang'
    const late = hanging ? batch.count : binomial(this.#options.random, batch.count, latency.tail(limitMs))
    // A client that goes before the headers leaves no response in any counter.
    if (late > 0) {
      const reason = limitStatus === undefined ? ({ reason: 'timeout' } as const) : {}
      report({ count: late, status: limitStatus, meanMs: limitMs, ...reason })
    }
    const count = batch.count - late
    if (count <= 0 || answer.kind === 'hang') return
    this.#count(batch.span, at, { answer, latency, count })
    const { meanMs } = latency
    if (answer.kind === 'response') {
      report({ count, status: answer.status, image, meanMs, headers: answer.headers, body: answer.body })
    } else if (at.pod.meshed || batch.client.identity !== undefined) {
      report({ count, status: answer.kind === 'reset' ? 502 : 500, image, meanMs })
    } else report({ count, status: undefined, reason: 'reset', image, meanMs })
  }

  #count(
    span: Span,
    at: Serving,
    of: { readonly answer: AppAnswer; readonly latency: Latency; readonly count: number }
  ): void {
    const { answer, latency } = of
    const { random, late } = this.#options
    late.add(span, latency.meanMs, of.count, (count) => {
      const batch = latency.draw(random, count)
      for (const target of at.counted) {
        if (answer.kind === 'close') {
          target.latency(undefined, undefined, span.to)
          target.response(UNCLASSIFIED, count, span.to)
          continue
        }
        const status = answer.kind === 'response' ? answer.status : 502
        target.latency(status, batch, span.to)
        target.response(classify(status, false, undefined), count, span.to)
      }
    })
  }

  #ownAnswers(batch: Batch, at: Serving, request: AppRequest): readonly OwnAnswer[] {
    const standing = at.listener.standingAnswer(request)
    if (standing !== undefined) return [{ count: batch.count, answer: standing, elapsedMs: 0 }]
    const keyed = { ...request, key: `${batch.client.key} ${batch.span.to}` }
    if (!at.listener.drawsItself) return this.#evaluate(batch, at, keyed, [])
    const found: OwnAnswer[] = []
    const { count } = batch
    for (let index = 0; index < Math.min(count, SINGLY_MAX); index++) {
      const key = `${keyed.key} ${index}`
      found.push(...this.#evaluate({ ...batch, count: 1 }, at, { ...request, key }, []))
    }
    return found
  }

  /** Runs the app's plan once for many; where it calls others, once for each way those calls went. */
  #evaluate(
    batch: Batch,
    at: Serving,
    request: AppRequest,
    known: readonly (readonly AppFetchResult[])[]
  ): readonly OwnAnswer[] {
    const plan = at.listener.plainPlan(request, batch.span.to)
    let elapsedMs = 0
    let calls = 0
    let step = plan.next()
    while (step.done !== true) {
      const effect = step.value
      if (effect.effect === 'fetch') {
        const results = known[calls++]
        if (results === undefined) {
          return this.#calls(batch, at, effect.requests).flatMap(({ count, results: more }) =>
            this.#evaluate({ ...batch, count }, at, request, [...known, more])
          )
        }
        elapsedMs += Math.max(0, ...results.map((result) => result.elapsedMs))
        step = plan.next(results)
      } else if (effect.effect === 'shell') {
        throw new TwinError('TWIN_USAGE', 'a load on an app that runs commands is not drawn in the virtual world')
      } else {
        if (effect.effect === 'sleep') elapsedMs += effect.ms
        if (effect.effect === 'exit') at.listener.exitSoon(effect.code)
        step = plan.next(effect.effect === 'now' ? batch.span.to + elapsedMs : undefined)
      }
    }
    return [{ count: batch.count, answer: step.value, elapsedMs }]
  }

  /** What an app's calls side by side came to, with the number of its requests that saw it. */
  #calls(
    batch: Batch,
    at: Serving,
    requests: readonly AppFetch[]
  ): readonly { readonly count: number; readonly results: readonly AppFetchResult[] }[] {
    if (batch.depth >= DEPTH_MAX) throw new TwinError('TWIN_USAGE', `apps call each other in a circle at ${at.pod.key}`)
    let ways: { count: number; results: readonly AppFetchResult[] }[] = [{ count: batch.count, results: [] }]
    const client = { key: at.pod.key, namespace: at.pod.namespace, identity: at.pod.identity }
    for (const fetch of requests) {
      const request = classOf(fetch)
      const destination = this.#options.resolve(client, request)
      ways = ways.flatMap(({ count, results }) => {
        const next: typeof ways = []
        const { span, depth } = batch
        this.send(
          { client, request, destination, count, span, timeoutMs: fetch.timeoutMs, depth: depth + 1, attempt: 0 },
          (answers) => next.push({ count: answers.count, results: [...results, fetchResult(answers)] })
        )
        return next
      })
    }
    return ways
  }
}

const UNCLASSIFIED: ResponseVerdict = { status: undefined, success: false, error: 'unclassified' }
const NOBODY: readonly TargetCounters[] = []

/** Who counts what passes both proxies, or one, or none. */
function countedBy(
  outbound: TargetCounters | undefined,
  inbound: TargetCounters | undefined
): readonly TargetCounters[] {
  if (outbound === undefined) return inbound === undefined ? NOBODY : [inbound]
  return inbound === undefined ? [outbound] : [outbound, inbound]
}

/** Where a batch is served and who counts it. */
interface Serving {
  readonly pod: VirtualPod
  readonly listener: VirtualContainer
  readonly port: number
  readonly counted: readonly TargetCounters[]
}

interface OwnAnswer {
  readonly count: number
  readonly answer: AppAnswer
  readonly elapsedMs: number
}

function fetchResult(answers: Answers): AppFetchResult {
  const { status, headers = {}, body = '', meanMs: elapsedMs } = answers
  if (status !== undefined) return { ok: true, status, headers, body, elapsedMs }
  const reason = answers.reason ?? 'reset'
  return { ok: false, reason, message: reason, elapsedMs }
}
