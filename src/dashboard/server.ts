import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LinkerdError, type View, viewOf } from '../model/viz/index.ts'
import type { ClusterConnection } from './cluster.ts'
import { PAGE_HTML, PAGE_SCRIPT, PAGE_STYLE } from './page.ts'

// As in cluster.ts: an import by name costs every `linkerd stat` too.
const { createServer } = process.getBuiltinModule('node:http')

/** The dashboard while it listens. */
export interface Dashboard {
  /** `http://localhost:50750` */
  readonly url: string
  close(): Promise<void>
}

/** Nothing but the dashboard's own files runs or is loaded; no other page may embed it. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
} as const

/** Names by which the listener on loopback may be called; any other is a page of somebody else (DNS rebinding). */
const HOSTS = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/

/**
 * Serves the dashboard's pages on 127.0.0.1.
 * @param port - 0: any free one
 * @throws LinkerdError when the port is taken
 */
export async function serveDashboard(cluster: ClusterConnection, port: number): Promise<Dashboard> {
  const server = createServer((request, response) => {
    void answer(cluster, request)
      .catch((error: unknown) => plain(500, `${error instanceof Error ? error.message : String(error)}\n`))
      .then((answered) => send(response, request, answered))
  })
  const bound = await new Promise<number>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, port)))
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  return {
    url: `http://localhost:${bound}`,
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}

function send(response: ServerResponse, request: IncomingMessage, { code, type, text }: Answer): void {
  response.writeHead(code, { ...HEADERS, 'content-type': `${type}; charset=utf-8` })
  response.end(request.method === 'HEAD' ? undefined : text)
}

function listenError(cause: NodeJS.ErrnoException, port: number): LinkerdError {
  if (cause.code !== 'EADDRINUSE') return new LinkerdError(`port ${port} on localhost: ${cause.message}`)
  return new LinkerdError(
    `port ${port} on localhost is in use\n` +
      'Check for `linkerd dashboard` running in other terminal sessions, or use the `--port` flag.'
  )
}

interface Answer {
  readonly code: number
  readonly type: 'text/html' | 'text/css' | 'text/javascript' | 'application/json' | 'text/plain'
  readonly text: string
}

async function answer(cluster: ClusterConnection, request: IncomingMessage): Promise<Answer> {
  if (!HOSTS.test(request.headers.host ?? '')) return plain(421, 'This is the dashboard of localhost.\n')
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'GET only.\n')
  const [path = '/'] = (request.url ?? '/').split('?')
  if (path === '/assets/dashboard.css') return { code: 200, type: 'text/css', text: PAGE_STYLE }
  if (path === '/assets/dashboard.js') return { code: 200, type: 'text/javascript', text: PAGE_SCRIPT }
  const isData = path === '/api' || path.startsWith('/api/')
  const found = await look(cluster, isData ? path.slice('/api'.length) : path)
  if (!isData) return { code: found.code, type: 'text/html', text: PAGE_HTML }
  return { code: found.code, type: 'application/json', text: `${JSON.stringify(found.body)}\n` }
}

interface Found {
  readonly code: number
  readonly body: View | { readonly error: string }
}

/** What a path shows: 404 where there is no such page or object, 502 where the twin does not answer. */
async function look(cluster: ClusterConnection, path: string): Promise<Found> {
  const plan = viewOf(path)
  if (plan === undefined) return { code: 404, body: { error: `There is no page ${path}.` } }
  try {
    return { code: 200, body: await cluster.run(plan) }
  } catch (error) {
    if (!(error instanceof LinkerdError)) throw error
    return { code: error.status === 404 ? 404 : 502, body: { error: error.message } }
  }
}

function plain(code: number, text: string): Answer {
  return { code, type: 'text/plain', text }
}
