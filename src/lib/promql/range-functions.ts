import { compareForSort, KahanMean, KahanSum, quantileOf } from './numbers.ts'
import type { Window } from './window.ts'

/** A function of one series' window: its value, or undefined for no element. */
export type RangeFunction = (window: Window, parameters: readonly number[]) => number | undefined

function timeAt(window: Window, row: number): number {
  return window.rows.times[row] ?? Number.NaN
}

function valueAt(window: Window, row: number): number {
  const { values, width } = window.rows
  return values[row * width + window.column] ?? Number.NaN
}

function each(window: Window, visit: (value: number) => void): void {
  for (let row = window.rows.from; row < window.rows.to; row++) visit(valueAt(window, row))
}

/** Increase of a counter over the window's samples, resets added up. */
function counterIncrease({ rows, column }: Window): number {
  const { values, width, from, to } = rows
  const end = to * width + column
  let previous = values[from * width + column] ?? Number.NaN
  let result = (values[end - width] ?? Number.NaN) - previous
  for (let place = (from + 1) * width + column; place < end; place += width) {
    const value = values[place] ?? Number.NaN
    if (value < previous) result += previous
    previous = value
  }
  return result
}

/**
 * The change over the window, extrapolated to its edges; a counter is not extrapolated below zero.
 * @see Prometheus promql/functions.go extrapolatedRate, v2.55.1
 */
function extrapolated(window: Window, isCounter: boolean, isRate: boolean): number | undefined {
  const { rows, startMs, endMs } = window
  const { from, to } = rows
  const gaps = to - from - 1
  if (gaps < 1) return undefined
  const first = timeAt(window, from)
  const last = timeAt(window, to - 1)
  const change = isCounter ? counterIncrease(window) : valueAt(window, to - 1) - valueAt(window, from)
  let toStart = (first - startMs) / 1000
  let toEnd = (endMs - last) / 1000
  const span = (last - first) / 1000
  const average = span / gaps
  const threshold = average * 1.1
  if (toStart >= threshold) toStart = average / 2
  if (isCounter && change > 0) {
    const value = valueAt(window, from)
    const toZero = span * (value / change)
    if (value >= 0 && toZero < toStart) toStart = toZero
  }
  if (toEnd >= threshold) toEnd = average / 2
  let factor = (span + toStart + toEnd) / span
  if (isRate) factor /= (endMs - startMs) / 1000
  return change * factor
}

function instantChange(window: Window, isRate: boolean): number | undefined {
  const { from, to } = window.rows
  if (to - from < 2) return undefined
  const last = valueAt(window, to - 1)
  const previous = valueAt(window, to - 2)
  const seconds = (timeAt(window, to - 1) - timeAt(window, to - 2)) / 1000
  if (seconds === 0) return undefined
  const change = isRate && last < previous ? last : last - previous
  return isRate ? change / seconds : change
}

/** Least squares through the window. @see promql/functions.go linearRegression, v2.55.1 */
function regression(window: Window, interceptMs: number): { slope: number; intercept: number } {
  const { from, to } = window.rows
  const sumX = new KahanSum()
  const sumY = new KahanSum()
  const sumXY = new KahanSum()
  const sumX2 = new KahanSum()
  const first = valueAt(window, from)
  let constant = true
  for (let index = from; index < to; index++) {
    const x = (timeAt(window, index) - interceptMs) / 1000
    const y = valueAt(window, index)
    if (y !== first) constant = false
    sumX.add(x)
    sumY.add(y)
    sumXY.add(x * y)
    sumX2.add(x * x)
  }
  if (constant) {
    return Number.isFinite(first) ? { slope: 0, intercept: first } : { slope: Number.NaN, intercept: Number.NaN }
  }
  const count = to - from
  const covariance = sumXY.value - (sumX.value * sumY.value) / count
  const variance = sumX2.value - (sumX.value * sumX.value) / count
  const slope = covariance / variance
  return { slope, intercept: sumY.value / count - (slope * sumX.value) / count }
}

function smoothed(window: Window, parameters: readonly number[]): number | undefined {
  const { from, to } = window.rows
  const smoothing = parameters[0] ?? 0
  const trendFactor = parameters[1] ?? 0
  if (to - from < 2) return undefined
  let level = valueAt(window, from)
  let previousLevel = 0
  let trend = valueAt(window, from + 1) - valueAt(window, from)
  for (let index = from + 1; index < to; index++) {
    const scaled = smoothing * valueAt(window, index)
    if (index > from + 1) trend = trendFactor * (level - previousLevel) + (1 - trendFactor) * trend
    previousLevel = level
    level = scaled + (1 - smoothing) * (level + trend)
  }
  return level
}

function extreme(window: Window, better: (left: number, right: number) => boolean): number {
  let best = valueAt(window, window.rows.from)
  each(window, (value) => {
    if (better(value, best) || Number.isNaN(best)) best = value
  })
  return best
}

function extremeTime(window: Window, better: (left: number, right: number) => boolean): number {
  let best = window.rows.from
  for (let index = window.rows.from + 1; index < window.rows.to; index++) {
    const value = valueAt(window, index)
    const current = valueAt(window, best)
    if (better(value, current) || Number.isNaN(current)) best = index
  }
  return timeAt(window, best) / 1000
}

function variance(window: Window): number {
  let count = 0
  const mean = new KahanSum()
  const spread = new KahanSum()
  each(window, (value) => {
    count++
    const delta = value - (mean.sum + mean.compensation)
    mean.add(delta / count)
    spread.add(delta * (value - (mean.sum + mean.compensation)))
  })
  return (spread.sum + spread.compensation) / count
}

function countWhere(window: Window, differs: (value: number, previous: number) => boolean): number {
  let count = 0
  for (let index = window.rows.from + 1; index < window.rows.to; index++) {
    if (differs(valueAt(window, index), valueAt(window, index - 1))) count++
  }
  return count
}

function listOf(window: Window): number[] {
  const list: number[] = []
  each(window, (value) => list.push(value))
  return list
}

function medianDeviation(window: Window): number {
  const values = listOf(window)
  const median = quantileOf(0.5, values)
  return quantileOf(0.5, values.map((value) => Math.abs(value - median)).sort(compareForSort))
}

function sum(window: Window): number {
  const kahan = new KahanSum()
  each(window, (value) => kahan.add(value))
  return kahan.value
}

function mean(window: Window): number {
  const kahan = new KahanMean()
  each(window, (value) => kahan.add(value))
  return kahan.value
}

/** Functions of a range vector, by name. The window is never empty. */
export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map<string, RangeFunction>([
  ['rate', (window) => extrapolated(window, true, true)],
  ['increase', (window) => extrapolated(window, true, false)],
  ['delta', (window) => extrapolated(window, false, false)],
  ['irate', (window) => instantChange(window, true)],
  ['idelta', (window) => instantChange(window, false)],
  ['sum_over_time', sum],
  ['avg_over_time', mean],
  ['count_over_time', (window) => window.rows.to - window.rows.from],
  ['last_over_time', (window) => valueAt(window, window.rows.to - 1)],
  ['first_over_time', (window) => valueAt(window, window.rows.from)],
  ['present_over_time', () => 1],
  ['absent_over_time', () => 1],
  ['max_over_time', (window) => extreme(window, (left, right) => left > right)],
  ['min_over_time', (window) => extreme(window, (left, right) => left < right)],
  ['ts_of_max_over_time', (window) => extremeTime(window, (left, right) => left >= right)],
  ['ts_of_min_over_time', (window) => extremeTime(window, (left, right) => left <= right)],
  ['ts_of_first_over_time', (window) => timeAt(window, window.rows.from) / 1000],
  ['ts_of_last_over_time', (window) => timeAt(window, window.rows.to - 1) / 1000],
  ['stdvar_over_time', variance],
  ['stddev_over_time', (window) => Math.sqrt(variance(window))],
  ['mad_over_time', medianDeviation],
  ['quantile_over_time', (window, parameters) => quantileOf(parameters[0] ?? Number.NaN, listOf(window))],
  [
    'changes',
    (window) =>
      countWhere(window, (value, before) => value !== before && !(Number.isNaN(value) && Number.isNaN(before)))
  ],
  ['resets', (window) => countWhere(window, (value, before) => value < before)],
  [
    'deriv',
    (window) =>
      window.rows.to - window.rows.from < 2 ? undefined : regression(window, timeAt(window, window.rows.from)).slope
  ],
  [
    'predict_linear',
    (window, parameters) => {
      if (window.rows.to - window.rows.from < 2) return undefined
      const { slope, intercept } = regression(window, window.evaluationMs)
      return slope * (parameters[0] ?? 0) + intercept
    }
  ],
  ['holt_winters', smoothed],
  ['double_exponential_smoothing', smoothed]
])
