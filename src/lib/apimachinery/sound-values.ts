/** Remembers frozen values of which a check found nothing wrong: they never change, so that it need not run again. */
export class SoundValues {
  readonly #known = new WeakSet<object>()

  /**
   * What is wrong with a value; the check is not run for a frozen one that was sound before.
   * @param value - what is checked; the findings must depend on nothing else, but for texts that say where it is
   * @param check - gives the findings
   */
  findings<Finding>(value: object, check: () => readonly Finding[]): readonly Finding[] {
    if (this.#known.has(value)) return []
    const found = check()
    if (found.length === 0 && Object.isFrozen(value)) this.#known.add(value)
    return found
  }
}
