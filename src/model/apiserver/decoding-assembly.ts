import { copyOf, withoutMembers } from '../../lib/apimachinery/index.ts'
import type { Walk } from './decoding-walk.ts'

type JsonMap = Record<string, unknown>

/** A struct or map whose members are decoded. */
interface Parts {
  /** As it came. */
  readonly value: JsonMap
  /** With the members that became something else; undefined where there are none. */
  readonly changed: JsonMap | undefined
  /** Names of members that are left out. */
  readonly dropped: readonly string[] | undefined
}

/** The whole: the value itself where nothing of it changed and it is not its sender's. */
export function assembled({ value, changed, dropped }: Parts, walk: Walk): JsonMap {
  if (dropped !== undefined) return withoutMembers(changed ?? value, dropped)
  if (changed !== undefined) return changed
  return walk.isBorrowed && !Object.isFrozen(value) ? copyOf(value) : value
}

/** The map whose members may be set: a copy, unless the value was given away. */
export function changeable(value: JsonMap, walk: Walk): JsonMap {
  return walk.isGiven && !Object.isFrozen(value) ? value : copyOf(value)
}

/** The list whose items may be set: a copy, unless the value was given away. */
export function changeableList(items: readonly unknown[], walk: Walk): unknown[] {
  return walk.isGiven && !Object.isFrozen(items) ? (items as unknown[]) : [...items]
}

/**
 * Whether the members of a value that are not dropped are all that is stored, in that order.
 * @param stored - what is stored
 * @param value - what came
 * @param dropped - names of its members that are left out
 */
export function hasNames(stored: JsonMap, value: JsonMap, dropped: readonly string[] | undefined): boolean {
  const names = Object.keys(stored)
  let at = 0
  for (const key in value) {
    if (dropped?.includes(key) === true) continue
    if (names[at] !== key) return false
    at += 1
  }
  return at === names.length
}
