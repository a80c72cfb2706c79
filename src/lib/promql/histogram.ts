import type { Call } from './ast.ts'
import { quote } from './lexer.ts'
import { formatG } from './numbers.ts'
import type { EvaluationContext } from './context.ts'
import { haveSameMembers } from './aggregation.ts'
import { type Labels, METRIC_NAME } from '../tsdb/index.ts'
import { emptyVector, push, type Vector } from './vector.ts'

/** One bucket of a classic histogram: everything up to a bound. */
interface Bucket {
  readonly bound: number
  count: number
}

interface BucketGroup {
  readonly labels: Labels
  /** Ascending. */
  readonly buckets: readonly Bucket[]
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
  for (const group of groupBuckets(context, expr, input, vectorStart)) {
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
  for (const group of groupBuckets(context, expr, input, vectorStart)) {
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

/** A bucket and its place in the vector. */
interface PlacedBucket {
  readonly bound: number
  readonly place: number
}

/** What the label sets of a vector say. */
interface BucketLayout {
  readonly input: readonly Labels[]
  /** Buckets by the labels beside the bound, ascending. */
  readonly groups: readonly { readonly labels: Labels; readonly buckets: PlacedBucket[] }[]
  /** Sets without a bound. */
  readonly malformed: readonly Labels[]
}

/** The label sets are mostly those of the last evaluation: then so is what they say. */
function layoutOf(context: EvaluationContext, expr: Call, input: readonly Labels[]): BucketLayout {
  const cache = context.cacheOf<Call, BucketLayout>(expr)
  const last = cache.get(expr)
  if (last !== undefined && haveSameMembers(last.input, input)) return last
  const groups = new Map<string, { readonly labels: Labels; readonly buckets: PlacedBucket[] }>()
  const malformed: Labels[] = []
  input.forEach((labels, place) => {
    const bound = parseBound(labels.get('le'))
    if (bound === undefined) {
      malformed.push(labels)
      return
    }
    const rest = labels.without(['le'])
    let group = groups.get(rest.key)
    if (group === undefined) groups.set(rest.key, (group = { labels: rest, buckets: [] }))
    group.buckets.push({ bound, place })
  })
  for (const { buckets } of groups.values())
    buckets.sort((left, right) => (left.bound === right.bound ? 0 : left.bound - right.bound))
  const layout = { input, groups: [...groups.values()], malformed }
  cache.set(expr, layout)
  return layout
}

function groupBuckets(context: EvaluationContext, expr: Call, input: Vector, start: number): readonly BucketGroup[] {
  const { groups, malformed } = layoutOf(context, expr, input.labels)
  for (const labels of malformed) {
    const name = labels.metricName === '' ? '' : ` for metric name ${quote(labels.metricName)}`
    const text = `bucket label "le" is missing or has a malformed value of ${quote(labels.get('le'))}${name}`
    context.facts.annotations.warn(text, start)
  }
  return groups.map(({ labels, buckets }) => ({ labels, buckets: merged(buckets, input.values) }))
}

/** Buckets with their counts; those of one bound are added up. */
function merged(buckets: readonly PlacedBucket[], values: readonly number[]): readonly Bucket[] {
  const found: Bucket[] = []
  let last: Bucket | undefined
  for (const { bound, place } of buckets) {
    const count = values[place] ?? 0
    if (last?.bound === bound) last.count += count
    else found.push((last = { bound, count }))
  }
  return found
}

function parseBound(text: string): number | undefined {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return Number(text)
  if (/^\+?Inf$/i.test(text)) return Infinity
  return /^-Inf$/i.test(text) ? -Infinity : undefined
}

/** Whether the highest bucket holds everything. */
function isComplete(buckets: readonly Bucket[]): boolean {
  return buckets[buckets.length - 1]?.bound === Infinity
}

function bucketQuantile(
  phi: number,
  buckets: readonly Bucket[]
): { readonly value: number; readonly monotonicity?: Monotonicity } {
  if (Number.isNaN(phi)) return { value: Number.NaN }
  if (phi < 0 || phi > 1) return { value: phi < 0 ? -Infinity : Infinity }
  if (!isComplete(buckets)) return { value: Number.NaN }
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
  for (const bucket of buckets) {
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

function bucketFraction(lower: number, upper: number, buckets: readonly Bucket[]): number {
  const count = buckets[buckets.length - 1]?.count ?? 0
  if (!isComplete(buckets) || count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN
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
