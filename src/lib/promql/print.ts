import { METRIC_NAME } from '../tsdb/index.ts'
import type { Aggregation, Binary, Expr, TimeShift, VectorSelector } from './ast.ts'
import { quote } from './lexer.ts'
import { formatDuration } from './literal.ts'
import { formatG } from './numbers.ts'

const LINE_LENGTH_MAX = 100
const PARAMETER = new Set(['topk', 'bottomk', 'count_values', 'quantile', 'limitk', 'limit_ratio'])

/** An expression on one line in Prometheus' own spelling. @see promql/parser/printer.go, v2.55.1 */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return formatG(expr.value)
    case 'string':
      return quote(expr.value)
    case 'selector':
      return printSelector(expr) + printShift(expr)
    case 'range':
      return `${printSelector(expr.selector)}[${formatDuration(expr.rangeMs)}]${printShift(expr.selector)}`
    case 'subquery': {
      const step = expr.stepMs === 0 ? '' : formatDuration(expr.stepMs)
      return `${printExpr(expr.inner)}[${formatDuration(expr.rangeMs)}:${step}]${printShift(expr)}`
    }
    case 'call':
      return `${expr.spec.name}(${expr.args.map(printExpr).join(', ')})`
    case 'aggregation': {
      const parameter =
        expr.parameter !== undefined && PARAMETER.has(expr.operator) ? `${printExpr(expr.parameter)}, ` : ''
      return `${aggregationHead(expr)}(${parameter}${printExpr(expr.inner)})`
    }
    case 'binary':
      return `${printExpr(expr.left)} ${binaryHead(expr)} ${printExpr(expr.right)}`
    case 'unary':
      return `${expr.operator}${printExpr(expr.inner)}`
    case 'paren':
      return `(${printExpr(expr.inner)})`
  }
}

/** An expression over several lines where one would be longer than 100 characters. @see promql/parser/prettier.go */
export function formatQuery(expr: Expr): string {
  return pretty(expr, 0)
}

function pretty(expr: Expr, level: number): string {
  const indent = '  '.repeat(level)
  const plain = printExpr(expr)
  if (expr.kind === 'unary') return `${indent}${expr.operator}${pretty(expr.inner, level).trim()}`
  if (expr.kind === 'subquery' && plain.length > LINE_LENGTH_MAX) {
    return pretty(expr.inner, level) + plain.slice(printExpr(expr.inner).length)
  }
  if (plain.length <= LINE_LENGTH_MAX) return indent + plain
  switch (expr.kind) {
    case 'aggregation': {
      const hasParameter = expr.parameter !== undefined && PARAMETER.has(expr.operator)
      const parameter = hasParameter && expr.parameter !== undefined ? `${pretty(expr.parameter, level + 1)},\n` : ''
      return `${indent}${aggregationHead(expr)}(\n${parameter}${pretty(expr.inner, level + 1)}\n${indent})`
    }
    case 'binary':
      return `${pretty(expr.left, level + 1)}\n${indent}${binaryHead(expr)}\n${pretty(expr.right, level + 1)}`
    case 'call': {
      const args = expr.args.map((argument) => pretty(argument, level + 1)).join(',\n')
      return `${indent}${expr.spec.name}(\n${args}\n${indent})`
    }
    case 'paren':
      return `${indent}(\n${pretty(expr.inner, level + 1)}\n${indent})`
    default:
      return indent + plain
  }
}

function printSelector(expr: VectorSelector): string {
  const matchers = expr.matchers.filter(
    (matcher) => !(matcher.name === METRIC_NAME && matcher.operator === '=' && matcher.value === expr.name)
  )
  if (matchers.length === 0) return expr.name === '' ? '{}' : expr.name
  return `${expr.name}{${matchers.map(String).sort().join(',')}}`
}

function printShift(shift: TimeShift): string {
  let text = ''
  if (typeof shift.at === 'number') text += ` @ ${(shift.at / 1000).toFixed(3)}`
  else if (shift.at !== undefined) text += ` @ ${shift.at}()`
  if (shift.offsetMs !== 0) text += ` offset ${formatDuration(shift.offsetMs)}`
  return text
}

function aggregationHead(expr: Aggregation): string {
  if (expr.without) return `${expr.operator} without (${expr.labels.join(', ')}) `
  return expr.labels.length === 0 ? expr.operator : `${expr.operator} by (${expr.labels.join(', ')}) `
}

function binaryHead(expr: Binary): string {
  let text = expr.operator + (expr.returnBool ? ' bool' : '')
  const { matching } = expr
  if (matching === undefined) return text
  const grouped = matching.cardinality === 'many-to-one' || matching.cardinality === 'one-to-many'
  if (matching.labels.length > 0 || matching.on || grouped) {
    text += ` ${matching.on ? 'on' : 'ignoring'} (${matching.labels.join(', ')})`
  }
  if (grouped)
    text += ` group_${matching.cardinality === 'many-to-one' ? 'left' : 'right'} (${matching.include.join(', ')})`
  return text
}
