import { EventQueue } from './event-queue.ts'
import type { Instant, Scheduled, Timeline } from './timeline.ts'

/** A clock that jumps from event to event; everything runs inside {@link VirtualClock.runUntil}. */
export class VirtualClock implements Timeline {
  readonly #queue = new EventQueue()
  #now: Instant

  /** @param start - the first instant, milliseconds since the epoch */
  constructor(start: Instant) {
    this.#now = start
  }

  now(): Instant {
    return this.#now
  }

  at(due: Instant, callback: () => void): Scheduled {
    return this.#queue.add(Math.max(due, this.#now), callback)
  }

  /** Runs the next event if it is due by `end`; whether one ran. The clock is set to its due time first. */
  step(end: Instant = Number.POSITIVE_INFINITY): boolean {
    const due = this.#queue.nextDue()
    if (due === undefined || due > end) return false
    this.#now = due
    this.#queue.take()?.callback()
    return true
  }

  /** Runs everything due up to and including `end`, then sets the clock to `end`. */
  runUntil(end: Instant): void {
    while (this.step(end)) {
      // Each step may add further events; the queue keeps their order.
    }
    this.#now = Math.max(this.#now, end)
  }
}
