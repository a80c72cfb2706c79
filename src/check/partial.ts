/** Where a value differs from the fields it must have; undefined when it has them all. */
export function partialDifference(actual: unknown, wanted: unknown, path = ''): string | undefined {
  if (Array.isArray(wanted)) return listDifference(actual, wanted, path)
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return difference(path, wanted, actual)
    for (const [key, value] of Object.entries(wanted)) {
      const found = partialDifference((actual as Readonly<Record<string, unknown>>)[key], value, `${path}.${key}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return Object.is(actual, wanted) ? undefined : difference(path, wanted, actual)
}

/** Lists: every wanted item must be found, in order, others may stand between. */
function listDifference(actual: unknown, wanted: readonly unknown[], path: string): string | undefined {
  if (!Array.isArray(actual)) return difference(path, wanted, actual)
  let from = 0
  for (const [index, item] of wanted.entries()) {
    const found = actual.findIndex((candidate, at) => at >= from && partialDifference(candidate, item) === undefined)
    if (found < 0) {
      const only =
        actual.length === wanted.length ? partialDifference(actual[index], item, `${path}[${index}]`) : undefined
      return only ?? `${path || '.'} holds no item like ${JSON.stringify(item)}`
    }
    from = found + 1
  }
  return undefined
}

function difference(path: string, wanted: unknown, actual: unknown): string {
  return `${path || '.'} is ${actual === undefined ? 'missing' : short(actual)}, expected ${short(wanted)}`
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
