/** A text or an object: equal for work that is the same. */
type WorkKey = string | object

/** A piece of work that is waiting. */
export interface WorkItem {
  readonly key: WorkKey
  run: () => void
  /** It gives way to other work of its key. */
  yields: boolean
}

/**
 * First in, first out per level, each key waiting at most once; lower levels go first.
 * Levels let pods settle before the workloads that count them, which saves intermediate writes.
 */
export class WorkQueue {
  readonly #levels: WorkItem[][]
  readonly #heads: number[]
  readonly #waiting = new Map<WorkKey, WorkItem>()

  /** @param levels - number of levels, 0 the most urgent */
  constructor(levels: number) {
    this.#levels = Array.from({ length: levels }, () => [])
    this.#heads = this.#levels.map(() => 0)
  }

  /**
   * Adds work unless work of the same key is waiting already; whether it was added.
   * @param yields - other work of that key takes its place; default false
   */
  add(level: number, key: WorkKey, run: () => void, yields: boolean = false): boolean {
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) {
      if (!waiting.yields || yields) return false
      waiting.run = run
      waiting.yields = false
      return false
    }
    const item = { key, run, yields }
    this.#waiting.set(key, item)
    this.#levels[level]?.push(item)
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
