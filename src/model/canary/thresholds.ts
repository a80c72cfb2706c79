import { formatGoDuration } from '../../lib/time/index.ts'
import type { Canary, CanaryMetric } from '../../kinds/index.ts'
import { formatGoFixed2, formatGoFloat } from './go-format.ts'
import type { Quirks } from './quirks.ts'
import { fullName } from './spec.ts'

/** Largest whole number of nanoseconds a Go duration holds, in milliseconds. */
const DURATION_MAX_MS = 9_223_372_036_854.775

/** The text of a failed bound, or undefined when the value is within its bounds (which are inclusive). */
export function successRateViolation(canary: Canary, metric: CanaryMetric, value: number): string | undefined {
  const shown = `${formatGoFixed2(value)}%`
  const range = metric.thresholdRange
  if (range === undefined) {
    const threshold = metric.threshold ?? 0
    return threshold > value ? halt(canary, `success rate ${shown} < ${formatGoFloat(threshold)}%`) : undefined
  }
  if (range.min !== undefined && value < range.min)
    return halt(canary, `success rate ${shown} < ${formatGoFloat(range.min)}%`)
  if (range.max !== undefined && value > range.max)
    return halt(canary, `success rate ${shown} > ${formatGoFloat(range.max)}%`)
  return undefined
}

/** The same for a request duration in milliseconds. */
export function durationViolation(
  canary: Canary,
  metric: CanaryMetric,
  valueMs: number,
  quirks: Quirks
): string | undefined {
  const bound = (ms: number): number => (quirks['duration-bounds-are-truncated'] ? Math.trunc(ms) : ms)
  const range = metric.thresholdRange ?? { max: metric.threshold ?? 0 }
  const text = (sign: string, boundMs: number): string =>
    halt(canary, `request duration ${formatGoDuration(valueMs)} ${sign} ${formatGoDuration(boundMs)}`)
  if (range.min !== undefined && valueMs < bound(range.min)) return text('<', bound(range.min))
  if (range.max !== undefined && valueMs > bound(range.max)) return text('>', bound(range.max))
  return undefined
}

/** The same for inline queries and templates. */
export function metricViolation(canary: Canary, metric: CanaryMetric, value: number): string | undefined {
  const range = metric.thresholdRange ?? { max: metric.threshold ?? 0 }
  const text = (sign: string, bound: number): string =>
    halt(canary, `${metric.name} ${formatGoFixed2(value)} ${sign} ${formatGoFloat(bound)}`)
  if (range.min !== undefined && value < range.min) return text('<', range.min)
  if (range.max !== undefined && value > range.max) return text('>', range.max)
  return undefined
}

/** A query's value as a duration: whole milliseconds; what does not fit overflows as on amd64. */
export function durationOf(value: number, unitMs: number, quirks: Quirks): number {
  const ms = Math.trunc(value * unitMs)
  if (Math.abs(ms) <= DURATION_MAX_MS) return ms === 0 ? 0 : ms
  // The conversion gives the smallest int64; times a million nanoseconds that is 0.
  return quirks['infinite-duration-passes'] ? 0 : Math.sign(ms) * Math.trunc(DURATION_MAX_MS)
}

function halt(canary: Canary, what: string): string {
  return `Halt ${fullName(canary)} advancement ${what}`
}
