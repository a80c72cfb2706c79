import { Agent, ProxyAgent, request as undiciRequest } from 'undici'
import type { Hold, Timeline } from '../../lib/time/index.ts'
import type { HttpOutcome, HttpRequest } from '../../model/canary/index.ts'
import type { HttpEffect } from './local-controller.ts'

/** Largest answer that is read. */
const BODY_MAX_BYTES = 10_485_760
/** Wall milliseconds after which a peer that gives neither an answer nor its hold back is given up. */
const WALL_TIMEOUT_MS = 120_000

/** What HTTP requests of a controller go through. */
export interface ExchangeOptions {
  readonly timeline: Timeline
  readonly holds: { hold(name: string): Hold } | undefined
  /** The address behind a host name of the cluster; undefined: the name is outside. */
  readonly resolve: (url: string) => string | undefined
  /** Makes requests to hosts outside. */
  readonly fetchImpl: typeof fetch
}

/** Makes HTTP requests whose time-outs count in simulated time. */
export class HttpExchange {
  readonly #options: ExchangeOptions
  readonly #agent = new Agent({
    keepAliveTimeout: 60_000,
    headersTimeout: WALL_TIMEOUT_MS,
    bodyTimeout: WALL_TIMEOUT_MS
  })

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /**
   * Performs a request. The caller's hold is given back while it runs; a hold of its own travels with the request, so
   * that whoever serves it can let time pass, and dies with it, so that a late answer cannot stop time again.
   */
  async perform(effect: HttpEffect, outer: Hold | undefined): Promise<HttpOutcome> {
    const { timeline, holds } = this.#options
    const hold = holds?.hold(`${effect.effect} ${effect.request.url}`)
    outer?.suspend()
    const abort = new AbortController()
    let timedOut = false
    const timer = timeline.at(timeline.now() + effect.request.timeoutMs, () => {
      timedOut = true
      hold?.resume()
      abort.abort()
    })
    try {
      return await this.#send(effect, abort.signal, hold)
    } catch (error) {
      return { ok: false, error: timedOut ? timeoutText(effect) : transportText(error, effect.request.url) }
    } finally {
      timer.cancel()
      outer?.resume()
      hold?.release()
    }
  }

  /** Closes idle connections. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #send(effect: HttpEffect, signal: AbortSignal, hold: Hold | undefined): Promise<HttpOutcome> {
    if (effect.effect === 'alert' && effect.proxy !== '') return this.#proxied(effect.request, effect.proxy, signal)
    const address = effect.effect === 'alert' ? undefined : this.#options.resolve(effect.request.url)
    return address === undefined
      ? this.#outside(effect.request, signal)
      : this.#inside(effect.request, address, signal, hold)
  }

  async #inside(
    request: HttpRequest,
    address: string,
    signal: AbortSignal,
    hold: Hold | undefined
  ): Promise<HttpOutcome> {
    const { statusCode, headers, body } = await undiciRequest(withoutCredentials(address), {
      dispatcher: this.#agent,
      method: request.method,
      headers: {
        ...flattened(request.headers),
        ...basicAuthorization(request.url),
        host: new URL(request.url).host,
        ...(hold === undefined ? {} : { 'x-twin-hold': String(hold.id) })
      },
      ...(request.body === undefined ? {} : { body: request.body }),
      signal
    })
    return { ok: true, status: statusCode, body: limited(await body.text()), headers: firstValues(headers) }
  }

  /** An alert through the proxy of its receiver: plain requests name the whole URL, others get a tunnel, as in Go. */
  async #proxied(request: HttpRequest, proxy: string, signal: AbortSignal): Promise<HttpOutcome> {
    const uri = this.#options.resolve(proxy) ?? proxy
    const dispatcher = new ProxyAgent({ uri, proxyTunnel: request.url.startsWith('https:') })
    try {
      const { statusCode, headers, body } = await undiciRequest(request.url, {
        dispatcher,
        method: request.method,
        headers: flattened(request.headers),
        ...(request.body === undefined ? {} : { body: request.body }),
        signal
      })
      return { ok: true, status: statusCode, body: limited(await body.text()), headers: firstValues(headers) }
    } finally {
      await dispatcher.close()
    }
  }

  async #outside(request: HttpRequest, signal: AbortSignal): Promise<HttpOutcome> {
    const headers = new Headers()
    for (const [name, values] of Object.entries({ ...request.headers, ...basicAuthorization(request.url) })) {
      for (const value of [values].flat()) headers.append(name, value)
    }
    const response = await this.#options.fetchImpl(withoutCredentials(request.url), {
      method: request.method,
      headers,
      redirect: 'manual',
      signal,
      ...(request.body === undefined ? {} : { body: request.body })
    })
    return {
      ok: true,
      status: response.status,
      body: limited(await response.text()),
      headers: Object.fromEntries(response.headers)
    }
  }
}

function flattened(headers: HttpRequest['headers']): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]])
  )
}

function firstValues(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String([value ?? ''].flat()[0])]))
}

function limited(text: string): string {
  return text.length > BODY_MAX_BYTES ? text.slice(0, BODY_MAX_BYTES) : text
}

/** User and password of a URL are sent as basic authorization, as Go does. */
function basicAuthorization(url: string): Record<string, string> {
  const { username, password } = new URL(url)
  if (username === '' && password === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` }
}

function withoutCredentials(url: string): string {
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}

/** Go's words for a time-out of http.Client (webhooks) and of a context (queries, alerts). */
function timeoutText({ effect }: HttpEffect): string {
  return effect === 'webhook'
    ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    : 'context deadline exceeded'
}

/** Go's words for what went wrong with a connection. */
function transportText(error: unknown, url: string): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { code, address, port } = (cause ?? {}) as { code?: string; address?: string; port?: number }
  const hostname = URL.canParse(url) ? new URL(url).hostname : url
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address ?? hostname}:${port ?? 80}: connect: connection refused`
    case 'ENOTFOUND':
      return `dial tcp: lookup ${hostname}: no such host`
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${hostname}: server misbehaving`
    case 'ECONNRESET':
      return 'read: connection reset by peer'
    case 'UND_ERR_SOCKET':
      return 'EOF'
    default:
      return cause instanceof Error ? cause.message : String(cause)
  }
}
