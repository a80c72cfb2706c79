/** Whether two JSON values are equal; an absent field equals undefined, numbers compare by value. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right))
    return Array.isArray(left) && Array.isArray(right) && sameList(left, right)
  return sameFields(left as Record<string, unknown>, right as Record<string, unknown>)
}

/**
 * Whether two values are equal when empty maps and lists count as absent, as go-cmp does with EquateEmpty and as a
 * round trip through Go's `omitempty` gives.
 */
export function sameButEmpty(left: unknown, right: unknown): boolean {
  return sameJson(withoutEmpty(left), withoutEmpty(right))
}

function sameList(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((entry, index) => sameJson(entry, right[index]))
}

function sameFields(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  for (const key of Object.keys(left)) if (!sameJson(left[key], right[key])) return false
  for (const key of Object.keys(right)) if (right[key] !== undefined && left[key] === undefined) return false
  return true
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value === null ? undefined : value
  const result: Record<string, unknown> = {}
  for (const [key, entry] of Object.entries(value)) {
    const kept = withoutEmpty(entry)
    if (kept !== undefined) result[key] = kept
  }
  return Object.keys(result).length === 0 ? undefined : result
}
