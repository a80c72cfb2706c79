import type { Instant } from '../../../lib/time/index.ts'
import type { WorldClock } from '../clock.ts'
import { type Gate, type GateRequest, openGate, type Parked } from './gate.ts'
import type { Upstream, UpstreamAnswer } from './upstream.ts'

/** A closed loop of workers, each with its own pace: hey, wrk, slow_cooker. */
export interface ClosedLoopSpec {
  /** Shown as the name of its holds. */
  readonly name: string
  readonly request: GateRequest
  readonly workers: number
  /** Ticks per simulated second of one worker; absent: the next request follows the answer at once. */
  readonly ratePerWorker?: number
  /** Requests of one worker; absent: until the duration ends or it is stopped. */
  readonly requestsPerWorker?: number
  readonly durationMs?: number
  /** Time-out of one request. */
  readonly timeoutMs?: number
  /** Simulated pause after an answer when there is no rate, so that time moves; default 0. */
  readonly pauseMs?: number
}

/** One request of a closed loop, in simulated time. */
export interface LoopSample {
  /** Milliseconds since the loop began. */
  readonly offsetMs: number
  readonly latencyMs: number
  readonly status?: number
  readonly bytes: number
  readonly error?: Extract<UpstreamAnswer, { ok: false }>
}

/** Observers and ends of a closed loop. */
export interface ClosedLoopOptions {
  readonly clock: WorldClock
  readonly upstream: Upstream
  readonly signal: AbortSignal
  readonly onSample: (sample: LoopSample) => void
}

/** Runs a closed loop to its end (or until the signal aborts); requests are made by autocannon and paced by the gate. */
export async function runClosedLoop(spec: ClosedLoopSpec, options: ClosedLoopOptions): Promise<void> {
  const opening = options.clock.hold(`${spec.name}: start`)
  let gate: Gate
  try {
    gate = await openGate(spec.request, spec.workers, () => undefined)
  } catch (cause) {
    opening.release()
    throw cause
  }
  const start = options.clock.now()
  const workers: Promise<void>[] = []
  for (let index = 0; index < spec.workers; index++)
    workers.push(runWorker(spec, options, { gate, start, worker: index }))
  opening.release()
  try {
    await Promise.all(workers)
  } finally {
    await gate.close()
  }
}

/** A loop that has begun, for one of its workers. */
interface Running {
  readonly gate: Gate
  readonly start: Instant
  readonly worker: number
}

/**
 * One worker. Its ticker drops ticks while a request is under way, as Go's time.Ticker does (a channel of length one):
 * a tick missed once is made up for at once, further ones are lost.
 */
async function runWorker(spec: ClosedLoopSpec, options: ClosedLoopOptions, running: Running): Promise<void> {
  const { start } = running
  const { clock, signal } = options
  const intervalMs = spec.ratePerWorker === undefined ? 0 : 1000 / spec.ratePerWorker
  let tickAt = start + intervalMs
  const limit = spec.requestsPerWorker ?? Number.POSITIVE_INFINITY
  for (let made = 0; made < limit && !signal.aborted; made++) {
    if (spec.durationMs !== undefined && clock.now() - start >= spec.durationMs) return
    if (intervalMs > 0) {
      const due = tickAt
      const missed = Math.max(0, Math.floor((clock.now() - tickAt) / intervalMs))
      tickAt += (missed + 1) * intervalMs
      await waitUntil(clock, due, signal)
    } else if (made > 0 && (spec.pauseMs ?? 0) > 0) {
      await waitUntil(clock, clock.now() + (spec.pauseMs ?? 0), signal)
    }
    if (signal.aborted) return
    await request(spec, options, running, made)
  }
}

function waitUntil(clock: WorldClock, due: Instant, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      scheduled.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const scheduled = clock.at(due, done)
    signal.addEventListener('abort', done)
  })
}

/** The next request the generator has sent; undefined when there is none or the loop is to end. */
function taken(gate: Gate, signal: AbortSignal): Promise<Parked | undefined> {
  return new Promise((resolve) => {
    const leave = (): void => resolve(undefined)
    signal.addEventListener('abort', leave)
    gate.take((parked) => {
      signal.removeEventListener('abort', leave)
      resolve(parked)
    })
  })
}

async function request(
  spec: ClosedLoopSpec,
  options: ClosedLoopOptions,
  running: Running,
  made: number
): Promise<void> {
  const { gate, start, worker } = running
  const { clock, upstream, signal } = options
  const hold = clock.hold(`${spec.name}: request`)
  try {
    const parked = await taken(gate, signal)
    if (parked === undefined || signal.aborted) return
    const began = clock.now()
    const answer = await upstream.send(
      {
        method: parked.method,
        path: parked.path,
        host: parked.host,
        headers: parked.headers,
        key: `${spec.name} ${start} ${worker} ${made}`,
        ...(parked.body.length === 0 ? {} : { body: parked.body }),
        ...(spec.timeoutMs === undefined ? {} : { timeoutMs: spec.timeoutMs })
      },
      hold,
      signal
    )
    parked.answer(answer)
    if (!answer.ok && answer.reason === 'aborted') return
    options.onSample({
      offsetMs: began - start,
      latencyMs: clock.now() - began,
      bytes: answer.ok ? answer.body.length : 0,
      ...(answer.ok ? { status: answer.status } : { error: answer })
    })
  } finally {
    hold.release()
  }
}
