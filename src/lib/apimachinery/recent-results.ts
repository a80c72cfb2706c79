/** Results that are kept: enough for the objects of a kind that a world writes again and again. */
const KEPT = 16

/**
 * What was found out about the last few values, by identity. A value that comes with every write of its object is found
 * here faster than in a weak map, and without burdening the garbage collector with each new one.
 */
export class RecentResults<Result> {
  readonly #values: (object | undefined)[] = Array.from({ length: KEPT })
  readonly #results: (Result | undefined)[] = Array.from({ length: KEPT })
  #newest = 0

  /**
   * The result for a value; undefined where none is known.
   * @param value - compared by identity
   */
  get(value: object): Result | undefined {
    for (let back = 0; back < KEPT; back++) {
      const at = (this.#newest - back) & (KEPT - 1)
      if (this.#values[at] === value) return this.#results[at]
    }
    return undefined
  }

  /**
   * Keeps a result in place of the oldest one.
   * @param value - for which there is none yet; must not change any more
   * @param result - what was found out
   */
  set(value: object, result: Result): void {
    this.#newest = (this.#newest + 1) & (KEPT - 1)
    this.#values[this.#newest] = value
    this.#results[this.#newest] = result
  }
}
