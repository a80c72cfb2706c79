import { parsePromql, PromqlParseError } from '../lib/promql/index.ts'
import { suggest } from './suggestion.ts'

/** Longest query checked, characters. */
const QUERY_LENGTH_MAX = 10_000

/** What a query template may use. @see fluxcd/flagger pkg/metrics/observers/render.go RenderQuery 1.44.0 */
const TEMPLATE_VALUES = ['name', 'namespace', 'target', 'service', 'ingress', 'route', 'interval', 'variables']
/** Words of Go's templates that stand alone. */
const TEMPLATE_WORDS: ReadonlySet<string> = new Set(['end', 'else', 'break', 'continue'])

/** What is wrong with a query and where in its text, lines and columns from 1. */
export interface QueryProblem {
  readonly message: string
  readonly line: number
  readonly column: number
  readonly fix: string
}

/**
 * What is wrong with a query template, or undefined. What the controller fills in (`{{ interval }}`) is replaced by something
 * of the same length first: a duration inside brackets, a word elsewhere, so that positions stay those of the template.
 */
export function promqlProblem(query: string): QueryProblem | undefined {
  const fix = 'correct the query; {{ … }} stands for a value the controller fills in'
  if (query.length > QUERY_LENGTH_MAX)
    return { message: `longer than ${QUERY_LENGTH_MAX} characters`, line: 1, column: 1, fix }
  if (query.trim() === '') return { message: 'the query is empty', line: 1, column: 1, fix }
  const filled = query
    .replaceAll(/\[\s*\{\{[^{}]*\}\}/g, (text) => `[${'1m'.padEnd(text.length - 1)}`)
    .replaceAll(/\{\{[^{}]*\}\}/g, (text) => 'x'.repeat(text.length))
  try {
    parsePromql(filled)
  } catch (error) {
    if (!(error instanceof PromqlParseError)) throw error
    const [line = 1, column = 1] = error.position.split(':').map(Number)
    return { message: error.reason, line, column, fix }
  }
  return templateProblem(query)
}

/** A value that no template function gives. */
function templateProblem(query: string): QueryProblem | undefined {
  for (const match of query.matchAll(/\{\{-?\s*([A-Za-z_]\w*)\s*-?\}\}/g)) {
    const [, word = ''] = match
    if (TEMPLATE_VALUES.includes(word) || TEMPLATE_WORDS.has(word)) continue
    const before = query.slice(0, match.index).split('\n')
    const message = `the template knows no "${word}"`
    const fix = suggest(word, TEMPLATE_VALUES) ?? `it may use ${TEMPLATE_VALUES.join(', ')}`
    return { message, line: before.length, column: (before.at(-1) ?? '').length + 1, fix }
  }
  return undefined
}
