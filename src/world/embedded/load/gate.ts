import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
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
  /** Answers that autocannon has read. */
  answered(): number
  close(): Promise<void>
}

/**
 * Opens the gate and starts autocannon against it.
 * @param onFailure - called when the generator breaks
 */
export async function openGate(
  request: GateRequest,
  connections: number,
  onFailure: (error: TwinError) => void
): Promise<Gate> {
  const { default: autocannon } = await import('autocannon')
  const target = new URL(request.url)
  const waiting: Parked[] = []
  const takers: ((parked: Parked | undefined) => void)[] = []
  const instances: Instance[] = []
  const ended: Promise<void>[] = []
  let open = 0
  let inFlight = 0
  let answered = 0
  let closed = false

  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (incoming, response) => {
    collect(incoming, (body) => {
      if (closed) return
      const parked = park(incoming, response, body, () => inFlight--)
      const taker = takers.shift()
      if (taker === undefined) waiting.push(parked)
      else taker(parked)
    })
  })
  const port = await listen(server)

  function grow(count: number): void {
    open += count
    const { promise, resolve } = Promise.withResolvers<void>()
    ended.push(promise)
    const instance = autocannon(
      {
        url: `http://127.0.0.1:${port}${target.pathname}${target.search}`,
        connections: count,
        duration: FOREVER_SECONDS,
        timeout: FOREVER_SECONDS,
        sampleInt: SAMPLE_MS,
        method: request.method,
        headers: { ...request.headers, host: request.headers['host'] ?? target.host },
        ...(request.body === undefined ? {} : { body: request.body })
      },
      (error) => {
        resolve()
        if (error !== null && !closed) onFailure(notDelivered(request, error))
      }
    )
    instance.on('response', () => answered++)
    instances.push(instance)
  }
  grow(connections)

  return {
    take(ready): void {
      inFlight++
      const parked = waiting.shift()
      if (parked !== undefined) {
        ready(parked)
        return
      }
      if (inFlight > CONNECTIONS_MAX) {
        inFlight--
        ready(undefined)
        return
      }
      takers.push(ready)
      if (inFlight > open) grow(Math.min(open, CONNECTIONS_MAX - open))
    },
    answered: () => answered,
    async close(): Promise<void> {
      closed = true
      for (const instance of instances) instance.stop()
      // Connections stay open until autocannon has let go of them; it would open them again.
      await Promise.all(ended)
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
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
