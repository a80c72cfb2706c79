import { parseGoDuration } from '../lib/time/index.ts'
import type { Bound, DelayDistribution, Quantity } from '../kinds/index.ts'
import type { RawBound, RawDistribution } from './raw.ts'

/** Longest duration a scenario may name: a simulated week. */
const DURATION_MS_MAX = 7 * 24 * 3_600_000

/** Milliseconds of a duration like `30s` or `1m30s`; undefined when it is none, negative or longer than a week. */
export function parseDurationMs(text: string): number | undefined {
  const ms = parseGoDuration(text)
  return ms === undefined || ms < 0 || ms > DURATION_MS_MAX ? undefined : ms
}

/** A probability written `1/2`, `0.05`, `5%` or as a number; undefined when it is none or outside [0, 1]. */
export function parseRatio(value: string | number): number | undefined {
  const quantity = typeof value === 'number' ? { value, unit: 'count' } : parseQuantity(value)
  if (quantity === undefined || !(quantity.value >= 0 && quantity.value <= 1)) return undefined
  return quantity.value
}

/** Requests per second of `20/s`, `600/m`, `3600/h` or a plain number; undefined when it is none or not positive. */
export function parseRatePerSecond(value: string | number): number | undefined {
  if (typeof value === 'number') return value > 0 && Number.isFinite(value) ? value : undefined
  const match = /^(\d+(?:\.\d+)?)\s*\/\s*(s|m|h)$/.exec(value.trim())
  if (match === null) return undefined
  const perSecond = Number(match[1]) / (match[2] === 's' ? 1 : match[2] === 'm' ? 60 : 3600)
  return perSecond > 0 ? perSecond : undefined
}

/** A number (`12`), a share (`6%`, `1/2`) or a duration in milliseconds (`1.5s`); undefined when it is none. */
export function parseQuantity(value: string | number): Quantity | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? { value, unit: 'count' } : undefined
  const text = value.trim()
  const percent = /^(-?\d+(?:\.\d+)?)\s*%$/.exec(text)
  if (percent !== null) return { value: Number(percent[1]) / 100, unit: 'share' }
  const fraction = /^(\d+)\s*\/\s*(\d+)$/.exec(text)
  if (fraction !== null) {
    const denominator = Number(fraction[2])
    return denominator === 0 ? undefined : { value: Number(fraction[1]) / denominator, unit: 'share' }
  }
  if (/^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)) return { value: Number(text), unit: 'count' }
  return undefined
}

/** Limits as the check room reads them; the schema has made sure that every part is a quantity. */
export function resolveBound(raw: RawBound): Bound {
  if (typeof raw !== 'object') {
    const is = parseQuantity(raw)
    return is === undefined ? {} : { is }
  }
  const bound: Record<string, Quantity> = {}
  for (const key of ['is', 'above', 'below', 'atLeast', 'atMost'] as const) {
    const value = raw[key]
    const quantity = value === undefined ? undefined : parseQuantity(value)
    if (quantity !== undefined) bound[key] = quantity
  }
  return bound
}

/** A distribution of delays; the schema has made sure that its parts are durations. */
export function resolveDistribution(raw: RawDistribution): DelayDistribution {
  if (typeof raw === 'string') return { kind: 'constant', ms: durationMs(raw) }
  if (raw.min !== undefined && raw.max !== undefined) {
    return { kind: 'uniform', minMs: durationMs(raw.min), maxMs: durationMs(raw.max) }
  }
  if (raw.median !== undefined) {
    return { kind: 'lognormal', medianMs: durationMs(raw.median), sigma: raw.sigma ?? 0.5 }
  }
  if (raw.stddev !== undefined) {
    return { kind: 'normal', meanMs: durationMs(raw.mean ?? '0s'), stddevMs: durationMs(raw.stddev) }
  }
  return { kind: 'exponential', meanMs: durationMs(raw.mean ?? '0s') }
}

/** Milliseconds of a duration the schema has accepted. */
export function durationMs(text: string): number {
  return parseDurationMs(text) ?? 0
}
