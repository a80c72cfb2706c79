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

function sameArray(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
  return left.every((value, index) => sameJson(value, right[index]))
}

/** Leaves out fields that Go's `omitempty` leaves out of numbers: zero and undefined. */
export function omitZero<T extends Record<string, number | undefined>>(fields: T): Partial<Record<keyof T, number>> {
  const kept: Partial<Record<keyof T, number>> = {}
  for (const key in fields) if (fields[key] !== undefined && fields[key] !== 0) kept[key] = fields[key]
  return kept
}
