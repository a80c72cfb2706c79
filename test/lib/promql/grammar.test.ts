import { parser as officialParser } from '@prometheus-io/lezer-promql'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatQuery, parsePromql, PromqlParseError, printExpr } from '../../../src/lib/promql/index.ts'

function officiallyAccepted(query: string): boolean {
  let accepted = true
  officialParser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError) accepted = false
    }
  })
  return accepted
}

/** Where a query is refused; undefined when it parses. Any other error passes through. */
function refusalPosition(query: string): string | undefined {
  try {
    parsePromql(query)
    return undefined
  } catch (error) {
    if (error instanceof PromqlParseError) return error.position
    throw error
  }
}

const selector = fc.constantFrom(
  'up',
  'x_total{job="a"}',
  '{__name__=~"a|b"}',
  'x{a!~"b.*",c!="d"} offset 5m',
  'x @ start()'
)
const { query } = fc.letrec<{ query: string; vector: string }>((tie) => ({
  vector: fc.oneof(
    { maxDepth: 4 },
    selector,
    fc
      .tuple(fc.constantFrom('sum', 'avg', 'max'), fc.constantFrom('', ' by (job)', ' without (a, b)'), tie('vector'))
      .map(([operator, modifier, inner]) => `${operator}${modifier} (${inner})`),
    selector.map((inner) =>
      inner.startsWith('x @') || inner.includes('offset') ? `abs(${inner})` : `rate(${inner}[1m])`
    ),
    fc
      .tuple(tie('vector'), fc.constantFrom('+', '/', '*', 'and', '> bool', '== on (job)'), tie('vector'))
      .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
    tie('vector').map((inner) => `max_over_time((${inner})[5m:30s])`)
  ),
  query: fc.oneof(
    tie('vector'),
    tie('vector').map((inner) => `100 - (${inner}) * 2 ^ -1`)
  )
}))

describe('parsePromql', () => {
  it('accepts what the official grammar accepts, and prints what it reads again (seed 42)', () => {
    fc.assert(
      fc.property(query, (text) => {
        expect(officiallyAccepted(text)).toBe(true)
        const printed = printExpr(parsePromql(text))
        expect(printExpr(parsePromql(printed))).toBe(printed)
        expect(printExpr(parsePromql(formatQuery(parsePromql(text))))).toBe(printed)
      }),
      { seed: 42, numRuns: 300 }
    )
  })

  it('ends with a value or a positioned error, never otherwise (seed 42)', () => {
    const pieces = fc.constantFrom(
      'sum',
      '(',
      ')',
      '{',
      '}',
      'a',
      '=',
      '"b"',
      '[',
      '5m',
      ']',
      ':',
      ' offset ',
      '@',
      '1',
      'by',
      ',',
      '-',
      ' or ',
      '#',
      '~',
      '\n',
      '\\',
      "'"
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const position = refusalPosition(parts.join(''))
        expect(position ?? '1:1').toMatch(/^\d+:\d+$|^unknown position$/)
      }),
      { seed: 42, numRuns: 2000 }
    )
  })

  it('binds modifiers to the nearest selector, unlike the editor grammar', () => {
    const expr = parsePromql('a + b offset 5m * c')
    expect(expr).toMatchObject({ kind: 'binary', operator: '+', right: { operator: '*', left: { offsetMs: 300_000 } } })
    expect(parsePromql('-2 ^ 2')).toMatchObject({ kind: 'unary' })
  })

  it.each([
    ['sum(up', '1:7: parse error: unclosed left parenthesis'],
    ['', 'unknown position: parse error: no expression found in input'],
    ['up{job="ü"} $', "1:14: parse error: unexpected character: '$'"],
    ['sum(\n  up{job=}\n)', '2:10: parse error: unexpected "}" in label matching, expected string'],
    ['up offset', '1:10: parse error: unexpected end of input in offset, expected number or duration'],
    ['foo(up)', '1:1: parse error: unknown function with name "foo"'],
    ['first_over_time(x[1m])', '1:1: parse error: unknown function with name "first_over_time"'],
    ['mad_over_time(x[1m])', '1:1: parse error: function "mad_over_time" is not enabled'],
    [`${'('.repeat(300)}1${')'.repeat(300)}`, 'expression is nested too deeply']
  ])('refuses %j', (text, message) => {
    expect(() => parsePromql(text)).toThrow(message)
  })
})
