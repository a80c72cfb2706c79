import type { Timeline } from '../../lib/time/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { ApiRequest, ApiResponse } from '../../kinds/index.ts'
import { EventCorrelator, type EventWrite, type RecordedEvent } from '../../model/canary/index.ts'

/** Longest queue of unwritten events; more are dropped, as in client-go's broadcaster. */
const QUEUE_MAX = 1000

/** Sends an API request and calls back with the answer. */
export type Send = (request: ApiRequest, answer: (response: ApiResponse) => void) => void

/** Told about each write of an Event object. */
export type OnEventWrite = (write: EventWrite) => void

/** Writes the API server's copy of events: one at a time, in order, apart from the tick that recorded them. */
export class EventSink {
  readonly #correlator: EventCorrelator
  readonly #timeline: Timeline
  readonly #send: Send
  readonly #onWrite: OnEventWrite
  readonly #queue: RecordedEvent[] = []
  #busy = false

  constructor(options: {
    readonly timeline: Timeline
    readonly random: Random
    readonly send: Send
    readonly onWrite?: OnEventWrite
  }) {
    this.#correlator = new EventCorrelator((below) => options.random.integer(below))
    this.#timeline = options.timeline
    this.#send = options.send
    this.#onWrite = options.onWrite ?? ((): void => {})
  }

  /** Queues an event. */
  record(event: RecordedEvent): void {
    if (this.#queue.length < QUEUE_MAX) this.#queue.push(event)
    if (!this.#busy) this.#next()
  }

  #next(): void {
    for (;;) {
      const event = this.#queue.shift()
      if (event === undefined) {
        this.#busy = false
        return
      }
      const write = this.#correlator.correlate(event, this.#timeline.now())
      if (write === undefined) continue
      this.#busy = true
      this.#onWrite(write)
      this.#perform(write)
      return
    }
  }

  #perform(write: EventWrite): void {
    const collection = `/api/v1/namespaces/${write.namespace}/events`
    const create = (body: unknown): void => this.#send({ method: 'POST', path: collection, body }, () => this.#next())
    if (write.verb === 'create') return create(write.body)
    const patch: ApiRequest = {
      method: 'PATCH',
      path: `${collection}/${write.name}`,
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: write.body
    }
    this.#send(patch, ({ code }) => (code === 404 ? create(write.fallback) : this.#next()))
  }
}
