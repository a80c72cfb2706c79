/** Texts that stand for something of the recorded machine or clock. */
const PLACEHOLDER = /<(?:now|time|duration|ms|host|any)>|<any of: /

/**
 * Compares an answer with a recorded one: floats in texts within 1e-9, placeholders match anything, vectors as sets.
 * @param ordered - whether the order of `result` arrays counts
 * @returns the first difference
 */
export function compareJson(actual: unknown, wanted: unknown, ordered: boolean, path = ''): string | undefined {
  if (typeof wanted === 'string' && PLACEHOLDER.test(wanted)) return undefined
  if (Array.isArray(wanted)) return compareArrays(actual, wanted, ordered, path)
  if (typeof wanted === 'object' && wanted !== null) return compareObjects(actual, wanted, ordered, path)
  if (typeof wanted === 'string' && typeof actual === 'string' && closeNumbers(actual, wanted)) return undefined
  return actual === wanted ? undefined : `${path}: ${JSON.stringify(actual)} is not ${JSON.stringify(wanted)}`
}

function closeNumbers(actual: string, wanted: string): boolean {
  if (!/^-?\d/.test(wanted) || !/^-?\d/.test(actual) || actual.includes('e') !== wanted.includes('e'))
    return actual === wanted
  const left = Number(actual)
  const right = Number(wanted)
  if (Number.isNaN(left) || Number.isNaN(right) || left === right) return actual === wanted
  return Math.abs(left - right) <= 1e-9 * Math.max(Math.abs(left), Math.abs(right))
}

function compareArrays(
  actual: unknown,
  wanted: readonly unknown[],
  ordered: boolean,
  path: string
): string | undefined {
  if (!Array.isArray(actual)) return `${path}: no array`
  if (actual.length !== wanted.length) {
    return `${path}: ${actual.length} items, not ${wanted.length}: ${JSON.stringify(actual).slice(0, 300)}`
  }
  const unordered = !ordered && path.endsWith('/result') && typeof wanted[0] === 'object'
  const left = unordered ? sortedByLabels(actual) : actual
  const right = unordered ? sortedByLabels(wanted) : wanted
  for (const [index, item] of right.entries()) {
    const difference = compareJson(left[index], item, ordered, `${path}/${index}`)
    if (difference !== undefined) return difference
  }
  return undefined
}

function sortedByLabels(items: readonly unknown[]): unknown[] {
  const key = (item: unknown): string => {
    const metric = typeof item === 'object' && item !== null && 'metric' in item ? item.metric : item
    return JSON.stringify(Object.entries(metric as object).sort())
  }
  return [...items].sort((left, right) => (key(left) < key(right) ? -1 : 1))
}

function compareObjects(actual: unknown, wanted: object, ordered: boolean, path: string): string | undefined {
  if (typeof actual !== 'object' || actual === null) return `${path}: ${JSON.stringify(actual)} is no object`
  const record = actual as Readonly<Record<string, unknown>>
  for (const [name, value] of Object.entries(wanted)) {
    if (!(name in record)) return `${path}/${name}: absent`
    const difference = compareJson(record[name], value, ordered, `${path}/${name}`)
    if (difference !== undefined) return difference
  }
  const extra = Object.keys(record).find((name) => !(name in wanted))
  return extra === undefined ? undefined : `${path}/${extra}: unexpected ${JSON.stringify(record[extra])}`
}
