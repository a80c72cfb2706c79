import type { Hold, Scheduled, Timeline } from '../../lib/time/index.ts'
import type { AppFetch, AppFetchResult } from '../../model/app/index.ts'
import type { Cancellable, HoldUsers } from './holds.ts'
import type { Upstream } from './upstream.ts'
import { ERROR_HEADER, HOLD_HEADER, KEY_HEADER, TARGET_HEADER } from './wire-headers.ts'

/** How a client calls. */
export interface ClientCall {
  readonly timeline: Timeline
  /** Connections to the client's outbound proxy. */
  readonly upstream: Upstream
  readonly request: AppFetch
  readonly hold: Hold | undefined
  readonly users: HoldUsers
  /** Identity of the request; absent: the proxy numbers it. */
  readonly key?: string
}

/** Calls a server by its cluster name through the client's outbound proxy; `done` hears the result once. */
export function clientFetch(call: ClientCall, done: (result: AppFetchResult) => void): Cancellable {
  const { timeline, upstream, request, hold } = call
  const url = new URL(request.url)
  const startedAt = timeline.now()
  let over = false
  let timer: Scheduled | undefined
  let status = 0
  let answerHeaders: Record<string, string> = {}
  const chunks: Buffer[] = []
  const finish = (result: AppFetchResult): void => {
    if (over) return
    over = true
    timer?.cancel()
    done(result)
  }
  const fail = (reason: 'refused' | 'reset' | 'timeout' | 'unresolved', message: string): void =>
    finish({ ok: false, reason, message, elapsedMs: timeline.now() - startedAt })
  const abort = upstream.send(
    {
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: headersOf(call, url),
      body: bodyOf(request)
    },
    {
      head: (code, headers) => {
        status = code
        answerHeaders = plainHeaders(headers)
      },
      data: (chunk) => chunks.push(chunk),
      end: () => {
        const error = answerHeaders[ERROR_HEADER]
        if (error === 'unresolved') fail('unresolved', `dial tcp: lookup ${url.hostname}: no such host`)
        else if (error === 'refused') fail('refused', `dial tcp ${url.host}: connect: connection refused`)
        else {
          const body = Buffer.concat(chunks).toString()
          finish({ ok: true, status, headers: answerHeaders, body, elapsedMs: timeline.now() - startedAt })
        }
      },
      failed: () => fail('reset', 'EOF')
    }
  )
  if (Number.isFinite(request.timeoutMs)) {
    timer = timeline.at(startedAt + request.timeoutMs, () => {
      hold?.resume()
      if (hold !== undefined) call.users.abandon(hold.id)
      abort()
      fail('timeout', 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
    })
  }
  return {
    cancel: () => {
      if (over) return
      over = true
      timer?.cancel()
      if (hold !== undefined) call.users.abandon(hold.id)
      abort()
    }
  }
}

function headersOf(call: ClientCall, url: URL): string[] {
  const headers: string[] = []
  let host: string | undefined
  for (const [name, value] of Object.entries(call.request.headers)) {
    if (name.toLowerCase() === 'host') host = value
    else headers.push(name, value)
  }
  headers.push('Host', host ?? url.host)
  if (host !== undefined && host !== url.host) headers.push(TARGET_HEADER, url.host)
  if (call.hold !== undefined) headers.push(HOLD_HEADER, String(call.hold.id))
  if (call.key !== undefined) headers.push(KEY_HEADER, call.key)
  return headers
}

function bodyOf(request: AppFetch): Buffer | undefined {
  return request.body === '' && request.method !== 'POST' && request.method !== 'PUT'
    ? undefined
    : Buffer.from(request.body)
}

function plainHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return plain
}
