import type { Call } from './ast.ts'
import { quote } from './lexer.ts'
import { formatG } from './numbers.ts'
import type { EvaluationContext } from './context.ts'
import { type Labels, METRIC_NAME } from '../tsdb/index.ts'
import { emptyVector, push, type Vector } from './vector.ts'

/** One bucket of a classic histogram: everything up to a bound. */
interface Bucket {
  readonly bound: number
  count: number
}

interface BucketGroup {
  readonly labels: Labels
  readonly buckets: Bucket[]
}

interface Monotonicity {
  forced: boolean
  minBound: number
  maxBound: number
  maxDifference: number
}

/** Relative difference between buckets that is taken for float noise. */
const SMALL_DELTA = 1e-12
const FORCED_TEXT =
  'input to histogram_quantile needed to be fixed for monotonicity ' +
  '(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)'

/** `histogram_quantile` over classic buckets. @see promql/quantile.go, v2.55.1 */
export function histogramQuantile(context: EvaluationContext, expr: Call, phi: number, input: Vector): Vector {
  const result = emptyVector()
  const [phiStart = 0, vectorStart = 0] = expr.args.map((argument) => argument.start)
  if (!(phi >= 0 && phi <= 1)) {
    context.facts.annotations.warn(`quantile value should be between 0 and 1, got ${formatG(phi)}`, phiStart)
  }
  for (const group of groupBuckets(context, input, vectorStart)) {
    const { value, monotonicity } = bucketQuantile(phi, group.buckets)
    if (monotonicity?.forced === true) reportForced(context, group, monotonicity, vectorStart)
    push(result, context.dropName(group.labels), value)
  }
  return result
}

/** `histogram_fraction` over classic buckets (3.x). @see promql/quantile.go BucketFraction, v3.14.0 */
export function histogramFraction(
  context: EvaluationContext,
  expr: Call,
  range: { readonly lower: number; readonly upper: number },
  input: Vector
): Vector {
  const result = emptyVector()
  const vectorStart = expr.args[2]?.start ?? expr.start
  if (context.facts.version === 'v2') return result
  for (const group of groupBuckets(context, input, vectorStart)) {
    push(result, context.dropName(group.labels), bucketFraction(range.lower, range.upper, group.buckets))
  }
  return result
}

function reportForced(context: EvaluationContext, group: BucketGroup, found: Monotonicity, start: number): void {
  const name = group.labels.metricName
  const shown =
    name !== '' && (context.facts.version === 'v2' || context.facts.delayedNameRemoval)
      ? ` for metric name ${quote(name)}`
      : ''
  if (context.facts.version === 'v2') {
    context.facts.annotations.info(FORCED_TEXT + shown, start)
    return
  }
  const time = formatTime(context.evaluationMs)
  const bounds = `from buckets ${formatG(found.minBound)} to ${formatG(found.maxBound)}`
  const difference = `with a max diff of ${formatG(Number(found.maxDifference.toPrecision(2)))}`
  context.facts.annotations.info(
    `${FORCED_TEXT}${shown}, ${bounds}, ${difference}, over 1 samples from ${time} to ${time}`,
    start
  )
}

function formatTime(ms: number): string {
  const { year, month, day, hour, minute } = civilOf(ms)
  const second = Math.floor(ms / 1000) - Math.floor(ms / 60_000) * 60
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`
}

/** Calendar parts in UTC of an instant in ms. */
export function civilOf(ms: number): {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  weekday: number
} {
  const days = Math.floor(ms / 86_400_000)
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const minutes = Math.floor((ms - days * 86_400_000) / 60_000)
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
    hour: Math.floor(minutes / 60),
    minute: minutes % 60,
    weekday: (((days + 4) % 7) + 7) % 7
  }
}

/** What the label set of a bucket says. */
interface BucketLabels {
  /** The labels beside the bound. */
  readonly rest: Labels
  /** Undefined: malformed. */
  readonly bound: number | undefined
}

/** Label sets do not change: what they say is read once. */
const bucketLabels = new WeakMap<Labels, BucketLabels>()

function bucketLabelsOf(labels: Labels): BucketLabels {
  let known = bucketLabels.get(labels)
  if (known === undefined) {
    known = { rest: labels.without(['le']), bound: parseBound(labels.get('le')) }
    bucketLabels.set(labels, known)
  }
  return known
}

function groupBuckets(context: EvaluationContext, input: Vector, start: number): Iterable<BucketGroup> {
  const groups = new Map<string, BucketGroup>()
  for (let index = 0; index < input.labels.length; index++) {
    const labels = input.labels[index]
    if (labels === undefined) continue
    const { rest, bound } = bucketLabelsOf(labels)
    if (bound === undefined) {
      const name = labels.metricName === '' ? '' : ` for metric name ${quote(labels.metricName)}`
      const text = `bucket label "le" is missing or has a malformed value of ${quote(labels.get('le'))}${name}`
      context.facts.annotations.warn(text, start)
      continue
    }
    let group = groups.get(rest.key)
    if (group === undefined) groups.set(rest.key, (group = { labels: rest, buckets: [] }))
    group.buckets.push({ bound, count: input.values[index] ?? 0 })
  }
  return groups.values()
}

function parseBound(text: string): number | undefined {
  if (/^\+?Inf$/i.test(text)) return Infinity
  if (/^-Inf$/i.test(text)) return -Infinity
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined
  return Number(text)
}

/** Sorts by bound and adds up buckets of one bound, in place; undefined without a `+Inf` bucket. */
function prepare(buckets: Bucket[]): Bucket[] | undefined {
  const sorted = buckets.sort((left, right) => (left.bound === right.bound ? 0 : left.bound - right.bound))
  if (sorted[sorted.length - 1]?.bound !== Infinity) return undefined
  const merged: Bucket[] = []
  for (const bucket of sorted) {
    const last = merged[merged.length - 1]
    if (last !== undefined && last.bound === bucket.bound) last.count += bucket.count
    else merged.push(bucket)
  }
  return merged
}

function bucketQuantile(phi: number, unsorted: Bucket[]): { value: number; monotonicity?: Monotonicity } {
  if (Number.isNaN(phi)) return { value: Number.NaN }
  if (phi < 0 || phi > 1) return { value: phi < 0 ? -Infinity : Infinity }
  const buckets = prepare(unsorted)
  if (buckets === undefined) return { value: Number.NaN }
  const monotonicity = ensureMonotonic(buckets)
  return { value: interpolate(phi, buckets), monotonicity }
}

function interpolate(phi: number, buckets: readonly Bucket[]): number {
  const last = buckets.length - 1
  const observations = buckets[last]?.count ?? 0
  if (buckets.length < 2 || observations === 0) return Number.NaN
  const rank = phi * observations
  let chosen = 0
  let high = last
  while (chosen < high) {
    const middle = (chosen + high) >>> 1
    if ((buckets[middle]?.count ?? 0) >= rank) high = middle
    else chosen = middle + 1
  }
  const bucket = buckets[chosen]
  const before = buckets[chosen - 1]
  if (chosen === last) return before?.bound ?? Number.NaN
  if (bucket === undefined) return Number.NaN
  if (before === undefined) return bucket.bound <= 0 ? bucket.bound : bucket.bound * (rank / bucket.count)
  const share = (rank - before.count) / (bucket.count - before.count)
  return before.bound + (bucket.bound - before.bound) * share
}

function almostEqual(left: number, right: number): boolean {
  const difference = Math.abs(left - right)
  const sum = Math.abs(left) + Math.abs(right)
  if (left === 0 || right === 0 || sum < 2.2250738585072014e-308)
    return difference < SMALL_DELTA * 2.2250738585072014e-308
  return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA
}

function ensureMonotonic(buckets: readonly Bucket[]): Monotonicity {
  const found: Monotonicity = { forced: false, minBound: Infinity, maxBound: -Infinity, maxDifference: 0 }
  let previous = buckets[0]?.count ?? 0
  for (const bucket of buckets.slice(1)) {
    const current = bucket.count
    if (current === previous) continue
    if (almostEqual(previous, current)) bucket.count = previous
    else if (current < previous) {
      bucket.count = previous
      found.forced = true
      found.minBound = Math.min(found.minBound, bucket.bound)
      found.maxBound = Math.max(found.maxBound, bucket.bound)
      found.maxDifference = Math.max(found.maxDifference, previous - current)
    } else previous = current
  }
  return found
}

function bucketFraction(lower: number, upper: number, unsorted: Bucket[]): number {
  const buckets = prepare(unsorted)
  const count = buckets?.[buckets.length - 1]?.count ?? 0
  if (buckets === undefined || count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN
  if (lower >= upper) return 0
  return (rankAt(upper, buckets, count) - rankAt(lower, buckets, count)) / count
}

/** Estimated number of observations up to a value. */
function rankAt(value: number, buckets: readonly Bucket[], count: number): number {
  let rank = 0
  let lowerBound = (buckets[0]?.bound ?? 0) <= 0 ? -Infinity : 0
  for (const bucket of buckets) {
    if (lowerBound >= value) return Math.min(rank, count)
    if (lowerBound < value && bucket.bound > value) {
      if (lowerBound === -Infinity) return Math.min(bucket.count, count)
      const share = (value - lowerBound) / (bucket.bound - lowerBound)
      return Math.min(rank + (bucket.count - rank) * share, count)
    }
    rank = bucket.count
    lowerBound = bucket.bound
  }
  return count
}

/** Labels a query names by equality, as `absent` gives them to its result. */
export function labelsForAbsent(
  matchers: readonly { name: string; operator: string; value: string }[]
): [string, string][] {
  const seen = new Set<string>()
  const kept = new Map<string, string>()
  for (const matcher of matchers) {
    if (matcher.name === METRIC_NAME) continue
    if (matcher.operator === '=' && !seen.has(matcher.name)) kept.set(matcher.name, matcher.value)
    else kept.delete(matcher.name)
    if (matcher.operator === '=') seen.add(matcher.name)
  }
  return [...kept]
}
