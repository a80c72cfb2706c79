import type { TraceBody, TraceEvent } from '../../trace/index.ts'
import type { WorldClock } from './clock.ts'

/** Most events of one run; what comes after is dropped and said once. */
const EVENTS_MAX = 500_000

/** The ordered list of a run's events. */
export interface TraceLog {
  record(body: TraceBody): void
  /** Tells the listener every event so far, then each as it comes. */
  listen(listener: (event: TraceEvent) => void): void
}

/** Makes an empty log that stamps events with simulated time and position. */
export function createTraceLog(clock: WorldClock): TraceLog {
  const events: TraceEvent[] = []
  const listeners: ((event: TraceEvent) => void)[] = []
  function add(body: TraceBody): void {
    const atMs = Math.round((clock.now() - clock.startInstant) * 1000) / 1000
    const event: TraceEvent = { atMs, seq: events.length, ...body }
    events.push(event)
    for (const listener of listeners) listener(event)
  }
  return {
    record(body): void {
      if (events.length > EVENTS_MAX) return
      if (events.length < EVENTS_MAX) add(body)
      else add({ kind: 'error', code: 'TWIN_INTERNAL', message: `The run has more than ${EVENTS_MAX} events.` })
    },
    listen(listener): void {
      for (const event of events) listener(event)
      listeners.push(listener)
    }
  }
}
