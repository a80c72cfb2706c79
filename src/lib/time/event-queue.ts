import type { Instant, Scheduled } from './timeline.ts'

/** A callback that waits; taken, it is run at once or never. */
class Entry implements Scheduled {
  readonly due: Instant
  readonly sequence: number
  callback: (() => void) | undefined

  constructor(due: Instant, sequence: number, callback: () => void) {
    this.due = due
    this.sequence = sequence
    this.callback = callback
  }

  cancel(): void {
    this.callback = undefined
  }
}

/** A binary heap of callbacks ordered by (due time, sequence number). */
export class EventQueue {
  readonly #heap: Entry[] = []
  #sequence = 0

  /** Adds a callback; entries of the same due time run in the order they were added. */
  add(due: Instant, callback: () => void): Scheduled {
    const entry = new Entry(due, this.#sequence++, callback)
    this.#up(entry)
    return entry
  }

  /** Due time of the next live entry; undefined when there is none. */
  nextDue(): Instant | undefined {
    this.#dropCancelled()
    return this.#heap[0]?.due
  }

  /** Removes and returns the next live entry. */
  take(): { readonly due: Instant; readonly callback: () => void } | undefined {
    this.#dropCancelled()
    const first = this.#heap[0]
    if (first?.callback === undefined) return undefined
    this.#removeFirst()
    return first as Entry & { readonly callback: () => void }
  }

  #dropCancelled(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) this.#removeFirst()
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last !== undefined && this.#heap.length > 0) this.#down(last)
  }

  /** Finds the place of a new entry at the end: later ones above it move down. */
  #up(entry: Entry): void {
    const heap = this.#heap
    let index = heap.length
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || isBefore(parent, entry)) break
      heap[index] = parent
      index = above
    }
    heap[index] = entry
  }

  /** Finds the place of an entry that takes the first one's: earlier ones below it move up. */
  #down(entry: Entry): void {
    const heap = this.#heap
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      let child = heap[below]
      if (child === undefined) break
      const other = heap[below + 1]
      if (other !== undefined && isBefore(other, child)) {
        child = other
        below += 1
      }
      if (isBefore(entry, child)) break
      heap[index] = child
      index = below
    }
    heap[index] = entry
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.due < right.due || (left.due === right.due && left.sequence < right.sequence)
}
