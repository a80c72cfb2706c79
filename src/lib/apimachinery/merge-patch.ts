import { deepCopy, isJsonMap, ownMember, setMember } from './json.ts'

/**
 * Applies a JSON Merge Patch (RFC 7386): null removes a member, objects merge, everything else replaces.
 * @param doc - any JSON value; not changed
 * @param patch - any JSON value
 */
export function applyMergePatch(doc: unknown, patch: unknown): unknown {
  if (!isJsonMap(patch)) return deepCopy(patch)
  const result: Record<string, unknown> = isJsonMap(doc) ? { ...doc } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (value === null) delete result[key]
    else setMember(result, key, applyMergePatch(ownMember(result, key), value))
  }
  return result
}
