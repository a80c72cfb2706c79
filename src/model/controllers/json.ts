/** Whether two JSON values are the same, ignoring key order and fields that are undefined. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) return sameArray(left, right)
  const a = left as Record<string, unknown>
  const b = right as Record<string, unknown>
  for (const key in a) if (!sameJson(a[key], b[key])) return false
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false
  return true
}

/** Whether two maps are the same, members of some names aside; an absent one is empty. */
export function sameMembers(
  left: object = NO_MEMBERS,
  right: object = NO_MEMBERS,
  aside: readonly string[] = []
): boolean {
  const a = left as Record<string, unknown>
  const b = right as Record<string, unknown>
  for (const key in a) if (!aside.includes(key) && !sameJson(a[key], b[key])) return false
  for (const key in b) if (b[key] !== undefined && a[key] === undefined && !aside.includes(key)) return false
  return true
}

const NO_MEMBERS: object = {}

function sameArray(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (!sameJson(left[index], right[index])) return false
  return true
}

/** A copy of texts by name with one more. A computed name in a literal would cost several times as much. */
export function withText(
  texts: Readonly<Record<string, string>> | undefined,
  name: string,
  text: string
): Record<string, string> {
  const copy = { ...texts }
  copy[name] = text
  return copy
}

/** The value as it was where the next one is the same, so that whoever compares references sees that it stayed. */
export function keepSame<T>(before: unknown, next: T): T {
  return before !== undefined && sameJson(before, next) ? (before as T) : next
}

/** A list with the items it had where they are the same; the very list where all of them are. */
export function keepSameItems<T>(before: readonly T[] | undefined, next: readonly T[]): readonly T[] {
  if (before === undefined) return next
  let all = before.length === next.length
  const kept: T[] = []
  for (let index = 0; index < next.length; index++) {
    const same = keepSame(before[index], next[index] as T)
    if (same !== before[index]) all = false
    kept.push(same)
  }
  return all ? before : kept
}

/** Something that is wanted; what is stored is compared with it once. */
export class Wanted<Value> {
  readonly value: Value
  /** What was stored and the same. */
  #same: unknown

  constructor(value: Value) {
    this.value = value
  }

  /** What is stored, where that is the same; else what is wanted. */
  kept(stored: unknown): Value {
    if (stored === undefined) return this.value
    if (stored === this.#same) return stored as Value
    const kept = keepSame(stored, this.value)
    if (kept === stored && Object.isFrozen(stored)) this.#same = stored
    return kept
  }
}
