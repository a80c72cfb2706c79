import type { Expr } from './ast.ts'
import { checkTypes } from './check.ts'
import { parseSyntax, type ParseOptions } from './parser.ts'

const OPTIONS_DEFAULT: ParseOptions = { version: 'v2', experimentalFunctions: false }

/**
 * Parses and type-checks a PromQL query.
 * @param query - PromQL text
 * @param options - dialect; default Prometheus 2.55.1 without experimental functions
 * @throws PromqlParseError with Prometheus' text and position, e.g. `1:5: parse error: unclosed left parenthesis`
 */
export function parsePromql(query: string, options: Partial<ParseOptions> = {}): Expr {
  const expr = parseSyntax(query, { ...OPTIONS_DEFAULT, ...options })
  checkTypes(query, expr)
  return expr
}
