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
  const copy: JsonMap = isGiven && !Object.isFrozen(body) ? body : copyOf(body)
  let hasUndefined = false
  for (const key in body) {
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
  let isSame = known !== undefined
  let hasUndefined = false
  let changed: JsonMap | undefined
  let index = 0
  for (const key in source) {
    const before = source[key]
    const isInPlace = knownKeys[index] === key
    index += 1
    const old = known === undefined ? undefined : isInPlace ? known[key] : ownMember(known, key)
    const after = adopted(before, old, isGiven)
    if (after === undefined) hasUndefined = true
    if (!isInPlace || after !== old) isSame = false
    if (after !== before) setMember((changed ??= changeable(source, isGiven)), key, after)
  }
  if (isSame && index === knownKeys.length) return known
  const whole = changed ?? changeable(source, isGiven)
  return Object.freeze(hasUndefined ? withoutUndefinedMembers(whole) : whole)
}

function changeable(map: JsonMap, isGiven: boolean): JsonMap {
  return isGiven ? map : copyOf(map)
}

const NO_KEYS: readonly string[] = Object.freeze([])

function adoptedList(list: unknown[], stored: unknown, isGiven: boolean): unknown {
  const known: readonly unknown[] | undefined =
    Array.isArray(stored) && deferredNote(stored) === undefined ? stored : undefined
  let isSame = known?.length === list.length
  let changed: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    const before = list[index]
    const after = adopted(before, known?.[index], isGiven)
    if (after !== known?.[index]) isSame = false
    if (after !== before) (changed ??= isGiven ? list : [...list])[index] = after
  }
  if (isSame) return known
  return Object.freeze(changed ?? (isGiven ? list : [...list]))
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
