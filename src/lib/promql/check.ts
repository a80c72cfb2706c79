import { METRIC_NAME } from '../tsdb/index.ts'
import {
  type Aggregation,
  type Binary,
  type Call,
  type Expr,
  typeName,
  typeOf,
  type ValueType,
  type VectorSelector
} from './ast.ts'
import { quote } from './lexer.ts'
import { PromqlParseError } from './parse-error.ts'

/** Operators that compare. */
export const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<=', '<', '>=', '>'])
/** Operators on sets of series. */
export const SET_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless'])
const SCALAR_PARAMETER = new Set(['topk', 'bottomk', 'quantile', 'limitk', 'limit_ratio'])

/**
 * Checks the types of an expression and settles how binary operations match.
 * @throws PromqlParseError for the first problem in Prometheus' order
 * @see Prometheus promql/parser/parse.go checkAST, v2.55.1
 */
export function checkTypes(query: string, root: Expr): void {
  const fail = (start: number, reason: string): never => {
    throw new PromqlParseError(query, start, reason)
  }
  const expect = (expr: Expr, wanted: ValueType, place: string): void => {
    const type = check(expr)
    if (type !== wanted) fail(expr.start, `expected type ${typeName(wanted)} in ${place}, got ${typeName(type)}`)
  }
  const check = (expr: Expr): ValueType => {
    switch (expr.kind) {
      case 'aggregation':
        checkAggregation(expr, expect)
        break
      case 'binary':
        check(expr.left)
        check(expr.right)
        checkBinary(query, expr, fail)
        break
      case 'call':
        checkArgumentCount(expr, fail)
        checkArguments(expr, expect)
        break
      case 'paren':
        check(expr.inner)
        break
      case 'unary': {
        const type = check(expr.inner)
        const text = `unary expression only allowed on expressions of type scalar or instant vector, got ${quote(typeName(type))}`
        if (type !== 'scalar' && type !== 'vector') fail(expr.start, text)
        break
      }
      case 'subquery': {
        const type = check(expr.inner)
        if (type !== 'vector') fail(expr.start, `subquery is only allowed on instant vector, got ${type} instead`)
        break
      }
      case 'range':
        check(expr.selector)
        break
      case 'selector':
        checkSelector(expr, fail)
        break
      default:
        break
    }
    return typeOf(expr)
  }
  check(root)
}

type Fail = (start: number, reason: string) => never
type Expect = (expr: Expr, wanted: ValueType, place: string) => void

function checkAggregation(expr: Aggregation, expect: Expect): void {
  expect(expr.inner, 'vector', 'aggregation expression')
  if (expr.parameter === undefined) return
  if (SCALAR_PARAMETER.has(expr.operator)) expect(expr.parameter, 'scalar', 'aggregation parameter')
  if (expr.operator === 'count_values') expect(expr.parameter, 'string', 'aggregation parameter')
}

function checkBinary(query: string, expr: Binary, fail: Fail): void {
  const left = typeOf(expr.left)
  const right = typeOf(expr.right)
  const setOperator = SET_OPERATORS.has(expr.operator)
  const operatorStart = (): number => expr.left.end + (/^\s*/.exec(query.slice(expr.left.end))?.[0].length ?? 0)
  if (expr.returnBool && !COMPARISONS.has(expr.operator)) {
    fail(operatorStart(), 'bool modifier can only be used on comparison operators')
  }
  if (COMPARISONS.has(expr.operator) && !expr.returnBool && left === 'scalar' && right === 'scalar') {
    fail(operatorStart(), 'comparisons between scalars must use BOOL modifier')
  }
  const matching = expr.matching
  for (const label of matching?.on === true ? matching.labels : []) {
    if (matching?.include.includes(label) === true) {
      fail(operatorStart(), `label ${quote(label)} must not occur in ON and GROUP clause at once`)
    }
  }
  const text = 'binary expression must contain only scalar and instant vector types'
  if (left !== 'scalar' && left !== 'vector') fail(expr.left.start, text)
  if (right !== 'scalar' && right !== 'vector') fail(expr.right.start, text)
  if (left !== 'vector' || right !== 'vector') {
    if ((matching?.labels.length ?? 0) > 0) fail(expr.start, 'vector matching only allowed between instant vectors')
    expr.matching = undefined
  } else if (setOperator && matching !== undefined) {
    if (matching.cardinality !== 'one-to-one' && matching.cardinality !== 'many-to-many') {
      fail(expr.start, `no grouping allowed for ${quote(expr.operator)} operation`)
    }
    expr.matching = { ...matching, cardinality: 'many-to-many' }
  }
  if (setOperator && (left === 'scalar' || right === 'scalar')) {
    fail(expr.start, `set operator ${quote(expr.operator)} not allowed in binary scalar expression`)
  }
}

function checkArgumentCount(expr: Call, fail: Fail): void {
  const { name, args, variadic } = expr.spec
  const given = expr.args.length
  const call = `argument(s) in call to ${quote(name)}, got ${given}`
  if (variadic === 0) {
    if (args.length !== given) fail(expr.start, `expected ${args.length} ${call}`)
    return
  }
  const least = args.length - 1
  if (least > given) fail(expr.start, `expected at least ${least} ${call}`)
  if (variadic > 0 && given > least + variadic) fail(expr.start, `expected at most ${least + variadic} ${call}`)
}

function checkArguments(expr: Call, expect: Expect): void {
  const wanted = expr.spec.args
  expr.args.forEach((argument, index) => {
    const type = wanted[Math.min(index, wanted.length - 1)]
    if (type !== undefined) expect(argument, type, `call to function ${quote(expr.spec.name)}`)
  })
}

function checkSelector(expr: VectorSelector, fail: Fail): void {
  if (expr.name !== '') {
    const other = expr.matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME)
    if (other !== undefined) {
      fail(expr.start, `metric name must not be set twice: ${quote(expr.name)} or ${quote(other.value)}`)
    }
    return
  }
  if (expr.matchers.some((matcher) => !matcher.matches(''))) return
  fail(expr.start, 'vector selector must contain at least one non-empty matcher')
}
