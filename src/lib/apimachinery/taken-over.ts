import { deferredNote } from './deferred-list.ts'
import { copyOf, isJsonMap, ownMember, setMember, type JsonMap } from './json.ts'

/**
 * What a receiver makes of an object that its sender may still change, next to what it has stored already: members that
 * equal the stored ones, in the same order, become these, frozen ones are shared, all others are copied and frozen.
 * Members that are `undefined` are left out. Lists that are still to be computed stay so.
 * @param body - any JSON value; not changed
 * @param stored - the frozen object that a body of this name replaces, if there is one
 * @returns a map that belongs to the caller with frozen members, or a value that is no map
 */
export function takenOver(body: unknown, stored?: unknown): unknown {
  if (!isJsonMap(body)) return adopted(body, undefined)
  const known = isJsonMap(stored) ? stored : undefined
  const copy: JsonMap = copyOf(body)
  let hasUndefined = false
  for (const key of Object.keys(body)) {
    const before = body[key]
    if (before === undefined) hasUndefined = true
    if (typeof before !== 'object' || before === null) continue
    const after = adopted(before, known === undefined ? undefined : ownMember(known, key))
    if (after !== before) setMember(copy, key, after)
  }
  return hasUndefined ? withoutUndefinedMembers(copy) : copy
}

function adopted(value: unknown, stored: unknown): unknown {
  if (value === stored || typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value)) return Object.isFrozen(value) ? frozenPart(value, stored) : adoptedMap(value, stored)
  if (deferredNote(value) !== undefined) return value
  return Object.isFrozen(value) ? frozenPart(value, stored) : adoptedList(value, stored)
}

/** A part that its sender cannot change either; the stored one is preferred, since what was found out about it is known. */
function frozenPart(value: object, stored: unknown): unknown {
  return isSame(value, stored) ? stored : value
}

function adoptedMap(map: object, stored: unknown): unknown {
  const known = isJsonMap(stored) ? stored : undefined
  const knownKeys = known === undefined ? NO_KEYS : Object.keys(known)
  const keys = Object.keys(map)
  const source = map as JsonMap
  let hasUndefined = false
  let copy = known === undefined || keys.length !== knownKeys.length ? copyOf(source) : undefined
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string
    const before = source[key]
    const old = known === undefined ? undefined : knownKeys[index] === key ? known[key] : ownMember(known, key)
    const after = adopted(before, old)
    if (copy === undefined) {
      if (after === old && knownKeys[index] === key) continue
      // So far everything was as it is stored.
      copy = copyOf(source)
      for (let first = 0; first < index; first++) setMember(copy, keys[first] as string, known?.[keys[first] as string])
    }
    if (after === undefined) hasUndefined = true
    if (after !== before) setMember(copy, key, after)
  }
  if (copy === undefined) return known
  return Object.freeze(hasUndefined ? withoutUndefinedMembers(copy) : copy)
}

const NO_KEYS: readonly string[] = Object.freeze([])

function adoptedList(list: readonly unknown[], stored: unknown): unknown {
  const known: readonly unknown[] | undefined =
    Array.isArray(stored) && deferredNote(stored) === undefined ? stored : undefined
  let copy = known?.length === list.length ? undefined : [...list]
  for (let index = 0; index < list.length; index++) {
    const before = list[index]
    const after = adopted(before, known?.[index])
    if (copy === undefined) {
      if (after === known?.[index]) continue
      copy = [...list]
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
