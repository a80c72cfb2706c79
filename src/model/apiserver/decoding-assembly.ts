import { copyOf, setMember, withoutMembers } from '../../lib/apimachinery/index.ts'

type JsonMap = Record<string, unknown>

/**
 * Puts a decoded struct or map together, member by member: the stored one where nothing differs from it, not even in order;
 * else the value itself where decoding changed nothing; else a copy.
 */
export class Assembly {
  readonly #value: JsonMap
  readonly #stored: JsonMap | undefined
  /** Names of the stored one, as long as everything is as it is there. */
  #names: readonly string[] | undefined
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
    this.#names = stored === undefined ? undefined : Object.keys(stored)
  }

  /** Adds the next member of the value; `after` is undefined where it is dropped. */
  add(key: string, before: unknown, after: unknown): void {
    if (after === undefined) {
      this.#dropped ??= []
      this.#dropped.push(key)
      return
    }
    if (this.#names !== undefined) {
      if (this.#names[this.#kept] === key && this.#stored?.[key] === after) {
        this.#kept += 1
        return
      }
      this.#diverge()
    }
    if (after !== before) setMember((this.#changed ??= copyOf(this.#value)), key, after)
  }

  /** From here on it is not as stored; so far it was. */
  #diverge(): void {
    const { stored, names } = { stored: this.#stored ?? {}, names: this.#names ?? [] }
    this.#names = undefined
    for (let index = 0; index < this.#kept; index++) {
      const key = names[index] as string
      const before = this.#value[key]
      if (before !== stored[key]) setMember((this.#changed ??= copyOf(this.#value)), key, stored[key])
    }
  }

  /**
   * The whole.
   * @param isBorrowed - the value is its sender's, and must be copied unless it is frozen
   */
  finish(isBorrowed: boolean): JsonMap {
    if (this.#names !== undefined) {
      if (this.#stored !== undefined && this.#kept === this.#names.length) return this.#stored
      this.#diverge()
    }
    if (this.#dropped !== undefined) return withoutMembers(this.#changed ?? this.#value, this.#dropped)
    if (this.#changed !== undefined) return this.#changed
    return isBorrowed && !Object.isFrozen(this.#value) ? copyOf(this.#value) : this.#value
  }
}
