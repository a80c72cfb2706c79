import { Pool } from 'undici'
import type { Hold } from '../../../lib/time/index.ts'
import type { WorldClock } from '../clock.ts'

/** Most bytes of an answer that a client of the twin reads. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** What a client in the cluster asks for. */
export interface UpstreamRequest {
  readonly method: string
  /** Path with query string. */
  readonly path: string
  /** Host header, which the outbound proxy resolves. */
  readonly host: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Buffer | string
  /** Simulated milliseconds after which the client gives up; absent: never. */
  readonly timeoutMs?: number
  /** Identity of the request; the draws about it are keyed by it. */
  readonly key?: string
}

/** What a client in the cluster gets. */
export type UpstreamAnswer =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: Readonly<Record<string, string | string[] | undefined>>
      readonly body: Buffer
    }
  | {
      readonly ok: false
      readonly reason: 'timeout' | 'aborted' | 'reset' | 'refused' | 'resolve'
      readonly message: string
    }

/** A client's way into the mesh: keep-alive connections to its outbound proxy. */
export interface Upstream {
  /** Sends one request under the given hold, which whatever serves it may suspend; the caller releases it. */
  send(request: UpstreamRequest, hold: Hold, signal?: AbortSignal): Promise<UpstreamAnswer>
  close(): Promise<void>
}

/**
 * Connects a client to its outbound proxy.
 * @param origin - `http://127.0.0.1:<port>` of the proxy
 */
export function openUpstream(clock: WorldClock, origin: string): Upstream {
  const pool = new Pool(origin, { headersTimeout: 0, bodyTimeout: 0, connections: 1024, pipelining: 1 })
  return {
    send: (request, hold, signal) => send({ clock, pool, request, hold, signal }),
    close: () => pool.destroy()
  }
}

interface Sending {
  readonly clock: WorldClock
  readonly pool: Pool
  readonly request: UpstreamRequest
  readonly hold: Hold
  readonly signal: AbortSignal | undefined
}

async function send({ clock, pool, request, hold, signal }: Sending): Promise<UpstreamAnswer> {
  const abort = new AbortController()
  let timedOut = false
  const giveUp = (): void => {
    hold.resume()
    abort.abort()
  }
  const timer =
    request.timeoutMs === undefined
      ? undefined
      : clock.at(clock.now() + request.timeoutMs, () => {
          timedOut = true
          giveUp()
        })
  signal?.addEventListener('abort', giveUp)
  if (signal?.aborted === true) giveUp()
  try {
    const answer = await pool.request({
      method: request.method as 'GET',
      path: request.path,
      headers: twinHeaders(request, hold),
      body: request.body ?? null,
      signal: abort.signal
    })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes <= ANSWER_BYTES_MAX) chunks.push(chunk)
    }
    const refusal = answer.headers['x-twin-error']
    if (refusal !== undefined) {
      return { ok: false, reason: refusal === 'unresolved' ? 'resolve' : 'refused', message: String(refusal) }
    }
    return { ok: true, status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    if (timedOut) return { ok: false, reason: 'timeout', message: 'timed out' }
    return { ok: false, reason: abort.signal.aborted ? 'aborted' : 'reset', message }
  } finally {
    timer?.cancel()
    signal?.removeEventListener('abort', giveUp)
  }
}

/** The request's own headers and those that only the twin's parts read. */
function twinHeaders(request: UpstreamRequest, hold: Hold): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = typeof value === 'string' ? value : [...value]
  }
  headers['host'] = request.host
  if (hold.id > 0) headers['x-twin-hold'] = String(hold.id)
  if (request.key !== undefined) headers['x-twin-key'] = request.key
  return headers
}
