import { deferredNote } from './deferred-list.ts'
import { isJsonMap, setMember, type JsonMap } from './json.ts'

/**
 * What a receiver makes of a JSON value that its sender may still change: a copy that shares the frozen parts, without
 * members that are `undefined`. Lists that are still to be computed are frozen.
 * @param value - any JSON value; not changed
 */
export function sharedCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (deferredNote(value) !== undefined || Object.isFrozen(value)) return value
  if (Array.isArray(value)) return value.map(sharedCopy)
  return isJsonMap(value) ? copyMap(value) : value
}

function copyMap(map: JsonMap): JsonMap {
  // Cloning first and replacing what differs is faster than adding member by member.
  const result: JsonMap = { ...map }
  for (const key of Object.keys(map)) {
    const member = map[key]
    if (member === undefined) delete result[key]
    else if (typeof member === 'object' && member !== null) setMember(result, key, sharedCopy(member))
  }
  return result
}
