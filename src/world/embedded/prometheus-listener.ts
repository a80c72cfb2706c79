import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TwinError } from '../../lib/errors/index.ts'
import type { PromRequest, PromResponse } from '../../model/promapi/index.ts'

/** Most bytes of a query's form body. */
const FORM_BYTES_MAX = 1024 * 1024

/** The listener that controllers, Grafana and people query. */
export interface PrometheusListener {
  readonly url: string
  close(): Promise<void>
}

/** Options of {@link listenPrometheus}. */
export interface PrometheusListenerOptions {
  /** Port on 127.0.0.1; 0 or absent: any free one. */
  readonly port?: number
  readonly handle: (request: PromRequest) => PromResponse
  /** Told the wall milliseconds of each request. */
  readonly onRequest: (wallMs: number) => void
}

/**
 * Binds the Prometheus HTTP API to loopback.
 * @throws TwinError TWIN_PORT_IN_USE when the port that was asked for is taken
 */
export async function listenPrometheus(options: PrometheusListenerOptions): Promise<PrometheusListener> {
  const server = createServer((incoming, response) => {
    readForm(incoming, (form) => serve(options, incoming, response, form))
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EADDRINUSE' ? 'TWIN_PORT_IN_USE' : 'TWIN_WORLD_START'
      reject(new TwinError(code, `port ${options.port ?? 0} on 127.0.0.1 for Prometheus: ${cause.message}`, { cause }))
    })
    server.listen(options.port ?? 0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}

type Pairs = readonly (readonly [string, string])[]

function serve(
  options: PrometheusListenerOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
  form: Pairs
): void {
  const began = performance.now()
  const [path = '/', search = ''] = (incoming.url ?? '/').split(/\?(.*)/s)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers)) if (value !== undefined) headers[name] = String(value)
  const query = [...new URLSearchParams(search)]
  const answer = options.handle({ method: incoming.method ?? 'GET', path, query, form, headers })
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) })
  response.end(answer.body)
  options.onRequest(performance.now() - began)
}

function readForm(incoming: IncomingMessage, done: (form: Pairs) => void): void {
  const isForm = incoming.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  const chunks: Buffer[] = []
  let bytes = 0
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > FORM_BYTES_MAX) incoming.destroy()
    else chunks.push(chunk)
  })
  incoming.on('end', () => done(isForm ? [...new URLSearchParams(Buffer.concat(chunks).toString('utf8'))] : []))
}
