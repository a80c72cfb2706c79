/** Listeners that answer as a twin's API and Prometheus do, with what a test gives them. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A running stand-in. */
export interface TwinStand {
  readonly env: { readonly KUBECONFIG: string }
  readonly apiUrl: string
  readonly prometheusUrl: string
  /** Objects by path; a list is an array. What is not here is 404. */
  readonly objects: Record<string, unknown>
  /** Bodies of Prometheus for a query that contains the part. */
  readonly series: [part: string, result: unknown][]
  /** Queries that Prometheus got. */
  readonly queries: string[]
  stopPrometheus(): Promise<void>
  close(): Promise<void>
}

/** Starts both listeners on loopback; the API says where Prometheus is. */
export async function startTwinStand(): Promise<TwinStand> {
  const objects: Record<string, unknown> = {}
  const series: [string, unknown][] = []
  const queries: string[] = []
  const prometheus = await listen((url) => {
    const query = url.searchParams.get('query') ?? ''
    queries.push(query)
    if (query.includes('broken')) return [400, { status: 'error', errorType: 'bad_data', error: 'parse error' }]
    const result = series.find(([part]) => query.includes(part))?.[1] ?? []
    return [200, { status: 'success', data: { resultType: 'vector', result } }]
  })
  const api = await listen((url, token) => {
    if (token !== 'Bearer secret') return [401, { kind: 'Status', message: 'Unauthorized' }]
    const body = objects[url.pathname]
    const message = `namespaces "${url.pathname.split('/').at(-1)}" not found`
    return body === undefined ? [404, { message }] : [200, Array.isArray(body) ? { items: body } : body]
  })
  const annotations = { 'viz.linkerd.io/external-prometheus': prometheus.url }
  objects['/api/v1/namespaces/linkerd-viz'] = { metadata: { name: 'linkerd-viz', annotations } }
  const folder = mkdtempSync(join(tmpdir(), 'twin-stand-'))
  const KUBECONFIG = join(folder, 'kubeconfig')
  const config = {
    'current-context': 'twin',
    clusters: [{ name: 'twin', cluster: { server: api.url } }],
    users: [{ name: 'twin', user: { token: 'secret' } }],
    contexts: [{ name: 'twin', context: { cluster: 'twin', user: 'twin' } }]
  }
  writeFileSync(KUBECONFIG, JSON.stringify(config))
  return {
    env: { KUBECONFIG },
    apiUrl: api.url,
    prometheusUrl: prometheus.url,
    objects,
    series,
    queries,
    stopPrometheus: prometheus.close,
    close: async () => {
      rmSync(folder, { recursive: true, force: true })
      await Promise.all([api.close(), prometheus.close()])
    }
  }
}

type Answering = (url: URL, authorization: string | undefined) => readonly [code: number, body: unknown]

async function listen(answer: Answering): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const [code, body] = answer(new URL(request.url ?? '/', 'http://localhost'), request.headers.authorization)
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      })
  }
}
