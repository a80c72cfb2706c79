import type { Expr } from './ast.ts'
import { checkTypes } from './check.ts'
import { parseSyntax, type ParseOptions } from './parser.ts'

const OPTIONS_DEFAULT: ParseOptions = { version: 'v2', experimentalFunctions: false }

/** Parsed queries by dialect and text: they are not changed, and worlds ask the same ones again and again. */
const parsed = new Map<string, Expr>()

/** Most parsed queries that are kept. */
const PARSED_MAX = 500

/**
 * Parses and type-checks a PromQL query.
 * @param query - PromQL text
 * @param options - dialect; default Prometheus 2.55.1 without experimental functions
 * @returns the tree, the same object for the same query
 * @throws PromqlParseError with Prometheus' text and position, e.g. `1:5: parse error: unclosed left parenthesis`
 */
export function parsePromql(query: string, options: Partial<ParseOptions> = {}): Expr {
  const { version, experimentalFunctions } = { ...OPTIONS_DEFAULT, ...options }
  const key = `${version} ${experimentalFunctions} ${query}`
  const known = parsed.get(key)
  if (known !== undefined) return known
  const expr = parseSyntax(query, { version, experimentalFunctions })
  checkTypes(query, expr)
  if (parsed.size >= PARSED_MAX) parsed.clear()
  parsed.set(key, expr)
  return expr
}
