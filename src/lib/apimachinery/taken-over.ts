import { deferredNote } from './deferred-list.ts'
import { copyOf, isJsonMap, ownMember, setMember, type JsonMap } from './json.ts'

/**
 * What a receiver makes of an object that its sender may still change, next to what it has stored already: members that
 * equal the stored ones, in the same order, become these, frozen ones are shared, all others are copied and frozen.
 * Members that are `undefined` are left out. Lists that are still to be computed stay so.
 * @param body - any JSON value
 * @param stored - the frozen object that a body of this name replaces, if there is one
 * @param isGiven - the sender gives the body away: it may be changed and frozen instead of copied; default: it is not changed
 * @returns a map that belongs to the caller with frozen members, or a value that is no map
 */
export function takenOver(body: unknown, stored?: unknown, isGiven: boolean = false): unknown {
  if (!isJsonMap(body)) return adopted(body, undefined, isGiven)
  const known = isJsonMap(stored) ? stored : undefined
  const copy: JsonMap = copyOf(body)
  let hasUndefined = false
  for (const key of Object.keys(body)) {
    const before = body[key]
    if (before === undefined) hasUndefined = true
    if (typeof before !== 'object' || before === null) continue
    const after = adopted(before, known === undefined ? undefined : ownMember(known, key), isGiven)
    if (after !== before) setMember(copy, key, after)
  }
  return hasUndefined ? withoutUndefinedMembers(copy) : copy
}

function adopted(value: unknown, stored: unknown, isGiven: boolean): unknown {
  if (value === stored || typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value))
    return Object.isFrozen(value) ? frozenPart(value, stored) : adoptedMap(value as JsonMap, stored, isGiven)
  if (deferredNote(value) !== undefined) return value
  return Object.isFrozen(value) ? frozenPart(value, stored) : adoptedList(value, stored, isGiven)
}

/** A part that its sender cannot change either; the stored one is preferred, since what was found out about it is known. */
function frozenPart(value: object, stored: unknown): unknown {
  return isSame(value, stored) ? stored : value
}

function adoptedMap(source: JsonMap, stored: unknown, isGiven: boolean): unknown {
  const known = isJsonMap(stored) ? stored : undefined
  const knownKeys = known === undefined ? NO_KEYS : Object.keys(known)
  const keys = Object.keys(source)
  let hasUndefined = false
  let copy = known === undefined || keys.length !== knownKeys.length ? changeable(source, isGiven) : undefined
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string
    const before = source[key]
    const old = known === undefined ? undefined : knownKeys[index] === key ? known[key] : ownMember(known, key)
    const after = adopted(before, old, isGiven)
    if (copy === undefined) {
      if (after === old && knownKeys[index] === key) continue
      // So far everything was as it is stored.
      copy = changeable(source, isGiven)
      for (let first = 0; first < index; first++) setMember(copy, keys[first] as string, known?.[keys[first] as string])
    }
    if (after === undefined) hasUndefined = true
    if (after !== before) setMember(copy, key, after)
  }
  if (copy === undefined) return known
  return Object.freeze(hasUndefined ? withoutUndefinedMembers(copy) : copy)
}

function changeable(map: JsonMap, isGiven: boolean): JsonMap {
  return isGiven ? map : copyOf(map)
}

const NO_KEYS: readonly string[] = Object.freeze([])

function adoptedList(list: unknown[], stored: unknown, isGiven: boolean): unknown {
  const known: readonly unknown[] | undefined =
    Array.isArray(stored) && deferredNote(stored) === undefined ? stored : undefined
  let copy = known?.length === list.length ? undefined : isGiven ? list : [...list]
  for (let index = 0; index < list.length; index++) {
    const before = list[index]
    const after = adopted(before, known?.[index], isGiven)
    if (copy === undefined) {
      if (after === known?.[index]) continue
      copy = isGiven ? list : [...list]
      for (let first = 0; first < index; first++) copy[first] = known?.[first]
    }
    if (after !== before) copy[index] = after
  }
  return copy === undefined ? known : Object.freeze(copy)
}

/** Whether two values are equal, with their members in the same order. */
function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) return isSameList(left, right)
  const keys = Object.keys(left)
  const others = Object.keys(right)
  if (keys.length !== others.length) return false
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string
    if (others[index] !== key || !isSame((left as JsonMap)[key], (right as JsonMap)[key])) return false
  }
  return true
}

function isSameList(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right)) return false
  // Looking into lists that are still to be computed would compute them.
  if (deferredNote(left) !== undefined || deferredNote(right) !== undefined) return false
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (!isSame(left[index], right[index])) return false
  return true
}

function withoutUndefinedMembers(map: JsonMap): JsonMap {
  const kept: JsonMap = {}
  for (const key of Object.keys(map)) if (map[key] !== undefined) setMember(kept, key, map[key])
  return kept
}
