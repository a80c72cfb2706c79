import { Labels, METRIC_NAME, Series } from '../tsdb/index.ts'
import type { Aggregation } from './ast.ts'
import type { EvaluationContext } from './context.ts'
import { compareForSort, formatG, KahanMean, KahanSum, plainForm, quantileOf } from './numbers.ts'
import { emptyVector, push, type Vector } from './vector.ts'

interface Group {
  readonly labels: Labels
  namePending: boolean
  readonly members: number[]
}

/** What is grouped: a label set, or a stored series by its own. */
type Member = Labels | Series

function labelsOf(member: Member): Labels {
  return member instanceof Series ? member.labels : member
}

function labelled({ labels, values }: Vector<Member>): Vector {
  return { labels: labels.map(labelsOf), values }
}

function isPending(member: Member): boolean {
  return member instanceof Labels && member.nameDropPending
}

const SELECTING = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio'])
const LEGACY_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Aggregates one instant vector.
 * @param parameter - value of `k`, φ or the ratio; text of `count_values`
 * @see Prometheus promql/engine.go aggregation, aggregationK, aggregationCountValues, v2.55.1
 */
export function aggregate(
  context: EvaluationContext,
  expr: Aggregation,
  input: Vector<Member>,
  parameter: number | string | undefined
): Vector {
  if (expr.operator === 'count_values') return countValues(context, expr, labelled(input), String(parameter))
  const numeric = typeof parameter === 'number' ? parameter : 0
  if (expr.operator === 'quantile' && !(numeric >= 0 && numeric <= 1)) {
    const text = `quantile value should be between 0 and 1, got ${formatG(numeric)}`
    context.facts.annotations.warn(text, expr.parameter?.start ?? expr.start)
  }
  const groups = groupsOf(context, expr, input)
  if (SELECTING.has(expr.operator)) {
    return selectElements(context, expr, { input: labelled(input), groups, parameter: numeric })
  }
  const result = emptyVector()
  for (const { labels, namePending, members } of groups) {
    const value =
      expr.operator === 'sum'
        ? sumOf(input.values, members)
        : combine(context, expr.operator, {
            values: members.map((member) => input.values[member] ?? Number.NaN),
            parameter: numeric
          })
    push(result, namePending ? labels.withNameDropPending() : labels, value)
  }
  return result
}

/** Whether the names of its input make no difference to an aggregation. */
export function groupsWithoutNames({ operator, labels, without }: Aggregation): boolean {
  return !SELECTING.has(operator) && operator !== 'count_values' && (without || !labels.includes(METRIC_NAME))
}

/** Into which groups the elements of a vector fall. */
interface Grouping {
  readonly members: readonly Member[]
  readonly groups: readonly Group[]
}

/** The series of a query are mostly those of its last evaluation: then so are their groups. */
function groupsOf(context: EvaluationContext, expr: Aggregation, { labels }: Vector<Member>): readonly Group[] {
  const cache = context.cacheOf<readonly string[], Grouping>(expr)
  const last = cache.get(expr.labels)
  if (last !== undefined && haveSameMembers(last.members, labels)) return last.groups
  const groups = group(context, expr, labels)
  cache.set(expr.labels, { members: labels, groups })
  return groups
}

/** Whether two lists have the same objects. */
export function haveSameMembers(left: readonly object[], right: readonly object[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}

function group(context: EvaluationContext, expr: Aggregation, input: readonly Member[]): readonly Group[] {
  const [name] = expr.labels
  if (!expr.without && name === undefined) return groupOfAll(input)
  if (!expr.without && name !== undefined && expr.labels.length === 1) return groupByValue(input, name)
  const cache = context.cacheOf<Labels, Labels>(expr)
  const groups = new Map<Labels, Group>()
  for (let index = 0; index < input.length; index++) {
    const member = input[index]
    if (member === undefined) continue
    const labels = labelsOf(member)
    let key = cache.get(labels)
    if (key === undefined) {
      key = canonical(context, expr, groupLabels(expr, labels))
      cache.set(labels, key)
    }
    let found = groups.get(key)
    if (found === undefined) groups.set(key, (found = { labels: key, namePending: false, members: [] }))
    found.members.push(index)
    if (labels.nameDropPending) found.namePending = true
  }
  return [...groups.values()]
}

function groupOfAll(input: readonly Member[]): readonly Group[] {
  if (input.length === 0) return []
  return [{ labels: Labels.EMPTY, namePending: input.some(isPending), members: input.map((_, index) => index) }]
}

/** Groups by one label, as most queries do. */
function groupByValue(input: readonly Member[], name: string): readonly Group[] {
  const groups = new Map<string, Group>()
  let value: string | undefined
  let found: Group | undefined
  for (let index = 0; index < input.length; index++) {
    const member = input[index]
    if (member === undefined) continue
    const own = member instanceof Series ? member.labelValue(name) : member.get(name)
    // Neighbours mostly share their value.
    if (own !== value || found === undefined) {
      value = own
      found = groups.get(own)
      if (found === undefined) {
        groups.set(own, (found = { labels: Labels.single(name, own), namePending: false, members: [] }))
      }
    }
    found.members.push(index)
    if (isPending(member)) found.namePending = true
  }
  return [...groups.values()]
}

/** One object per equal set, so that groups are found by identity. */
function canonical(context: EvaluationContext, expr: Aggregation, labels: Labels): Labels {
  const byKey = context.cacheOf<object, Map<string, Labels>>(expr.labels)
  let known = byKey.get(expr)
  if (known === undefined) byKey.set(expr, (known = new Map<string, Labels>()))
  const found = known.get(labels.key)
  if (found !== undefined) return found
  known.set(labels.key, labels)
  return labels
}

function groupLabels(expr: Aggregation, labels: Labels): Labels {
  if (expr.without) return labels.without([...expr.labels, METRIC_NAME])
  return labels.only(expr.labels)
}

function sumOf(values: readonly number[], members: readonly number[]): number {
  const sum = new KahanSum()
  for (const member of members) sum.add(values[member] ?? Number.NaN)
  return sum.value
}

interface Members {
  readonly values: readonly number[]
  readonly parameter: number
}

function combine(context: EvaluationContext, operator: string, { values, parameter }: Members): number {
  switch (operator) {
    case 'avg': {
      const mean = new KahanMean()
      for (const value of values) mean.add(value)
      return mean.value
    }
    case 'count':
      return values.length
    case 'group':
      return 1
    case 'min':
    case 'max':
      return values.reduce((best, next) => {
        const better = operator === 'min' ? best > next : best < next
        return better || Number.isNaN(best) ? next : best
      })
    case 'quantile':
      return quantileOf(parameter, values)
    case 'stddev':
      return Math.sqrt(variance(context, values))
    case 'stdvar':
      return variance(context, values)
    default:
      return context.fail(`expected aggregation operator but got "${operator}"`)
  }
}

function variance(context: EvaluationContext, values: readonly number[]): number {
  const first = values[0] ?? Number.NaN
  // 2.x starts from zero whatever the first value is, so that a lone infinity gives 0.
  let spread = context.facts.version === 'v3' && !Number.isFinite(first) ? Number.NaN : 0
  let mean = first
  values.slice(1).forEach((value, index) => {
    const delta = value - mean
    mean += delta / (index + 2)
    spread += delta * (value - mean)
  })
  return spread / values.length
}

interface Selection {
  readonly input: Vector
  readonly groups: readonly Group[]
  readonly parameter: number
}

function selectElements(context: EvaluationContext, expr: Aggregation, selection: Selection): Vector {
  const { input, groups, parameter } = selection
  const result = emptyVector()
  if (expr.operator === 'limit_ratio') return limitRatio(context, expr, selection)
  if (Number.isNaN(parameter) && context.facts.version === 'v3') return context.fail('Parameter value is NaN')
  if (!Number.isNaN(parameter) && Math.abs(parameter) >= 9.223372036854776e18) {
    return context.fail(`Scalar value ${formatG(parameter)} ${parameter > 0 ? 'overflows' : 'underflows'} int64`)
  }
  const count = Math.min(Math.trunc(parameter), input.values.length)
  if (!(count >= 1)) return result
  for (const { members } of groups) {
    const sign = expr.operator === 'topk' ? -1 : 1
    const value = (index: number): number => input.values[index] ?? Number.NaN
    const ordered =
      expr.operator === 'limitk' ? members : [...members].sort((a, b) => rankOrder(value(a), value(b), sign))
    for (const member of ordered.slice(0, count)) {
      const labels = input.labels[member]
      if (labels !== undefined) push(result, labels, value(member))
    }
  }
  return result
}

/** NaN comes last in either direction. */
function rankOrder(left: number, right: number, sign: number): number {
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
  return sign * compareForSort(left, right)
}

/** Which elements stay depends on a hash of their labels that we do not share with Prometheus. */
function limitRatio(context: EvaluationContext, expr: Aggregation, { input, parameter }: Selection): Vector {
  const result = emptyVector()
  if (Number.isNaN(parameter)) return context.fail('Ratio value is NaN')
  const ratio = Math.max(-1, Math.min(1, parameter))
  if (ratio !== parameter) {
    const text = `ratio value should be between -1 and 1, got ${formatG(parameter)}, capping to ${formatG(ratio)}`
    context.facts.annotations.warn(text, expr.parameter?.start ?? expr.start)
  }
  input.labels.forEach((labels, index) => {
    const offset = hashShare(labels.key)
    const kept = ratio >= 0 ? offset < ratio : offset >= 1 + ratio
    if (kept) push(result, labels, input.values[index] ?? Number.NaN)
  })
  return result
}

function hashShare(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash >>> 0) / 4_294_967_296
}

function countValues(context: EvaluationContext, expr: Aggregation, input: Vector, label: string): Vector {
  const valid = context.facts.version === 'v3' ? label !== '' && !label.includes('\uFFFD') : LEGACY_LABEL.test(label)
  if (!valid) {
    const stated = expr.parameter?.kind === 'string' ? expr.parameter.raw : label
    context.fail(`invalid label name "${stated}"`)
  }
  const counts = new Map<string, { labels: Labels; count: number }>()
  const grouping = expr.without ? expr : { ...expr, labels: [...expr.labels, label] }
  input.labels.forEach((labels, index) => {
    const labelled = labels.withNameKept().with(label, plainForm(input.values[index] ?? Number.NaN))
    const key = groupLabels(grouping, labelled)
    const known = counts.get(key.key)
    if (known === undefined) counts.set(key.key, { labels: key, count: 1 })
    else known.count++
  })
  const result = emptyVector()
  for (const { labels, count } of counts.values()) push(result, labels, count)
  return result
}
