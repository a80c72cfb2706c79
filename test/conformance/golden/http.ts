import type { Timeline } from '../../../src/lib/time/index.ts'
import type { HttpEffect, HttpOutcome, RunContext } from '../../../src/world/controller/index.ts'
import { AnswerList, prometheusAnswer, webhookAnswer } from './answers.ts'
import type { GoldenCase, MetricAnswer, TraceRecord, WebhookAnswer } from './case.ts'

const ALERT_HOSTS = new Set(['slack.test', 'teams.test', 'discord.test', 'rocket.test', 'gchat.test'])

/** Takes what the hosts saw. */
export interface HostRecords {
  add(record: TraceRecord, context?: Pick<RunContext, 'worker'>): void
}

/** Where every list of answers stands. */
export interface HostState {
  readonly metrics: ReadonlyMap<string, { readonly match: string; readonly answers: AnswerList<MetricAnswer> }>
  readonly webhooks: ReadonlyMap<string, AnswerList<WebhookAnswer>>
}

type Done = (outcome: HttpOutcome) => void

/** The test hosts of a case: metrics servers, webhooks, the event receiver and alert receivers. */
export class ScriptedHosts {
  readonly #recorder: HostRecords
  readonly #timeline: Timeline
  #metrics: Map<string, { readonly match: string; answers: AnswerList<MetricAnswer> }>
  #webhooks: Map<string, AnswerList<WebhookAnswer>>
  /** Where the canary's first own event hook is. */
  readonly #eventHook: string | undefined

  constructor(golden: GoldenCase, recorder: HostRecords, timeline: Timeline) {
    this.#recorder = recorder
    this.#timeline = timeline
    this.#metrics = new Map(
      golden.metrics.map(({ name, match, answers }) => [name, { match, answers: new AnswerList(answers) }])
    )
    this.#webhooks = new Map(Object.entries(golden.webhooks).map(([path, answers]) => [path, new AnswerList(answers)]))
    const { webhooks = [] } =
      (golden.canary.spec as { analysis?: { webhooks?: { type?: string; url: string }[] } }).analysis ?? {}
    const hook = webhooks.find(({ type }) => type === 'event')?.url
    this.#eventHook = hook === undefined || !URL.canParse(hook) ? undefined : placeOf(new URL(hook))
  }

  setMetric(name: string, answers: readonly MetricAnswer[]): void {
    const metric = this.#metrics.get(name)
    if (metric !== undefined) metric.answers = new AnswerList(answers)
  }

  setWebhook(path: string, answers: readonly WebhookAnswer[]): void {
    this.#webhooks.set(path, new AnswerList(answers))
  }

  /** The counters now. */
  save(): HostState {
    return { metrics: copied(this.#metrics), webhooks: new Map(mapped(this.#webhooks, (answers) => answers.copy())) }
  }

  /** Goes back to counters taken before. */
  load({ metrics, webhooks }: HostState): void {
    this.#metrics = copied(metrics)
    this.#webhooks = new Map(mapped(webhooks, (answers) => answers.copy()))
  }

  /** All answers still to come, as text. */
  digest(): string {
    const metrics = mapped(this.#metrics, ({ answers }) => answers.rest())
    return JSON.stringify([metrics, mapped(this.#webhooks, (answers) => answers.rest())])
  }

  /** Answers a request of the controller and records it. */
  answer(effect: HttpEffect, context: RunContext, done: Done): void {
    const url = urlOf(effect.request.url)
    if (effect.effect === 'query' && url.pathname.endsWith('/api/v1/query'))
      return done(this.#query(effect, url, context))
    if (ALERT_HOSTS.has(url.host)) return this.#alert(effect, url, context, done)
    return this.#webhook(effect, url, context, done)
  }

  #query(effect: Extract<HttpEffect, { effect: 'query' }>, url: URL, context: RunContext): HttpOutcome {
    const query = url.searchParams.get('query') ?? ''
    const found = this.#metrics.entries().find(([, { match }]) => query.includes(match))
    const probe = query === 'vector(1)'
    const answer = found?.[1].answers.take() ?? (probe ? 1 : 'empty')
    const prefix = url.pathname.slice(0, url.pathname.indexOf('/api/v1/query'))
    this.#recorder.add(
      {
        t: 'query',
        metric: found?.[0] ?? (probe ? 'probe' : null),
        query,
        answer,
        ...(url.host === 'prometheus.test' ? {} : { host: url.host }),
        ...(prefix === '' ? {} : { pathPrefix: prefix }),
        ...recordedHeaders(effect.request.headers)
      },
      context
    )
    return prometheusAnswer(answer)
  }

  #alert(effect: HttpEffect, url: URL, context: RunContext, done: Done): void {
    const { authorization } = effect.request.headers
    this.#recorder.add(
      {
        t: 'alert',
        url: effect.request.url,
        payload: parsed(effect.request.body),
        ...(authorization === undefined ? {} : { authorization })
      },
      context
    )
    const answer = this.#webhooks.get(url.host)?.take()
    if (answer === undefined) return done({ ok: true, status: 200, body: 'ok', headers: {} })
    return this.#later(effect, answer, done)
  }

  #webhook(effect: HttpEffect, url: URL, context: RunContext, done: Done): void {
    const payload = parsed(effect.request.body) as EventPayload | undefined
    if (url.host === 'events.test') {
      this.#recorder.add(eventRecord(payload), context)
      return done({ ok: true, status: 200, body: '', headers: {} })
    }
    if (payload?.metadata?.eventMessage !== undefined && placeOf(url) === this.#eventHook) {
      this.#recorder.add(eventRecord(payload), context)
    }
    const answer = this.#webhooks.get(url.pathname)?.take() ?? 200
    const { authorization } = { ...basicAuthorization(url), ...effect.request.headers }
    this.#recorder.add(
      {
        t: 'webhook',
        path: url.pathname,
        answer,
        ...(url.host === 'webhooks.test' ? {} : { host: url.host }),
        ...(effect.request.method === 'POST' ? {} : { method: effect.request.method }),
        ...(url.search === '' ? {} : { urlQuery: url.search.slice(1) }),
        ...(authorization === undefined ? {} : { authorization }),
        payload: payload ?? null
      },
      context
    )
    return this.#later(effect, answer, done)
  }

  #later(effect: HttpEffect, answer: WebhookAnswer, done: Done): void {
    const { delayMs, outcome } = webhookAnswer(answer)
    if (delayMs === 0) return done(outcome)
    const { timeoutMs } = effect.request
    const timedOut = delayMs > timeoutMs
    const error = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    this.#timeline.at(this.#timeline.now() + Math.min(delayMs, timeoutMs), () =>
      done(timedOut ? { ok: false, error } : outcome)
    )
  }
}

/** URLs by their text: a controller asks the same ones at every tick. */
const urls = new Map<string, URL>()

/** Most URLs that are kept. */
const URLS_MAX = 1000

function urlOf(text: string): URL {
  let url = urls.get(text)
  if (url !== undefined) return url
  url = new URL(text)
  if (urls.size >= URLS_MAX) urls.clear()
  urls.set(text, url)
  return url
}

function mapped<From, To>(map: ReadonlyMap<string, From>, change: (value: From) => To): [string, To][] {
  return [...map].map(([key, value]) => [key, change(value)])
}

function copied(metrics: HostState['metrics']): Map<string, { match: string; answers: AnswerList<MetricAnswer> }> {
  return new Map(mapped(metrics, ({ match, answers }) => ({ match, answers: answers.copy() })))
}

interface EventPayload {
  readonly phase?: string
  readonly metadata?: { readonly eventMessage?: string; readonly eventType?: string }
}

function eventRecord(payload: EventPayload | undefined): TraceRecord {
  const { eventMessage, eventType } = payload?.metadata ?? {}
  return { t: 'event', type: eventType, message: eventMessage, phase: payload?.phase }
}

function parsed(body: string | undefined): unknown {
  return body === undefined || body === '' ? undefined : JSON.parse(body)
}

/** What a server sees of a URL. */
function placeOf({ host, pathname, search }: URL): string {
  return host + pathname + search
}

function basicAuthorization({ username, password }: URL): { authorization?: string } {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` }
}

/** Authorization and X- headers as Go's server names them. */
function recordedHeaders(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, unknown> {
  const recorded: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(headers)) {
    const values = [value].flat()
    const canonical = name
      .split('-')
      .map((part) => `${part.slice(0, 1).toUpperCase()}${part.slice(1).toLowerCase()}`)
      .join('-')
    if (canonical === 'Authorization') recorded['authorization'] = values[0]
    else if (canonical.startsWith('X-')) recorded[`header:${canonical}`] = values[0]
  }
  return recorded
}
