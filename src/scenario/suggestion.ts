/** Longest text compared; anything longer gets no suggestion. */
const TEXT_LENGTH_MAX = 100

/**
 * The known word nearest to a misspelt one.
 * @returns undefined when none is near enough (more than a third of the letters differ)
 */
export function nearestWord(text: string, known: readonly string[]): string | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined
  const lower = text.toLowerCase()
  const distanceMax = Math.max(1, Math.floor(text.length / 3))
  let best: string | undefined
  let bestDistance = distanceMax + 1
  for (const word of known) {
    if (word.length > TEXT_LENGTH_MAX) continue
    const distance = editDistance(lower, word.toLowerCase())
    if (distance < bestDistance) {
      best = word
      bestDistance = distance
    }
  }
  return best
}

/** A sentence for a misspelt word: the nearest one, or the list when it is short. */
export function suggest(text: string, known: readonly string[]): string | undefined {
  const nearest = nearestWord(text, known)
  if (nearest !== undefined) return `did you mean "${nearest}"?`
  if (known.length === 0 || known.length > 20) return undefined
  return `known here: ${[...known].toSorted().join(', ')}`
}

/** Levenshtein distance with neighbouring letters swapped counted as one. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1)
      )
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1)
      }
      current.push(cost)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[right.length] ?? 0
}
