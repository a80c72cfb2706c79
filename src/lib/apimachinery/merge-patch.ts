import { deepCopy, isJsonMap, ownMember, setMember } from './json.ts'

/**
 * Applies a JSON Merge Patch (RFC 7386): null removes a member, objects merge, everything else replaces. As in evanphx/json-patch
 * v4, which the API server uses, objects inside a new list lose their null members too, unless the list replaces an object.
 * @param doc - any JSON value; not changed
 * @param patch - any JSON value
 */
export function applyMergePatch(doc: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object') return patch
  if (!isJsonMap(patch)) return isJsonMap(doc) ? deepCopy(patch) : withoutNullMembers(patch)
  const result: Record<string, unknown> = isJsonMap(doc) ? { ...doc } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (value === null) delete result[key]
    else setMember(result, key, applyMergePatch(ownMember(result, key), value))
  }
  return result
}

/** Null items of lists stay. */
function withoutNullMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === null ? null : withoutNullMembers(item)))
  return isJsonMap(value) ? applyMergePatch(undefined, value) : value
}
