import type { DelayDistribution } from '../../kinds/index.ts'
import type { Random } from '../../lib/random/index.ts'
import { binomial } from './draws.ts'

/** Upper bounds of the proxy's latency histogram, milliseconds. @see linkerd2-proxy v2.366.0 linkerd/metrics/src/latency.rs */
export const BOUNDS_MS: readonly number[] = [
  1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 1000, 2000, 3000, 4000, 5000, 10_000, 20_000, 30_000,
  40_000, 50_000
]

/** Service time of a request where a behaviour names none. @see model/app */
export const DEFAULT_LATENCY: DelayDistribution = { kind: 'lognormal', medianMs: 0.8, sigma: 0.35 }

/** Chances below this are not kept. */
const CHANCE_LEAST = 1e-12

/** Points that stand for a distribution that is added to another. */
const POINTS = 12

/** Standard normal distribution function (Abramowitz and Stegun 7.1.26, error below 1.5e-7). */
function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  const tail = poly * Math.exp(-x * x)
  return z >= 0 ? 1 - tail / 2 : tail / 2
}

/** Standard normal quantile (Acklam's rational approximation, central part and tails). */
function normalQuantile(p: number): number {
  if (p < 0.02425 || p > 0.97575) {
    const q = Math.sqrt(-2 * Math.log(Math.min(p, 1 - p)))
    const tail =
      (((((-0.007784894002430293 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) * q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((0.007784695709041462 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) * q + 1)
    return p < 0.5 ? tail : -tail
  }
  const q = p - 0.5
  const r = q * q
  const top =
    ((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
      30.66479806614716) *
      r +
    2.506628277459239
  const bottom =
    ((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
      13.28068155288572) *
      r +
    1
  return (top * q) / bottom
}

/** Chance that a delay is below `x` milliseconds. Delays are never below 0. */
function delayCdf(delay: DelayDistribution, x: number): number {
  if (x < 0) return 0
  switch (delay.kind) {
    case 'constant':
      return Math.max(0, delay.ms) < x ? 1 : 0
    case 'uniform':
      if (delay.maxMs <= delay.minMs) return delay.minMs < x ? 1 : 0
      return Math.min(1, Math.max(0, (x - delay.minMs) / (delay.maxMs - delay.minMs)))
    case 'exponential':
      return 1 - Math.exp(-x / delay.meanMs)
    case 'normal':
      return delay.stddevMs > 0 ? normalCdf((x - delay.meanMs) / delay.stddevMs) : delay.meanMs < x ? 1 : 0
    case 'lognormal':
      return x === 0 ? 0 : normalCdf(Math.log(x / delay.medianMs) / delay.sigma)
  }
}

/** Value that a delay stays below with that chance. */
function delayQuantile(delay: DelayDistribution, p: number): number {
  switch (delay.kind) {
    case 'constant':
      return Math.max(0, delay.ms)
    case 'uniform':
      return Math.max(0, delay.minMs + (delay.maxMs - delay.minMs) * p)
    case 'exponential':
      return -delay.meanMs * Math.log(1 - p)
    case 'normal':
      return Math.max(0, delay.meanMs + delay.stddevMs * normalQuantile(p))
    case 'lognormal':
      return delay.medianMs * Math.exp(delay.sigma * normalQuantile(p))
  }
}

/** Offsets that stand for the sum of some delays, each equally likely. */
function offsetsOf(delays: readonly DelayDistribution[], shiftMs: number): readonly number[] {
  let offsets: readonly number[] = [shiftMs]
  for (const delay of delays) {
    const points = delay.kind === 'constant' ? 1 : POINTS
    const values = Array.from({ length: points }, (_none, index) => delayQuantile(delay, (index + 0.5) / points))
    offsets = offsets.flatMap((offset) => values.map((value) => offset + value))
  }
  return offsets
}

interface Bucket {
  /** Index of the bound; BOUNDS_MS.length: above the last one. */
  readonly index: number
  readonly chance: number
  /** Mean of the whole milliseconds in it. */
  readonly meanMs: number
}

/** A drawn batch of latencies. */
export interface LatencyBatch {
  /** Observations per bucket (not cumulative), by index of the bound; the last is above all bounds. */
  readonly counts: readonly (readonly [index: number, count: number])[]
  /** Sum of whole milliseconds. */
  readonly sumMs: number
}

/** How long requests of one kind take: their chances per histogram bucket. */
export class Latency {
  readonly meanMs: number
  readonly #cdf: (x: number) => number
  readonly #buckets: readonly Bucket[]
  #askedMs = Number.NaN
  #askedTail = 0

  /**
   * @param base - service time
   * @param delays - added to it, each independent of the others
   * @param shiftMs - added to every request
   */
  constructor(base: DelayDistribution, delays: readonly DelayDistribution[], shiftMs = 0) {
    const offsets = offsetsOf(delays, shiftMs)
    const cdf = (x: number): number =>
      offsets.reduce((sum, offset) => sum + delayCdf(base, x - offset), 0) / offsets.length
    this.#cdf = cdf
    this.#buckets = bucketsOf(cdf)
    this.meanMs = this.#buckets.reduce((sum, { chance, meanMs }) => sum + chance * meanMs, 0) + 0.5
  }

  /** Chance of taking longer than that. */
  tail(ms: number): number {
    // The same limit is asked about again and again.
    if (ms !== this.#askedMs) {
      const chance = 1 - this.#cdf(ms)
      this.#askedMs = ms
      this.#askedTail = chance < CHANCE_LEAST ? 0 : chance
    }
    return this.#askedTail
  }

  /** Draws `count` latencies. */
  draw(random: Random, count: number): LatencyBatch {
    const counts: [number, number][] = []
    let left = count
    let rest = 1
    let sumMs = 0
    const last = this.#buckets.length - 1
    for (let position = 0; position <= last && left > 0; position++) {
      const bucket = this.#buckets[position]
      if (bucket === undefined) break
      const drawn = position === last ? left : binomial(random, left, Math.min(1, bucket.chance / rest))
      rest -= bucket.chance
      left -= drawn
      if (drawn === 0) continue
      counts.push([bucket.index, drawn])
      sumMs += Math.round(drawn * bucket.meanMs)
    }
    return { counts, sumMs }
  }
}

/** Whole milliseconds are counted, truncated: up to bound b means below b + 1. */
function bucketsOf(cdf: (x: number) => number): readonly Bucket[] {
  const buckets: Bucket[] = []
  let below = 0
  let lower = 0
  for (let index = 0; index <= BOUNDS_MS.length; index++) {
    const upper = (BOUNDS_MS[index] ?? 100_000) + 1
    const reached = index === BOUNDS_MS.length ? 1 : cdf(upper)
    const chance = reached - below
    if (chance > CHANCE_LEAST) buckets.push({ index, chance, meanMs: meanWithin(cdf, { lower, upper, below, chance }) })
    below = reached
    lower = upper
    if (below >= 1 - CHANCE_LEAST) break
  }
  return buckets.toSorted((a, b) => b.chance - a.chance)
}

/** Parts that a wide bucket is looked at in. */
const PARTS = 8

function meanWithin(
  cdf: (x: number) => number,
  bucket: { readonly lower: number; readonly upper: number; readonly below: number; readonly chance: number }
): number {
  const { lower, upper, below, chance } = bucket
  const step = Math.max(1, (upper - lower) / PARTS)
  let sum = 0
  let before = below
  for (let from = lower; from < upper; from += step) {
    const to = Math.min(upper, from + step)
    const reached = to === upper ? below + chance : cdf(to)
    sum += (reached - before) * (step === 1 ? from : Math.floor((from + to) / 2))
    before = reached
  }
  return sum / chance
}

/** One observation of that many milliseconds. */
export function singleLatency(ms: number, count = 1): LatencyBatch {
  const whole = Math.max(0, Math.floor(ms))
  const index = BOUNDS_MS.findIndex((bound) => whole <= bound)
  return { counts: [[index < 0 ? BOUNDS_MS.length : index, count]], sumMs: whole * count }
}
