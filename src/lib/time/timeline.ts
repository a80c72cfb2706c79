/** A moment of simulated (or wall) time, milliseconds since the Unix epoch. */
export type Instant = number

/** Reads time. */
export interface Clock {
  now(): Instant
}

/** A callback that waits for its time. */
export interface Scheduled {
  /** The callback will not run any more; does nothing if it already ran. */
  cancel(): void
}

/** Reads time and runs callbacks at their due time, in order of (due time, order of scheduling). */
export interface Timeline extends Clock {
  /**
   * Runs `callback` when time reaches `due`; a due time in the past means as soon as possible, never synchronously.
   * The clock reads exactly `due` (or later, for a wall clock) during the callback.
   */
  at(due: Instant, callback: () => void): Scheduled
}
