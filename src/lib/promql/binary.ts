import { type Labels, METRIC_NAME } from '../tsdb/index.ts'
import type { Binary, Matching } from './ast.ts'
import { COMPARISONS } from './check.ts'
import type { EvaluationContext } from './context.ts'
import { power } from './numbers.ts'
import { emptyVector, push, type Vector } from './vector.ts'

/** Value of an arithmetic or comparing operator; comparisons give 1 or 0. */
export function applyOperator(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '%':
      return left % right
    case '^':
      return power(left, right)
    case 'atan2':
      return Math.atan2(left, right)
    case '==':
      return Number(left === right)
    case '!=':
      return Number(left !== right)
    case '>':
      return Number(left > right)
    case '<':
      return Number(left < right)
    case '>=':
      return Number(left >= right)
    case '<=':
      return Number(left <= right)
    default:
      return Number.NaN
  }
}

/** A vector against a scalar; `swapped` when the scalar stands on the left. */
export function vectorScalar(
  context: EvaluationContext,
  expr: Binary,
  sides: { readonly vector: Vector; readonly scalar: number; readonly swapped: boolean }
): Vector {
  const { vector, scalar, swapped } = sides
  const comparison = COMPARISONS.has(expr.operator)
  const result = emptyVector()
  for (let index = 0; index < vector.labels.length; index++) {
    const labels = vector.labels[index]
    const value = vector.values[index]
    if (labels === undefined || value === undefined) continue
    const made = swapped ? applyOperator(expr.operator, scalar, value) : applyOperator(expr.operator, value, scalar)
    if (!comparison || expr.returnBool) push(result, context.dropName(labels), made)
    else if (made !== 0) push(result, labels, value)
  }
  return result
}

/** Text equal for series that match under `on` or `ignoring`. */
function signatureOf(labels: Labels, matching: Matching): string {
  return matching.on ? labels.only(matching.labels).key : labels.without([METRIC_NAME, ...matching.labels]).key
}

function signatures(context: EvaluationContext, expr: Binary, vector: Vector): string[] {
  const matching = expr.matching
  if (matching === undefined) return []
  const cache = context.cacheOf<Labels, string>(matching)
  return vector.labels.map((labels) => {
    let known = cache.get(labels)
    if (known === undefined) cache.set(labels, (known = signatureOf(labels, matching)))
    return known
  })
}

/** `and`, `or`, `unless`. */
export function setOperation(context: EvaluationContext, expr: Binary, left: Vector, right: Vector): Vector {
  const leftSignatures = signatures(context, expr, left)
  const rightSignatures = signatures(context, expr, right)
  const result = emptyVector()
  const take = (vector: Vector, index: number): void => {
    const labels = vector.labels[index]
    if (labels !== undefined) push(result, labels, vector.values[index] ?? Number.NaN)
  }
  if (expr.operator === 'or') {
    const present = new Set(leftSignatures)
    left.labels.forEach((_, index) => take(left, index))
    right.labels.forEach((_, index) => {
      if (!present.has(rightSignatures[index] ?? '')) take(right, index)
    })
    return result
  }
  const present = new Set(rightSignatures)
  const wanted = expr.operator === 'and'
  left.labels.forEach((_, index) => {
    if (present.has(leftSignatures[index] ?? '') === wanted) take(left, index)
  })
  return result
}

/** Arithmetic and comparison between two vectors. @see promql/engine.go VectorBinop, v2.55.1 */
export function vectorVector(context: EvaluationContext, expr: Binary, left: Vector, right: Vector): Vector {
  const matching = expr.matching
  const result = emptyVector()
  if (matching === undefined || left.labels.length === 0 || right.labels.length === 0) return result
  const swapped = matching.cardinality === 'one-to-many'
  const many = swapped ? right : left
  const one = swapped ? left : right
  const oneIndex = indexOneSide(context, expr, one, matching)
  const manySignatures = signatures(context, expr, many)
  const used = new Map<string, Set<string>>()
  const comparison = COMPARISONS.has(expr.operator)
  many.labels.forEach((labels, index) => {
    const signature = manySignatures[index] ?? ''
    const partner = oneIndex.get(signature)
    if (partner === undefined) return
    const manyValue = many.values[index] ?? Number.NaN
    const oneValue = one.values[partner] ?? Number.NaN
    const leftValue = swapped ? oneValue : manyValue
    const made = applyOperator(expr.operator, leftValue, swapped ? manyValue : oneValue)
    const kept = !comparison || expr.returnBool || made !== 0
    // 2.x drops filtered elements before it looks for a second match.
    if (!kept && context.facts.version === 'v2') return
    const metric = resultLabels(context, expr, labels, one.labels[partner] ?? labels)
    claimMatch(context, matching, used, { signature, key: metric.key })
    if (kept) push(result, metric, comparison && !expr.returnBool ? leftValue : made)
  })
  return result
}

function indexOneSide(context: EvaluationContext, expr: Binary, one: Vector, matching: Matching): Map<string, number> {
  const bySignature = new Map<string, number>()
  signatures(context, expr, one).forEach((signature, index) => {
    const earlier = bySignature.get(signature)
    if (earlier !== undefined) failDuplicate(context, matching, one.labels[index], one.labels[earlier])
    bySignature.set(signature, index)
  })
  return bySignature
}

function failDuplicate(
  context: EvaluationContext,
  matching: Matching,
  first: Labels | undefined,
  second: Labels | undefined
): never {
  const side = matching.cardinality === 'one-to-many' ? 'left' : 'right'
  const shared = matching.on ? first?.only(matching.labels) : first?.without([METRIC_NAME, ...matching.labels])
  let pair = [String(first), String(second)]
  if (context.facts.version === 'v3') pair = pair.sort()
  return context.fail(
    `found duplicate series for the match group ${String(shared)} on the ${side} hand-side of the operation: ` +
      `[${pair.join(', ')}];many-to-many matching not allowed: matching labels must be unique on one side`
  )
}

function claimMatch(
  context: EvaluationContext,
  matching: Matching,
  used: Map<string, Set<string>>,
  found: { readonly signature: string; readonly key: string }
): void {
  const earlier = used.get(found.signature)
  if (earlier === undefined) {
    used.set(found.signature, new Set([found.key]))
    return
  }
  if (matching.cardinality === 'one-to-one') {
    context.fail('multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)')
  }
  if (earlier.has(found.key)) {
    context.fail('multiple matches for labels: grouping labels must ensure unique matches')
  }
  earlier.add(found.key)
}

function resultLabels(context: EvaluationContext, expr: Binary, many: Labels, one: Labels): Labels {
  const byMany = context.cacheOf<Labels, Map<Labels, Labels>>(expr)
  let byOne = byMany.get(many)
  if (byOne === undefined) byMany.set(many, (byOne = new Map<Labels, Labels>()))
  const known = byOne.get(one)
  if (known !== undefined) return known
  const made = makeResultLabels(context, expr, many, one)
  if (byOne.size > 1000) byOne.clear()
  byOne.set(one, made)
  return made
}

function makeResultLabels(context: EvaluationContext, expr: Binary, many: Labels, one: Labels): Labels {
  const matching = expr.matching
  if (matching === undefined) return many
  const changesSchema = !COMPARISONS.has(expr.operator)
  const dropsAtOnce = changesSchema || (expr.returnBool && !context.facts.delayedNameRemoval)
  let labels = dropsAtOnce ? many.withoutName() : many.withNameKept()
  if (matching.cardinality === 'one-to-one') {
    labels = matching.on ? labels.only(matching.labels) : labels.without(matching.labels)
  }
  for (const name of matching.include) labels = labels.with(name, one.get(name))
  return expr.returnBool && context.facts.delayedNameRemoval ? labels.withNameDropPending() : labels
}
