import type { Hold, Instant, Timeline } from '../../lib/time/index.ts'

/** What keeps simulated time standing; a world that follows the wall clock has none. */
export interface Holds {
  /** Keeps time standing until released or suspended. @param name - shown when it gets stuck */
  hold(name: string): Hold
  /** The unreleased hold of that id. */
  find(id: number): Hold | undefined
}

/** Something that can still be called off. */
export interface Cancellable {
  cancel(): void
}

/**
 * Who works under which hold right now. A client that gives up at a simulated instant is taken note of here at once,
 * because its closed socket reaches the servers behind it only some wall milliseconds later.
 */
export class HoldUsers {
  readonly #users = new Map<number, Set<() => void>>()

  /** Registers work under a hold. @returns call it when the work is over */
  add(hold: Hold | undefined, gone: () => void): () => void {
    if (hold === undefined) return () => {}
    const { id } = hold
    const users = this.#users.get(id) ?? new Set()
    this.#users.set(id, users)
    users.add(gone)
    return () => {
      users.delete(gone)
      if (users.size === 0 && this.#users.get(id) === users) this.#users.delete(id)
    }
  }

  /** The client of that hold's request is gone: everything under it stops now. */
  abandon(holdId: number): void {
    for (const gone of this.#users.get(holdId) ?? []) gone()
  }
}

/** Gives the hold back until time reaches `due`, then goes on under it; does not go on when the hold was released meanwhile. */
export function waitUntil(clock: HeldTime, hold: Hold | undefined, due: Instant, run: () => void): Cancellable {
  const scheduled = clock.timeline.at(due, () => {
    if (hold !== undefined && clock.holds?.find(hold.id) !== hold) return
    hold?.resume()
    run()
  })
  hold?.suspend()
  return scheduled
}

/** A timeline and what keeps it standing. */
export interface HeldTime {
  readonly timeline: Timeline
  readonly holds: Holds | undefined
}
