import { parsePromql, PromqlParseError } from '../lib/promql/index.ts'

/** Longest query checked, characters. */
const QUERY_LENGTH_MAX = 10_000

/**
 * What is wrong with a query template, or undefined. What the controller fills in (`{{ interval }}`) is replaced by something
 * of the same length first: a duration inside brackets, a word elsewhere, so that positions stay those of the template.
 */
export function promqlProblem(query: string): string | undefined {
  if (query.length > QUERY_LENGTH_MAX) return `longer than ${QUERY_LENGTH_MAX} characters`
  if (query.trim() === '') return 'the query is empty'
  const filled = query
    .replaceAll(/\[\s*\{\{[^{}]*\}\}/g, (text) => `[${'1m'.padEnd(text.length - 1)}`)
    .replaceAll(/\{\{[^{}]*\}\}/g, (text) => 'x'.repeat(text.length))
  try {
    parsePromql(filled)
    return undefined
  } catch (error) {
    if (error instanceof PromqlParseError)
      return `${error.reason} (line ${error.position.replace(':', ', column ')} of the query)`
    throw error
  }
}
