import { Worker } from 'node:worker_threads'
import { Pool } from 'undici'

/** What two proxies add to a request, wall milliseconds. */
export interface ProxyHopFigures {
  readonly rate: number
  readonly connections: number
  /** Median over the pairs. */
  readonly addedP50Ms: number
  readonly addedP99Ms: number
  readonly direct: readonly RunFigures[]
  readonly proxied: readonly RunFigures[]
}

/** One run of one side. */
export interface RunFigures {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly sent: number
}

/**
 * Measures the two proxies of the data plane on real time: evenly spaced requests over keep-alive connections, with and
 * without proxies in turns, the servers in a thread of their own.
 * @param options - default 2,000 requests a second over 20 connections, 5 pairs of 2 seconds
 */
export async function benchProxyHop(
  options: {
    readonly rate?: number
    readonly connections?: number
    readonly pairs?: number
    readonly seconds?: number
  } = {}
): Promise<ProxyHopFigures> {
  const { rate = 2000, connections = 20, pairs = 5, seconds = 2 } = options
  const worker = new Worker(new URL('./proxy-hop-worker.ts', import.meta.url))
  try {
    const ports = await new Promise<{ direct: number; proxied: number }>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    const direct: RunFigures[] = []
    const proxied: RunFigures[] = []
    for (let pair = -1; pair < pairs; pair++) {
      const plain = await run(ports.direct, { rate, connections, seconds: pair < 0 ? 1 : seconds })
      const through = await run(ports.proxied, { rate, connections, seconds: pair < 0 ? 1 : seconds })
      // The first pair warms up connections and code.
      if (pair < 0) continue
      direct.push(plain)
      proxied.push(through)
    }
    const added = (of: (figures: RunFigures) => number): number =>
      median(proxied.map((figures, index) => of(figures) - of(direct[index] ?? figures)))
    return { rate, connections, addedP50Ms: added((f) => f.p50Ms), addedP99Ms: added((f) => f.p99Ms), direct, proxied }
  } finally {
    await worker.terminate()
  }
}

async function run(
  port: number,
  load: { readonly rate: number; readonly connections: number; readonly seconds: number }
): Promise<RunFigures> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: load.connections, pipelining: 1 })
  const latencies: number[] = []
  const total = load.rate * load.seconds
  const gapMs = 1000 / load.rate
  const start = performance.now()
  await new Promise<void>((resolve, reject) => {
    let sent = 0
    const one = (): void => {
      const at = performance.now()
      pool.dispatch(
        { method: 'GET', path: '/', headers: ['host', 'web.test:9898'] },
        {
          onRequestStart: () => {},
          onResponseStart: () => {},
          onResponseData: () => {},
          onResponseEnd: () => {
            latencies.push(performance.now() - at)
            if (latencies.length === total) resolve()
          },
          onResponseError: (_controller: unknown, error: Error) => reject(error)
        }
      )
    }
    const pump = (): void => {
      while (sent < total && performance.now() - start >= sent * gapMs) {
        sent += 1
        one()
      }
      if (sent < total) setImmediate(pump)
    }
    pump()
  })
  await pool.close()
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (quantile: number): number => sorted[Math.floor(quantile * (sorted.length - 1))] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99), sent: sorted.length }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
