import type { TraceBody, TraceEvent } from '../../trace/index.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Most events of one run; what comes after is dropped and said once. */
const EVENTS_MAX = 500_000

/** The ordered list of a run's events, stamped with simulated time and position. */
export class TraceLog {
  readonly #time: VirtualTime
  readonly #events: TraceEvent[] = []
  readonly #listeners: ((event: TraceEvent) => void)[] = []

  constructor(time: VirtualTime) {
    this.#time = time
  }

  record(body: TraceBody): void {
    if (this.#events.length > EVENTS_MAX) return
    if (this.#events.length < EVENTS_MAX) this.#add(body)
    else this.#add({ kind: 'error', code: 'TWIN_INTERNAL', message: `The run has more than ${EVENTS_MAX} events.` })
  }

  /** Tells the listener every event so far, then each as it comes. */
  listen(listener: (event: TraceEvent) => void): void {
    for (const event of this.#events) listener(event)
    this.#listeners.push(listener)
  }

  #add(body: TraceBody): void {
    const atMs = Math.round((this.#time.now() - this.#time.start) * 1000) / 1000
    const event = stamped(body, atMs, this.#events.length)
    this.#events.push(event)
    for (const listener of this.#listeners) {
      listener(event)
      this.#time.touched()
    }
  }
}

/** An event with its stamp in front. Literals for what comes often: a spread behind other fields is put together field by field. */
function stamped(body: TraceBody, atMs: number, seq: number): TraceEvent {
  switch (body.kind) {
    case 'log': {
      const { kind, source, level, message } = body
      return { atMs, seq, kind, source, level, message }
    }
    case 'event': {
      const { kind, canary, tick, type, message, phase } = body
      return { atMs, seq, kind, canary, tick, type, message, phase }
    }
    case 'decision': {
      const { kind, canary, tick, reason, message, evidence } = body
      return { atMs, seq, kind, canary, tick, reason, message, evidence }
    }
    case 'query': {
      const { kind, canary, tick, query, result } = body
      return { atMs, seq, kind, canary, tick, query, result }
    }
    case 'write': {
      const { kind, canary, tick, verb, object } = body
      return { atMs, seq, kind, canary, tick, verb, object }
    }
    case 'pod': {
      const { kind, namespace, pod, image, state } = body
      return { atMs, seq, kind, namespace, pod, image, state }
    }
    default:
      return { atMs, seq, ...body }
  }
}
