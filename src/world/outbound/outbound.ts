import type { http as Http, HttpHandler, HttpResponse as Answer } from 'msw'

/** Most bytes of a call's payload that the trace keeps. */
const PAYLOAD_BYTES_MAX = 256 * 1024

/** A call that left the cluster for the outside world. */
export interface OutboundCall {
  readonly url: string
  readonly method: string
  /** The body: parsed where it is JSON, else its text. */
  readonly payload: unknown
}

/** Options of {@link createOutbound}. */
export interface OutboundOptions {
  /** Host names that may really be called; every other call is answered by the twin. */
  readonly allowHosts: readonly string[]
  /** Told of each call before it is answered. */
  readonly onCall: (call: OutboundCall) => void
}

/** The client for calls to the world outside the cluster (Slack, Teams, Discord, …). */
export interface Outbound {
  fetch(url: string, init: RequestInit): Promise<Response>
}

/**
 * Makes the client for outside calls. msw answers them (status 200, the words each service says on success); it wraps
 * this client and nothing else, so that no path of the data plane, the load, the scrapes or the API goes through it.
 */
export function createOutbound(options: OutboundOptions): Outbound {
  let handlers: readonly HttpHandler[] | undefined
  return {
    async fetch(url, init): Promise<Response> {
      const request = new Request(url, init)
      options.onCall({ url, method: request.method, payload: await readPayload(request) })
      if (options.allowHosts.includes(new URL(url).hostname)) return await fetch(request)
      const msw = await import('msw')
      handlers ??= outsideHandlers(msw)
      const answer = await msw.getResponse([...handlers], request)
      return answer ?? new Response('not answered by the twin', { status: 502 })
    }
  }
}

async function readPayload(request: Request): Promise<unknown> {
  const text = (await request.clone().text()).slice(0, PAYLOAD_BYTES_MAX)
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

/** What the services say when a message has arrived. */
function outsideHandlers(msw: {
  readonly http: typeof Http
  readonly HttpResponse: typeof Answer
}): readonly HttpHandler[] {
  const { http, HttpResponse } = msw
  return [
    http.all('https://*.webhook.office.com/*', () => HttpResponse.text('1')),
    http.all('https://discord.com/*', () => HttpResponse.text('ok')),
    http.all('https://chat.googleapis.com/*', () => HttpResponse.json({})),
    http.all('*', () => HttpResponse.text('ok'))
  ]
}
