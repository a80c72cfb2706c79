import type { Bound, Quantity } from '../kinds/index.ts'

const COMPARISONS: Readonly<
  Record<keyof Bound, { readonly word: string; readonly holds: (left: number, right: number) => boolean }>
> = {
  is: { word: 'is', holds: (left, right) => Object.is(left, right) || left === right },
  above: { word: 'above', holds: (left, right) => left > right },
  below: { word: 'below', holds: (left, right) => left < right },
  atLeast: { word: 'at least', holds: (left, right) => left >= right },
  atMost: { word: 'at most', holds: (left, right) => left <= right }
}

const KEYS: readonly (keyof Bound)[] = ['is', 'above', 'below', 'atLeast', 'atMost']

/**
 * Whether a number lies within a bound.
 * @param value - the number, in the unit of the bound's own plain numbers
 * @param whole - what a share is a share of; absent: shares are compared as numbers in [0, 1]
 */
export function within(bound: Bound, value: number, whole?: number): boolean {
  return KEYS.every((key) => {
    const limit = bound[key]
    if (limit === undefined) return true
    if (limit.unit === 'share' && whole !== undefined) {
      return whole > 0 && COMPARISONS[key].holds(value / whole, limit.value)
    }
    return COMPARISONS[key].holds(value, limit.value)
  })
}

/** A bound in words: `at least 20 and below 6 %`. */
export function boundText(bound: Bound): string {
  const parts = KEYS.flatMap((key) => {
    const limit = bound[key]
    return limit === undefined ? [] : [`${COMPARISONS[key].word} ${quantityText(limit)}`]
  })
  return parts.length === 0 ? 'anything' : parts.join(' and ')
}

function quantityText(quantity: Quantity): string {
  return quantity.unit === 'share' ? `${Number((quantity.value * 100).toPrecision(6))} %` : String(quantity.value)
}
