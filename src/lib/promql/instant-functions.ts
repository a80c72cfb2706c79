import { compareLabels, compileRegexp, type Labels, METRIC_NAME } from '../tsdb/index.ts'
import type { EvaluationContext } from './context.ts'
import { civilOf } from './histogram.ts'
import { compareForSort } from './numbers.ts'
import { emptyVector, push, type Vector } from './vector.ts'

const LEGACY_LABEL = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Functions of each element's value alone; the name goes. */
export const VALUE_FUNCTIONS: ReadonlyMap<string, (value: number) => number> = new Map<
  string,
  (value: number) => number
>([
  ['abs', Math.abs],
  ['acos', Math.acos],
  ['acosh', Math.acosh],
  ['asin', Math.asin],
  ['asinh', Math.asinh],
  ['atan', Math.atan],
  ['atanh', Math.atanh],
  ['ceil', Math.ceil],
  ['cos', Math.cos],
  ['cosh', Math.cosh],
  ['deg', (value) => (value * 180) / Math.PI],
  ['exp', Math.exp],
  ['floor', Math.floor],
  ['ln', Math.log],
  ['log10', Math.log10],
  ['log2', Math.log2],
  ['rad', (value) => (value * Math.PI) / 180],
  ['sgn', (value) => (value < 0 ? -1 : value > 0 ? 1 : value)],
  ['sin', Math.sin],
  ['sinh', Math.sinh],
  ['sqrt', Math.sqrt],
  ['tan', Math.tan],
  ['tanh', Math.tanh]
])

/** Parts of the calendar (UTC) of a value in seconds since the epoch. */
export const CALENDAR_FUNCTIONS: ReadonlyMap<string, (seconds: number) => number> = new Map<
  string,
  (seconds: number) => number
>([
  ['minute', (seconds) => civil(seconds).minute],
  ['hour', (seconds) => civil(seconds).hour],
  ['day_of_week', (seconds) => civil(seconds).weekday],
  ['day_of_month', (seconds) => civil(seconds).day],
  ['day_of_year', (seconds) => dayOfYear(seconds)],
  ['days_in_month', (seconds) => daysInMonth(seconds)],
  ['month', (seconds) => civil(seconds).month],
  ['year', (seconds) => civil(seconds).year]
])

function civil(seconds: number): ReturnType<typeof civilOf> {
  return civilOf(Math.trunc(seconds) * 1000)
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

function daysInMonth(seconds: number): number {
  const { year, month } = civil(seconds)
  if (month === 2) return isLeap(year) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function dayOfYear(seconds: number): number {
  const { year, month, day } = civil(seconds)
  const before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1] ?? 0
  return before + day + (month > 2 && isLeap(year) ? 1 : 0)
}

/** Each element's value through a function. */
export function mapValues(context: EvaluationContext, input: Vector, change: (value: number) => number): Vector {
  const result = emptyVector()
  for (let index = 0; index < input.labels.length; index++) {
    const labels = input.labels[index]
    if (labels !== undefined) push(result, context.dropName(labels), change(input.values[index] ?? Number.NaN))
  }
  return result
}

/** `clamp` and its one-sided forms. */
export function clampValues(context: EvaluationContext, input: Vector, lowest: number, highest: number): Vector {
  if (highest < lowest) return emptyVector()
  return mapValues(context, input, (value) => Math.max(lowest, Math.min(highest, value)))
}

/** `round` to a multiple, halves up. */
export function roundTo(nearest: number): (value: number) => number {
  const inverse = 1 / nearest
  return (value) => Math.floor(value * inverse + 0.5) / inverse
}

/** `sort` and `sort_desc`: NaN last either way. */
export function sortByValue(input: Vector, descending: boolean): Vector {
  const order = input.values.map((_, index) => index)
  const value = (index: number): number => input.values[index] ?? Number.NaN
  order.sort((left, right) => {
    const leftNaN = Number.isNaN(value(left))
    const rightNaN = Number.isNaN(value(right))
    if (leftNaN || rightNaN) return Number(leftNaN) - Number(rightNaN)
    const compared = compareForSort(value(left), value(right))
    return descending ? -compared : compared
  })
  return reorder(input, order)
}

/** `sort_by_label` and `sort_by_label_desc`: natural order of the label values, then the whole set. */
export function sortByLabel(input: Vector, names: readonly string[], descending: boolean): Vector {
  const order = input.labels.map((_, index) => index)
  order.sort((left, right) => {
    const compared = compareByLabels(input.labels[left], input.labels[right], names)
    return descending ? -compared : compared
  })
  return reorder(input, order)
}

function compareByLabels(left: Labels | undefined, right: Labels | undefined, names: readonly string[]): number {
  if (left === undefined || right === undefined) return 0
  for (const name of names) {
    const compared = naturalOrder(left.get(name), right.get(name))
    if (compared !== 0) return compared
  }
  return compareLabels(left, right)
}

/** Digits compare as numbers, the rest as text. */
function naturalOrder(left: string, right: string): number {
  const leftParts = left.match(/\d+|\D+/g) ?? []
  const rightParts = right.match(/\d+|\D+/g) ?? []
  for (let index = 0; index < Math.min(leftParts.length, rightParts.length); index++) {
    const one = leftParts[index] ?? ''
    const other = rightParts[index] ?? ''
    if (one === other) continue
    const bothNumbers = /^\d/.test(one) && /^\d/.test(other)
    if (bothNumbers && Number(one) !== Number(other)) return Number(one) - Number(other)
    return one < other ? -1 : 1
  }
  return leftParts.length - rightParts.length
}

function reorder(input: Vector, order: readonly number[]): Vector {
  const result = emptyVector()
  for (const index of order) {
    const labels = input.labels[index]
    if (labels !== undefined) push(result, labels, input.values[index] ?? Number.NaN)
  }
  return result
}

function validLabel(context: EvaluationContext, name: string): boolean {
  return context.facts.version === 'v3' ? name !== '' && !name.includes('\uFFFD') : LEGACY_LABEL.test(name)
}

/** `label_replace`. @see promql/functions.go, v2.55.1 */
export function labelReplace(context: EvaluationContext, input: Vector, texts: readonly string[]): Vector {
  const [target = '', replacement = '', source = '', pattern = ''] = texts
  const outcome = compileRegexp(pattern)
  if (!outcome.ok) return context.fail(`invalid regular expression in label_replace(): ${pattern}`)
  if (!validLabel(context, target)) context.fail(`invalid destination label name in label_replace(): ${target}`)
  const result = emptyVector()
  input.labels.forEach((labels, index) => {
    const match = outcome.regexp.exec(labels.get(source))
    const made = match === null ? labels : setLabel(labels, target, expandTemplate(replacement, match))
    push(result, made, input.values[index] ?? Number.NaN)
  })
  return result
}

/** `label_join`. */
export function labelJoin(context: EvaluationContext, input: Vector, texts: readonly string[]): Vector {
  const [target = '', separator = '', ...sources] = texts
  for (const source of sources) {
    if (!validLabel(context, source)) context.fail(`invalid source label name in label_join(): ${source}`)
  }
  if (!validLabel(context, target)) context.fail(`invalid destination label name in label_join(): ${target}`)
  const result = emptyVector()
  input.labels.forEach((labels, index) => {
    const joined = sources.map((source) => labels.get(source)).join(separator)
    push(result, setLabel(labels, target, joined), input.values[index] ?? Number.NaN)
  })
  return result
}

/** A name that is set on purpose stays. */
function setLabel(labels: Labels, name: string, value: string): Labels {
  const made = labels.with(name, value)
  return name === METRIC_NAME ? made.withNameKept() : made
}

/** Go's template of a replacement: `$1`, `${name}`, `$$`. @see Go regexp.Expand */
function expandTemplate(template: string, match: RegExpExecArray): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (whole, braced?: string, plain?: string) => {
    if (whole === '$$') return '$'
    const name = braced ?? plain ?? ''
    return /^\d+$/.test(name) ? (match[Number(name)] ?? '') : (match.groups?.[name] ?? '')
  })
}
