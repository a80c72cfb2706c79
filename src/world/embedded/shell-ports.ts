import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import type { Engine } from '../../lib/promql/index.ts'
import type { Hold } from '../../lib/time/index.ts'
import type { VizAnswer } from '../../model/viz/index.ts'
import type {
  ShellHttpAnswer,
  ShellHttpRequest,
  ShellLoad,
  ShellLoadSample,
  ShellPlace,
  ShellPorts
} from '../shell/index.ts'
import type { WorldClock } from './clock.ts'
import { runClosedLoop } from './load/closed-loop.ts'
import type { Upstream } from './load/upstream.ts'
import type { LogBook } from './log-book.ts'

/** Most requests whose outcomes one load command keeps. */
const SAMPLES_MAX = 1_000_000

/** What the world's shell is connected to. */
export interface ShellWiring {
  readonly clock: WorldClock
  readonly api: (request: ApiRequest) => ApiResponse
  /** A client's way into the mesh; undefined when its pod does not run. */
  readonly upstreamOf: (namespace: string, pod: string) => Promise<Upstream | undefined>
  readonly logs: LogBook
  readonly getPod: (namespace: string, name: string) => KubeObject | undefined
  readonly engine: Engine
  readonly readFile?: (path: string) => string | undefined
}

/** The ports of the shell in an embedded world. */
export function shellPorts(wiring: ShellWiring): ShellPorts {
  const { clock, logs } = wiring
  return {
    clock,
    api: wiring.api,
    http: (place, request, hold, signal) => sendHttp(wiring, { place, request, hold, signal }),
    load: (place, load, signal) => runLoad(wiring, place, load, signal),
    logs: (namespace, pod, container) => {
      const object = wiring.getPod(namespace, pod)
      const name = container ?? firstContainer(object)
      return name === undefined ? undefined : logs.read(namespace, pod, name).map((line) => line.text)
    },
    metrics: (expression) => askEngine(wiring, expression),
    ...(wiring.readFile === undefined ? {} : { readFile: wiring.readFile })
  }
}

function askEngine({ engine, clock }: ShellWiring, expression: string): VizAnswer {
  const outcome = engine.instant(expression, clock.now())
  if (!outcome.ok) return { ok: false, code: 400, message: `Query failed: ${outcome.error}` }
  const elements = outcome.value.type === 'vector' ? outcome.value.elements : []
  return { ok: true, samples: elements.map(({ labels, value }) => ({ labels: labels.toRecord(), value })) }
}

function firstContainer(pod: KubeObject | undefined): string | undefined {
  const spec = pod?.spec as { readonly containers?: readonly { readonly name: string }[] } | undefined
  return spec?.containers?.[0]?.name
}

interface Sending {
  readonly place: ShellPlace
  readonly request: ShellHttpRequest
  readonly hold: Hold
  readonly signal: AbortSignal
}

/** Sends as the pod the command runs in. The operator's terminal is outside the cluster: no cluster name resolves there. */
async function sendHttp(wiring: ShellWiring, sending: Sending): Promise<ShellHttpAnswer> {
  const { place, request, hold, signal } = sending
  const upstream = await upstreamAt(wiring, place)
  if (upstream === undefined) return { ok: false, reason: 'resolve', message: `no such host: ${request.url.hostname}` }
  const { host: hostHeader, ...headers } = request.headers
  const answer = await upstream.send(
    {
      method: request.method,
      path: `${request.url.pathname}${request.url.search}`,
      host: hostHeader ?? request.url.host,
      headers: hostHeader === undefined ? headers : { ...headers, 'x-twin-target': request.url.host },
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs })
    },
    hold,
    signal
  )
  if (!answer.ok) return { ok: false, reason: answer.reason, message: answer.message }
  return {
    ok: true,
    status: answer.status,
    headers: Object.entries(answer.headers).flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value ?? '']).map((one): [string, string] => [name, one])
    ),
    body: answer.body.toString('latin1')
  }
}

function upstreamAt(wiring: ShellWiring, place: ShellPlace): Promise<Upstream | undefined> {
  return place.kind === 'pod' ? wiring.upstreamOf(place.namespace, place.pod) : Promise.resolve(undefined)
}

async function runLoad(
  wiring: ShellWiring,
  place: ShellPlace,
  load: ShellLoad,
  signal: AbortSignal
): Promise<readonly ShellLoadSample[]> {
  const samples: ShellLoadSample[] = []
  const opening = wiring.clock.hold(`${load.name}: open`)
  const upstream = await upstreamAt(wiring, place)
  // Given back only after what follows has taken holds of its own.
  setImmediate(() => opening.release())
  if (upstream === undefined)
    return [{ offsetMs: 0, latencyMs: 0, bytes: 0, error: { reason: 'resolve', message: '' } }]
  const { name, workers, ratePerWorker, requestsPerWorker, durationMs, timeoutMs } = load
  const hostHeader = load.headers['host']
  const headers = hostHeader === undefined ? load.headers : { ...load.headers, 'x-twin-target': load.url.host }
  await runClosedLoop(
    {
      name,
      workers,
      request: {
        method: load.method,
        url: load.url.href,
        headers,
        ...(load.body === undefined ? {} : { body: load.body })
      },
      ...(ratePerWorker === undefined ? {} : { ratePerWorker }),
      ...(requestsPerWorker === undefined ? {} : { requestsPerWorker }),
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(timeoutMs === undefined ? {} : { timeoutMs })
    },
    {
      clock: wiring.clock,
      upstream,
      signal,
      onSample: (sample) => {
        if (samples.length < SAMPLES_MAX) samples.push(sample)
      }
    }
  )
  return samples
}
