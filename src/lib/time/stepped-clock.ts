import { EventQueue } from './event-queue.ts'
import type { Instant, Scheduled, Timeline } from './timeline.ts'

/** A named piece of work that keeps simulated time standing. */
export interface Hold {
  readonly name: string
  /** Position in the order of creation; travels with a request so that what serves it can give it back while it waits. */
  readonly id: number
  /** The work is done. Safe to call twice. */
  release(): void
  /** The work now waits for simulated time itself: time may move until {@link Hold.resume}. */
  suspend(): void
  resume(): void
}

/**
 * Simulated time under real I/O: it stands still while any hold is active and otherwise moves to the next due event.
 * It is synchronous; the world calls {@link SteppedClock.step} whenever {@link SteppedClock.onIdle} told it that
 * the last hold was given back.
 */
export class SteppedClock implements Timeline {
  readonly #queue = new EventQueue()
  readonly #active = new Map<number, string>()
  #now: Instant
  #nextHold = 1
  #onIdle: () => void = () => {}
  readonly #holds = new Map<number, Hold>()

  /** @param start - the first instant, milliseconds since the epoch */
  constructor(start: Instant) {
    this.#now = start
  }

  now(): Instant {
    return this.#now
  }

  at(due: Instant, callback: () => void): Scheduled {
    const scheduled = this.#queue.add(Math.max(due, this.#now), callback)
    if (this.#active.size === 0) this.#onIdle()
    return scheduled
  }

  /** Called each time no hold is left, and each time an event is added while there is none. */
  onIdle(callback: () => void): void {
    this.#onIdle = callback
  }

  /** Whether time may move. */
  get idle(): boolean {
    return this.#active.size === 0
  }

  /** Names of the active holds, oldest first. */
  activeHolds(): readonly string[] {
    return [...this.#active.values()]
  }

  /** Due time of the next event; undefined when there is none. */
  nextDue(): Instant | undefined {
    return this.#queue.nextDue()
  }

  /** Keeps time standing until the hold is released or suspended. */
  hold(name: string): Hold {
    const id = this.#nextHold++
    let released = false
    const hold: Hold = {
      name,
      id,
      release: () => {
        if (released) return
        released = true
        this.#holds.delete(id)
        this.#remove(id)
      },
      suspend: () => this.#remove(id),
      resume: () => {
        if (!released) this.#active.set(id, name)
      }
    }
    this.#active.set(id, name)
    this.#holds.set(id, hold)
    return hold
  }

  /** The unreleased hold of that id, e.g. one named by a request's header. */
  find(id: number): Hold | undefined {
    return this.#holds.get(id)
  }

  /** Moves time to the next due event and runs it; whether there was one and time was free to move. */
  step(): boolean {
    if (this.#active.size > 0) return false
    const entry = this.#queue.take()
    if (entry === undefined) return false
    this.#now = entry.due
    entry.callback()
    return true
  }

  #remove(id: number): void {
    if (!this.#active.delete(id)) return
    if (this.#active.size === 0) this.#onIdle()
  }
}
