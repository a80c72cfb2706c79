import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Autocannon from 'autocannon'
import type { Instance } from 'autocannon'
import { TwinError } from '../../../lib/errors/index.ts'
import type { UpstreamAnswer } from './upstream.ts'

/** Most connections one load may have open; beyond it requests count as not delivered. */
export const CONNECTIONS_MAX = 1024

/** Wall seconds that stand for "never" in autocannon's options (just under the largest timer). */
const FOREVER_SECONDS = 2_000_000

/** Wall milliseconds between autocannon's looks at whether it was told to stop. */
const SAMPLE_MS = 50

/** What the generator sends, the same each time. */
export interface GateRequest {
  readonly method: string
  /** URL in cluster names. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A request that autocannon has sent and that waits at the gate for its simulated time. */
export interface Parked {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Buffer
  /** Hands the upstream's answer (or failure) to autocannon. */
  answer(answer: UpstreamAnswer): void
}

/** The gate in front of a client's proxy: autocannon runs unthrottled against it, the twin's schedule releases. */
export interface Gate {
  /** Calls back with a parked request, opening connections as needed; with undefined when the limit is reached. */
  take(ready: (parked: Parked | undefined) => void): void
  close(): Promise<void>
}

/**
 * Opens the gate and starts autocannon against it.
 * @param connections - connections it begins with
 * @param onFailure - called when the generator breaks
 */
export async function openGate(
  request: GateRequest,
  connections: number,
  onFailure: (error: TwinError) => void
): Promise<Gate> {
  const { default: autocannon } = await import('autocannon')
  const gate = new OpenGate(request, autocannon, onFailure)
  await gate.listen()
  gate.grow(connections)
  return gate
}

type Taker = (parked: Parked | undefined) => void

class OpenGate implements Gate {
  readonly #request: GateRequest
  readonly #autocannon: typeof Autocannon
  readonly #onFailure: (error: TwinError) => void
  readonly #server: Server
  readonly #waiting: Parked[] = []
  readonly #takers: Taker[] = []
  readonly #instances: Instance[] = []
  readonly #ended: Promise<void>[] = []
  #port = 0
  #open = 0
  #inFlight = 0
  #closed = false

  constructor(request: GateRequest, autocannon: typeof Autocannon, onFailure: (error: TwinError) => void) {
    this.#request = request
    this.#autocannon = autocannon
    this.#onFailure = onFailure
    const limits = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }
    this.#server = createServer(limits, (incoming, response) => {
      collect(incoming, (body) => this.#arrive(incoming, response, body))
    })
  }

  async listen(): Promise<void> {
    this.#port = await listen(this.#server)
  }

  /** Opens more connections: another instance of autocannon, since one cannot grow. */
  grow(count: number): void {
    const { method, headers, body, url } = this.#request
    const target = new URL(url)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#open += count
    this.#ended.push(promise)
    const instance = this.#autocannon(
      {
        url: `http://127.0.0.1:${this.#port}${target.pathname}${target.search}`,
        connections: count,
        duration: FOREVER_SECONDS,
        timeout: FOREVER_SECONDS,
        sampleInt: SAMPLE_MS,
        method,
        headers: { ...headers, host: headers['host'] ?? target.host },
        ...(body === undefined ? {} : { body })
      },
      (error) => {
        resolve()
        if (error !== null && !this.#closed) this.#onFailure(notDelivered(this.#request, error))
      }
    )
    this.#instances.push(instance)
  }

  take(ready: Taker): void {
    this.#inFlight++
    const parked = this.#waiting.shift()
    if (parked !== undefined) {
      ready(parked)
      return
    }
    if (this.#inFlight > CONNECTIONS_MAX) {
      this.#inFlight--
      ready(undefined)
      return
    }
    this.#takers.push(ready)
    if (this.#inFlight > this.#open) this.grow(Math.min(this.#open, CONNECTIONS_MAX - this.#open))
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const instance of this.#instances) instance.stop()
    // Connections stay open until autocannon has let go of them; it would open them again.
    await Promise.all(this.#ended)
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #arrive(incoming: IncomingMessage, response: ServerResponse, body: Buffer): void {
    if (this.#closed) return
    const parked = park(incoming, response, body, () => this.#inFlight--)
    const taker = this.#takers.shift()
    if (taker === undefined) this.#waiting.push(parked)
    else taker(parked)
  }
}

function notDelivered(request: GateRequest, cause: unknown): TwinError {
  return new TwinError('TWIN_LOAD_NOT_DELIVERED', `The load generator for ${request.url} failed.`, { cause })
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function collect(incoming: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => done(Buffer.concat(chunks)))
}

const HOP_HEADERS: ReadonlySet<string> = new Set(['connection', 'host', 'keep-alive', 'transfer-encoding'])

function park(incoming: IncomingMessage, response: ServerResponse, body: Buffer, onAnswered: () => void): Parked {
  const headers: Record<string, string | readonly string[]> = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined && !HOP_HEADERS.has(name)) headers[name] = value
  }
  return {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    host: incoming.headers.host ?? '',
    headers,
    body,
    answer(answer): void {
      onAnswered()
      // A failed request breaks autocannon's connection, as it broke the client's; autocannon opens another.
      if (!answer.ok) {
        response.destroy()
        return
      }
      response.writeHead(answer.status, { 'content-length': answer.body.length })
      response.end(answer.body)
    }
  }
}
