import { copyOf, setMember, withoutMembers } from '../../lib/apimachinery/index.ts'

type JsonMap = Record<string, unknown>

/**
 * Puts a decoded struct or map together, member by member: the stored one where nothing differs from it, not even in order;
 * else the value itself where decoding changed nothing; else a copy.
 */
export class Assembly {
  readonly #value: JsonMap
  readonly #stored: JsonMap | undefined
  /** Whether every member was as it is stored. */
  #isSame: boolean
  #kept = 0
  #changed: JsonMap | undefined
  #dropped: string[] | undefined

  /**
   * @param value - what is decoded; not changed
   * @param stored - what is stored in its place
   */
  constructor(value: JsonMap, stored: JsonMap | undefined) {
    this.#value = value
    this.#stored = stored
    this.#isSame = stored !== undefined
  }

  /** Adds the next member of the value, which is the very one that is stored. */
  keep(): void {
    this.#kept += 1
  }

  /**
   * Adds the next member of the value.
   * @param key - its name
   * @param before - as it came
   * @param after - decoded; undefined where it is dropped
   * @param stored - member of that name of what is stored
   */
  add(key: string, before: unknown, after: unknown, stored: unknown): void {
    if (after === undefined) {
      this.#dropped ??= []
      this.#dropped.push(key)
      return
    }
    if (this.#isSame) {
      if (stored === after) {
        this.#kept += 1
        return
      }
      this.#diverge(this.#kept)
    }
    if (after !== before) setMember((this.#changed ??= copyOf(this.#value)), key, after)
  }

  /** From here on it is not as stored; so far it was. */
  #diverge(kept: number): void {
    this.#isSame = false
    let left = kept
    for (const key in this.#value) {
      if (left === 0) return
      if (this.#dropped?.includes(key) === true) continue
      left -= 1
      const stored = this.#stored?.[key]
      if (this.#value[key] !== stored) setMember((this.#changed ??= copyOf(this.#value)), key, stored)
    }
  }

  /** Whether the members that are kept are all that is stored, in that order. */
  #isStored(stored: JsonMap): boolean {
    const names = Object.keys(stored)
    if (names.length !== this.#kept) return false
    let at = 0
    for (const key in this.#value) {
      if (this.#dropped?.includes(key) === true) continue
      if (names[at] !== key) return false
      at += 1
    }
    return true
  }

  /**
   * The whole.
   * @param isBorrowed - the value is its sender's, and must be copied unless it is frozen
   */
  finish(isBorrowed: boolean): JsonMap {
    if (this.#isSame && this.#stored !== undefined) {
      if (this.#isStored(this.#stored)) return this.#stored
      this.#diverge(this.#kept)
    }
    if (this.#dropped !== undefined) return withoutMembers(this.#changed ?? this.#value, this.#dropped)
    if (this.#changed !== undefined) return this.#changed
    return isBorrowed && !Object.isFrozen(this.#value) ? copyOf(this.#value) : this.#value
  }
}
