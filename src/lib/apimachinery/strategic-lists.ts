import { deepEqual, isJsonMap } from './json.ts'

/** What {@link orderMerged} needs. */
export interface OrderInput {
  readonly merged: readonly unknown[]
  /** Items in the order the patch wants. */
  readonly patchOrder: readonly unknown[]
  /** Items in the order the stored list had. */
  readonly serverOrder: readonly unknown[]
  /** Name of the key that identifies a map; empty for lists of scalars. */
  readonly mergeKey: string
}

/**
 * A list without repetitions, the first of each kept.
 * @param items - scalars
 */
export function uniquePrimitives(items: readonly unknown[]): unknown[] {
  return items.filter((item, index) => items.indexOf(item) === index)
}

/**
 * A list of scalars without the given ones.
 * @param items - scalars
 * @param removed - scalars to leave out
 */
export function deleteFromPrimitives(items: readonly unknown[], removed: readonly unknown[]): unknown[] {
  return items.filter((item) => !removed.some((other) => deepEqual(item, other)))
}

/**
 * Orders a merged list as the strategic merge patch does: items of the patch in the patch's order, items only the server has where
 * the server had them relative to those (`normalizeElementOrder` and `mergeSortedSlice` of apimachinery).
 * @param input - the list and the two orders
 */
export function orderMerged(input: OrderInput): unknown[] {
  const position = (order: readonly unknown[], item: unknown): number =>
    order.findIndex((other) => sameIdentity(item, other, input.mergeKey))
  const inPatch = input.merged.filter((item) => position(input.patchOrder, item) >= 0)
  const serverOnly = input.merged.filter((item) => position(input.patchOrder, item) < 0)
  sortBy(inPatch, (item) => position(input.patchOrder, item))
  sortBy(serverOnly, (item) => position(input.serverOrder, item))
  return interleave(serverOnly, inPatch, (item) => position(input.serverOrder, item))
}

function sameIdentity(left: unknown, right: unknown, mergeKey: string): boolean {
  if (isJsonMap(left) && isJsonMap(right)) return String(left[mergeKey]) === String(right[mergeKey])
  return left === right
}

function sortBy(items: unknown[], rank: (item: unknown) => number): void {
  const ranked = items.map((item) => ({ item, rank: rank(item) })).sort((left, right) => left.rank - right.rank)
  for (const [index, entry] of ranked.entries()) items[index] = entry.item
}

function interleave(
  left: readonly unknown[],
  right: readonly unknown[],
  serverRank: (item: unknown) => number
): unknown[] {
  const result: unknown[] = []
  let leftAt = 0
  let rightAt = 0
  while (leftAt < left.length || rightAt < right.length) {
    const leftRank = leftAt < left.length ? serverRank(left[leftAt]) : -1
    const rightRank = rightAt < right.length ? serverRank(right[rightAt]) : -1
    const rightDone = rightAt >= right.length
    const leftFirst = leftAt < left.length && (rightDone || (leftRank >= 0 && rightRank >= 0 && leftRank < rightRank))
    if (leftFirst) result.push(left[leftAt++])
    else result.push(right[rightAt++])
  }
  return result
}
