/** A piece of work that is waiting. */
export interface WorkItem {
  readonly key: string
  readonly run: () => void
}

/**
 * First in, first out per level, each key waiting at most once; lower levels go first.
 * Levels let pods settle before the workloads that count them, which saves intermediate writes.
 */
export class WorkQueue {
  readonly #levels: WorkItem[][]
  readonly #heads: number[]
  readonly #waiting = new Set<string>()

  /** @param levels - number of levels, 0 the most urgent */
  constructor(levels: number) {
    this.#levels = Array.from({ length: levels }, () => [])
    this.#heads = this.#levels.map(() => 0)
  }

  /** Adds work unless the same key is waiting already; whether it was added. */
  add(level: number, key: string, run: () => void): boolean {
    if (this.#waiting.has(key)) return false
    this.#waiting.add(key)
    this.#levels[level]?.push({ key, run })
    return true
  }

  /** Takes the next piece of work; its key may be added again from now on. */
  take(): WorkItem | undefined {
    for (let level = 0; level < this.#levels.length; level++) {
      const items = this.#levels[level] ?? []
      const head = this.#heads[level] ?? 0
      const item = items[head]
      if (item === undefined) continue
      this.#waiting.delete(item.key)
      this.#heads[level] = head + 1
      if (head + 1 === items.length) {
        this.#levels[level] = []
        this.#heads[level] = 0
      }
      return item
    }
    return undefined
  }

  /** Whether nothing waits. */
  get empty(): boolean {
    return this.#waiting.size === 0
  }

  /** Forgets everything. */
  clear(): void {
    for (const [level] of this.#levels.entries()) {
      this.#levels[level] = []
      this.#heads[level] = 0
    }
    this.#waiting.clear()
  }
}
