import { type Dispatcher, Pool } from 'undici'
import type { Hold, Scheduled } from '../../../lib/time/index.ts'
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

function send(sending: Sending): Promise<UpstreamAnswer> {
  return new Promise((resolve) => {
    const exchange = new Exchange(sending, resolve)
    const { pool, request, hold } = sending
    pool.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: twinHeaders(request, hold),
        body: request.body ?? null
      },
      exchange
    )
  })
}

/** One request on its way; tells its outcome once, whichever of answer, time-out and abort comes first. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #sending: Sending
  readonly #resolve: (answer: UpstreamAnswer) => void
  readonly #timer: Scheduled | undefined
  readonly #onAbort = (): void => this.#giveUp('aborted', 'aborted')
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #status = 0
  #headers: Readonly<Record<string, string | string[] | undefined>> = {}
  #controller: Dispatcher.DispatchController | undefined
  #over = false

  constructor(sending: Sending, resolve: (answer: UpstreamAnswer) => void) {
    this.#sending = sending
    this.#resolve = resolve
    const { clock, request, signal } = sending
    if (request.timeoutMs !== undefined) {
      this.#timer = clock.at(clock.now() + request.timeoutMs, () => this.#giveUp('timeout', 'timed out'))
    }
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted === true) this.#onAbort()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error('given up'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>
  ): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes <= ANSWER_BYTES_MAX) this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const refusal = this.#headers['x-twin-error']
    if (refusal !== undefined) {
      const reason = refusal === 'unresolved' ? 'resolve' : 'refused'
      this.#finish({ ok: false, reason, message: String(refusal) })
      return
    }
    this.#finish({ ok: true, status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish({ ok: false, reason: 'reset', message: error.message })
  }

  /** The outcome is told under the hold: what it leads to happens before time moves on. */
  #giveUp(reason: 'timeout' | 'aborted', message: string): void {
    if (this.#over) return
    this.#sending.hold.resume()
    this.#finish({ ok: false, reason, message })
    this.#controller?.abort(new Error(message))
  }

  #finish(answer: UpstreamAnswer): void {
    if (this.#over) return
    this.#over = true
    this.#timer?.cancel()
    this.#sending.signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(answer)
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
