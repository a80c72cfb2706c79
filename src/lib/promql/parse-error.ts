/** A query that does not parse, with the place of the first problem. */
export class PromqlParseError extends Error {
  /** Position `line:column` (bytes, from 1), or `unknown position` for an empty query. */
  readonly position: string
  /** The text without its position. */
  readonly reason: string

  /**
   * @param query - the whole query
   * @param start - UTF-16 offset of the problem
   * @param reason - Prometheus' text
   */
  constructor(query: string, start: number, reason: string) {
    const position = formatPosition(query, start)
    super(`${position}: parse error: ${reason}`)
    this.name = 'PromqlParseError'
    this.position = position
    this.reason = reason
  }
}

/** `line:column` of an offset, columns counted in bytes as Prometheus does. @see promql/parser/posrange, v2.55.1 */
export function formatPosition(query: string, start: number): string {
  if (query === '') return 'unknown position'
  const before = query.slice(0, start)
  const lineStart = before.lastIndexOf('\n') + 1
  const line = before.split('\n').length
  return `${line}:${Buffer.byteLength(before.slice(lineStart)) + 1}`
}
