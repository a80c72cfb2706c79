import { VirtualClock, type Instant, type Scheduled, type Timeline } from '../../../src/lib/time/index.ts'

/** A virtual clock that can be set back: whatever was due on the abandoned branch never happens. */
export class ForkClock implements Timeline {
  #clock: VirtualClock

  constructor(start: Instant) {
    this.#clock = new VirtualClock(start)
  }

  now(): Instant {
    return this.#clock.now()
  }

  at(due: Instant, callback: () => void): Scheduled {
    return this.#clock.at(due, callback)
  }

  /** @see VirtualClock.step */
  step(end: Instant): boolean {
    return this.#clock.step(end)
  }

  /** @see VirtualClock.runUntil */
  runUntil(end: Instant): void {
    this.#clock.runUntil(end)
  }

  /** Begins another branch at an instant. */
  fork(start: Instant): void {
    this.#clock = new VirtualClock(start)
  }
}
