import { EventQueue } from './event-queue.ts'
import type { Clock, Instant, Scheduled, Timeline } from './timeline.ts'

/**
 * Time that follows the wall clock, optionally faster. Together with the stepped and the virtual clock this is the only
 * reader of wall time in the project; the caller supplies the timer, so that this room keeps no I/O.
 */
export class SystemClock implements Timeline {
  readonly #queue = new EventQueue()
  readonly #speed: number
  readonly #startWall: Instant
  readonly #start: Instant
  #onDue: (wallDelayMs: number) => void = () => {}

  /**
   * @param options - `speed`: simulated seconds per wall second (default 1); `start`: the first instant (default wall now)
   */
  constructor(options: { readonly speed?: number; readonly start?: Instant } = {}) {
    this.#speed = options.speed ?? 1
    this.#startWall = wallNow()
    this.#start = options.start ?? this.#startWall
  }

  now(): Instant {
    return this.#start + (wallNow() - this.#startWall) * this.#speed
  }

  at(due: Instant, callback: () => void): Scheduled {
    const scheduled = this.#queue.add(due, callback)
    this.arm()
    return scheduled
  }

  /** Called with the wall milliseconds until the next event is due, each time that may have changed. */
  onDue(callback: (wallDelayMs: number) => void): void {
    this.#onDue = callback
  }

  /** Tells {@link SystemClock.onDue} again when the next event is due. */
  arm(): void {
    const due = this.#queue.nextDue()
    if (due !== undefined) this.#onDue(Math.max(0, (due - this.now()) / this.#speed))
  }

  /** Runs everything that is due by now, then arms the next. */
  runDue(): void {
    for (;;) {
      const due = this.#queue.nextDue()
      if (due === undefined || due > this.now()) break
      this.#queue.take()?.callback()
    }
    this.arm()
  }
}

/** The wall clock, for reports about the machine (never for anything a run decides). */
export const wallClock: Clock = { now: wallNow }

function wallNow(): Instant {
  return Date.now()
}
