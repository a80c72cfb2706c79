import type { Labels } from '../tsdb/index.ts'

/** An instant vector as two parallel lists: no object per sample. @typeParam Of - what has a value */
export interface Vector<Of = Labels> {
  readonly labels: Of[]
  readonly values: number[]
}

/** An empty vector. */
export function emptyVector<Of = Labels>(): Vector<Of> {
  return { labels: [], values: [] }
}

/** Adds an element. */
export function push<Of>(vector: Vector<Of>, labels: Of, value: number): void {
  vector.labels.push(labels)
  vector.values.push(value)
}

/** Whether two elements have the same labels. */
export function hasDuplicates(vector: Vector): boolean {
  if (vector.labels.length < 2) return false
  const seen = new Set<number>()
  for (const labels of vector.labels) {
    // Sets of one hash are mostly equal; only the keys tell for sure.
    if (seen.has(labels.hash)) return hasEqualKeys(vector)
    seen.add(labels.hash)
  }
  return false
}

function hasEqualKeys(vector: Vector): boolean {
  return new Set(vector.labels.map((labels) => labels.key)).size < vector.labels.length
}
