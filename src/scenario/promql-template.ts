/**
 * Longest query checked, characters. What the controller fills in is replaced by something of the same kind before parsing:
 * a duration inside brackets, a word elsewhere.
 */
const QUERY_LENGTH_MAX = 10_000

/** What is wrong with a query template, or undefined. */
export function promqlProblem(query: string): string | undefined {
  if (query.length > QUERY_LENGTH_MAX) return `longer than ${QUERY_LENGTH_MAX} characters`
  if (query.trim() === '') return 'the query is empty'
  return undefined
}
