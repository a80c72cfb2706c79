import { type ConditionView, isMoment, objectComplaint, TraceState, within } from '../check/index.ts'
import type { Condition } from '../kinds/index.ts'
import type { TraceEvent } from '../trace/index.ts'
import type { World } from '../world/index.ts'

interface Watch {
  readonly condition: Condition
  /** Called when it holds, with the position of the event it holds at. */
  readonly onHolds: (seq: number) => void
  /** Called for each time it begins to hold; otherwise once. */
  readonly repeated: boolean
  /** Whether it held at the last look. */
  held: boolean
  left: number
}

/** Watches conditions while a run goes on. Callbacks run synchronously inside the event that makes a condition true. */
export class Watchers {
  readonly #world: World
  readonly #events: readonly TraceEvent[]
  readonly #state = new TraceState()
  readonly #watches = new Set<Watch>()
  readonly #view: ConditionView
  #pollMs: number | undefined
  #cancelPoll: (() => void) | undefined
  #stopped = false

  constructor(world: World, events: readonly TraceEvent[]) {
    this.#world = world
    this.#events = events
    this.#view = worldView(world)
  }

  /** Number of events so far: the position the next one will have. */
  get length(): number {
    return this.#events.length
  }

  /** Takes the next event in. */
  onEvent(event: TraceEvent): void {
    this.#state.add(event)
    this.#look()
  }

  /**
   * Calls back once, the first time a condition holds.
   * @param options - `from`: position in the trace from which moments count; states are looked at as they are now.
   *   `pollMs`: how often conditions on objects and queries are looked at
   * @returns a function that ends the watch
   */
  first(condition: Condition, options: { from: number; pollMs: number }, onHolds: (seq: number) => void): () => void {
    const past = this.#past(condition, options.from)
    if (past !== undefined) {
      onHolds(past)
      return () => {}
    }
    return this.#add({ condition, onHolds, repeated: false, held: false, left: 1 }, options.pollMs)
  }

  /** Calls back each time a condition begins to hold, at most so many times; now does not count as beginning. */
  each(condition: Condition, times: number, onHolds: () => void): void {
    const held = !isMoment(condition) && this.#state.holds(condition, this.#view)
    this.#add({ condition, onHolds, repeated: true, held, left: times }, undefined)
  }

  stop(): void {
    this.#stopped = true
    this.#watches.clear()
    this.#cancelPoll?.()
  }

  #add(watch: Watch, pollMs: number | undefined): () => void {
    this.#watches.add(watch)
    const needsPoll = watch.condition.object !== undefined || watch.condition.query !== undefined
    if (needsPoll && pollMs !== undefined && this.#pollMs === undefined) {
      this.#pollMs = pollMs
      this.#poll(pollMs)
    }
    return () => void this.#watches.delete(watch)
  }

  #poll(pollMs: number): void {
    this.#cancelPoll = this.#world.time.at(this.#world.time.nowMs() + pollMs, () => {
      if (this.#stopped) return
      this.#look()
      this.#poll(pollMs)
    })
  }

  #look(): void {
    const seq = this.#events.length - 1
    for (const watch of Array.from(this.#watches)) {
      const holds = this.#state.holds(watch.condition, this.#view)
      const begins = holds && (!watch.held || isMoment(watch.condition))
      watch.held = holds
      if (!begins || !this.#watches.has(watch)) continue
      watch.left -= 1
      if (!watch.repeated || watch.left <= 0) this.#watches.delete(watch)
      watch.onHolds(seq)
    }
  }

  /** Position at which a condition holds already: now for states, the first event from `from` on for moments. */
  #past(condition: Condition, from: number): number | undefined {
    if (!isMoment(condition)) return this.#state.holds(condition, this.#view) ? this.#events.length - 1 : undefined
    const state = new TraceState()
    for (const [index, event] of this.#events.entries()) {
      state.add(event)
      if (index >= from && state.holds(condition, this.#view)) return index
    }
    return undefined
  }
}

function worldView(world: World): ConditionView {
  return {
    object: (reference) => objectComplaint(world.get(reference.kind, reference.name), reference.like) === undefined,
    query: ({ expression, bound }) => {
      const series = world.query(expression)
      return series.length > 0 && series.every((item) => within(bound, item.value))
    }
  }
}
