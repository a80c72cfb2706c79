/** A piece of work; it waits at most once. */
export interface Work {
  /** How urgent it is, 0 the most. */
  readonly level: number
  run(): void
  /** Whether it waits; the queue's to say. */
  waiting: boolean
}

/**
 * First in, first out per level; lower levels go first.
 * Levels let pods settle before the workloads that count them, which saves intermediate writes.
 */
export class WorkQueue {
  readonly #levels: Work[][]
  readonly #heads: number[]
  #waiting = 0

  /** @param levels - number of levels, 0 the most urgent */
  constructor(levels: number) {
    this.#levels = Array.from({ length: levels }, () => [])
    this.#heads = this.#levels.map(() => 0)
  }

  /** Adds work unless it is waiting already. */
  add(work: Work): void {
    if (work.waiting) return
    work.waiting = true
    this.#waiting += 1
    this.#levels[work.level]?.push(work)
  }

  /** Takes the next piece of work, which may be added again from now on. */
  take(): Work | undefined {
    if (this.#waiting === 0) return undefined
    for (let level = 0; level < this.#levels.length; level++) {
      const items = this.#levels[level] ?? []
      const head = this.#heads[level] ?? 0
      const work = items[head]
      if (work === undefined) continue
      work.waiting = false
      this.#waiting -= 1
      this.#heads[level] = head + 1
      if (head + 1 === items.length) {
        this.#levels[level] = []
        this.#heads[level] = 0
      }
      return work
    }
    return undefined
  }

  /** Whether nothing waits. */
  get empty(): boolean {
    return this.#waiting === 0
  }

  /** Forgets everything. */
  clear(): void {
    while (this.take() !== undefined) {
      // Taken, it may be added again.
    }
  }
}
