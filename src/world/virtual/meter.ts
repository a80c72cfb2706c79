import type { Timeline } from '../../lib/time/index.ts'

/** What the wall time of a virtual run is spent on. */
export type Use = 'start' | 'api' | 'requests' | 'scrapes' | 'queries' | 'controller' | 'cluster' | 'rest'

const USES: readonly Use[] = ['start', 'api', 'requests', 'scrapes', 'queries', 'controller', 'cluster', 'rest']

/** Looked up once: it is asked twice for each of hundreds of pieces, and the global one is a getter. */
const wallClock = performance

/** Splits the wall time of a run by use; what is used within something else counts for itself alone. */
export class Meter {
  readonly #ms: number[] = USES.map(() => 0)
  #current = USES.indexOf('rest')
  #since: number = wallClock.now()

  /** What follows counts as that use, until the returned function is called. */
  enter(use: Use): () => void {
    const before = this.#current
    this.#turn(USES.indexOf(use))
    return () => this.#turn(before)
  }

  /** Runs something whose time counts as that use. */
  in<Value>(use: Use, run: () => Value): Value {
    return this.#spend(USES.indexOf(use), run, undefined)
  }

  /** A function whose time counts as that use. */
  metered<Argument, Value>(use: Use, run: (argument: Argument) => Value): (argument: Argument) => Value {
    const place = USES.indexOf(use)
    return (argument) => this.#spend(place, run, argument)
  }

  /** Wall milliseconds by use, so far. */
  byUse(): Record<Use, number> {
    this.#turn(this.#current)
    return Object.fromEntries(USES.map((use, index) => [use, this.#ms[index] ?? 0])) as Record<Use, number>
  }

  /** A timeline whose callbacks count as that use. */
  timeline(of: Timeline, use: Use): Timeline {
    const place = USES.indexOf(use)
    return {
      now: () => of.now(),
      at: (due, callback) => of.at(due, () => this.#spend(place, callback, undefined))
    }
  }

  #spend<Argument, Value>(next: number, run: (argument: Argument) => Value, argument: Argument): Value {
    const before = this.#current
    if (next === before) return run(argument)
    this.#turn(next)
    try {
      return run(argument)
    } finally {
      this.#turn(before)
    }
  }

  #turn(next: number): void {
    const now = wallClock.now()
    this.#ms[this.#current] = (this.#ms[this.#current] ?? 0) + now - this.#since
    this.#since = now
    this.#current = next
  }
}
