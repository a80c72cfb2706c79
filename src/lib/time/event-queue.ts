import type { Instant, Scheduled } from './timeline.ts'

interface Entry {
  readonly due: Instant
  readonly sequence: number
  callback: (() => void) | undefined
}

/** A binary heap of callbacks ordered by (due time, sequence number). */
export class EventQueue {
  readonly #heap: Entry[] = []
  #sequence = 0

  /** Adds a callback; entries of the same due time run in the order they were added. */
  add(due: Instant, callback: () => void): Scheduled {
    const entry: Entry = { due, sequence: this.#sequence++, callback }
    this.#heap.push(entry)
    this.#up(this.#heap.length - 1)
    return {
      cancel: () => {
        entry.callback = undefined
      }
    }
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
    return { due: first.due, callback: first.callback }
  }

  #dropCancelled(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) this.#removeFirst()
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#down(0)
  }

  #before(a: number, b: number): boolean {
    const left = this.#heap[a]
    const right = this.#heap[b]
    if (left === undefined || right === undefined) return false
    return left.due < right.due || (left.due === right.due && left.sequence < right.sequence)
  }

  #swap(a: number, b: number): void {
    const left = this.#heap[a]
    const right = this.#heap[b]
    if (left === undefined || right === undefined) return
    this.#heap[a] = right
    this.#heap[b] = left
  }

  #up(start: number): void {
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#before(index, parent)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #down(start: number): void {
    let index = start
    for (;;) {
      let smallest = index
      for (const child of [2 * index + 1, 2 * index + 2]) if (this.#before(child, smallest)) smallest = child
      if (smallest === index) return
      this.#swap(index, smallest)
      index = smallest
    }
  }
}
