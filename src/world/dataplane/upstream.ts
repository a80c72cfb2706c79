import { type Dispatcher, Pool } from 'undici'

/** Most connections to one listener. */
const CONNECTIONS_MAX = 1024

/** A request to a listener of the twin. */
export interface UpstreamRequest {
  readonly method: string
  readonly path: string
  /** Names and values, alternating. */
  readonly headers: string[]
  readonly body: Buffer | undefined
}

/** Why there was no (whole) answer. */
export type UpstreamFailure = 'refused' | 'reset' | 'closed'

/** Hears what comes back. */
export interface UpstreamListener {
  head(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void
  data(chunk: Buffer): void
  end(trailers: Readonly<Record<string, string | string[] | undefined>>): void
  failed(reason: UpstreamFailure): void
}

/** Keep-alive connections to one listener on loopback. */
export class Upstream {
  readonly #pool: Pool

  constructor(port: number) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, {
      connections: CONNECTIONS_MAX,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 600_000,
      keepAliveMaxTimeout: 600_000
    })
  }

  /** Sends a request; the returned function calls it off, after which the listener hears nothing more. */
  send(request: UpstreamRequest, listener: UpstreamListener): () => void {
    const exchange = new UpstreamExchange(listener)
    this.#pool.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body ?? null
      },
      exchange
    )
    return () => exchange.callOff()
  }

  /** Closes every connection; what is on its way fails. */
  close(): void {
    this.#pool.destroy().catch(() => {
      // Destroying twice is all that can fail here, and the pool is gone either way.
    })
  }
}

class UpstreamExchange implements Dispatcher.DispatchHandler {
  readonly #listener: UpstreamListener
  #controller: Dispatcher.DispatchController | undefined
  #off = false

  constructor(listener: UpstreamListener) {
    this.#listener = listener
  }

  callOff(): void {
    this.#off = true
    this.#controller?.abort(new Error('called off'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#off) controller.abort(new Error('called off'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>
  ): void {
    if (!this.#off && status >= 200) this.#listener.head(status, headers)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#off) this.#listener.data(chunk)
  }

  onResponseEnd(
    _controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>
  ): void {
    if (!this.#off) this.#listener.end(trailers)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#off) return
    this.#off = true
    this.#listener.failed(failureOf(error))
  }
}

function failureOf(error: Error): UpstreamFailure {
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ECONNREFUSED' || code === 'UND_ERR_CONNECT_TIMEOUT') return 'refused'
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'reset' : 'closed'
}
