import type { Random } from '../../lib/random/index.ts'

/** Below this mean the number is found by walking up from 0, above it by rejection. */
const WALK_MAX = 10

/** log(k!) by Stirling's series, exact to 1e-10 from 10 on. */
function stirling(k: number): number {
  if (k < 10) {
    let sum = 0
    for (let factor = 2; factor <= k; factor++) sum += Math.log(factor)
    return sum
  }
  const x = k + 1
  return (x - 0.5) * Math.log(x) - x + 0.9189385332046727 + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5)
}

/** log(k!) of the small numbers that most draws ask about. */
const LOG_FACTORIALS: readonly number[] = Array.from({ length: 256 }, (_none, k) => stirling(k))

function logFactorial(k: number): number {
  return LOG_FACTORIALS[k] ?? stirling(k)
}

/**
 * A Poisson number: exact at any mean, at a cost that does not grow with it.
 * @see Hörmann, The transformed rejection method for generating Poisson random variables (PTRS), 1993
 */
export function poisson(random: Random, mean: number): number {
  if (!(mean > 0)) return 0
  if (mean < WALK_MAX) {
    let product = random.next()
    const limit = Math.exp(-mean)
    let count = 0
    for (; product > limit; count++) product *= random.next()
    return count
  }
  const root = Math.sqrt(mean)
  const b = 0.931 + 2.53 * root
  const a = -0.059 + 0.02483 * b
  const inverse = 1.1239 + 1.1328 / (b - 3.4)
  const squeeze = 0.9277 - 3.6224 / (b - 2)
  for (;;) {
    const u = random.next() - 0.5
    const v = random.next()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43)
    if (us >= 0.07 && v <= squeeze) return k
    if (k < 0 || (us < 0.013 && v > us)) continue
    const accept = -mean + k * Math.log(mean) - logFactorial(k)
    if (Math.log(v) + Math.log(inverse) - Math.log(a / (us * us) + b) <= accept) return k
  }
}

/**
 * A binomial number: exact for any `n`, at a cost that does not grow with it.
 * @see Hörmann, The generation of binomial random variates (BTRS), 1993
 */
export function binomial(random: Random, n: number, p: number): number {
  if (n <= 0 || p <= 0) return 0
  if (p >= 1) return n
  if (p > 0.5) return n - binomial(random, n, 1 - p)
  if (n * p < WALK_MAX) return binomialByGaps(random, n, p)
  const q = 1 - p
  const spread = Math.sqrt(n * p * q)
  const b = 1.15 + 2.53 * spread
  const a = -0.0873 + 0.0248 * b + 0.01 * p
  const c = n * p + 0.5
  const squeeze = 0.92 - 4.2 / b
  const alpha = (2.83 + 5.1 / b) * spread
  const odds = Math.log(p / q)
  const mode = Math.floor((n + 1) * p)
  const height = logFactorial(mode) + logFactorial(n - mode)
  for (;;) {
    const u = random.next() - 0.5
    const v = random.next()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + c)
    if (us >= 0.07 && v <= squeeze) return k
    if (k < 0 || k > n) continue
    const accept = height - logFactorial(k) - logFactorial(n - k) + (k - mode) * odds
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= accept) return k
  }
}

/** Jumps from success to success: as many draws as successes. */
function binomialByGaps(random: Random, n: number, p: number): number {
  const scale = Math.log1p(-p)
  let count = -1
  let position = 0
  while (position <= n) {
    position += Math.floor(Math.log(1 - random.next()) / scale) + 1
    count += 1
  }
  return count
}

/** Splits `n` over shares that need not sum to 1; the result has their order and sums to `n`. */
export function multinomial(random: Random, n: number, shares: readonly number[]): number[] {
  let rest = 0
  for (const share of shares) rest += share
  let left = n
  const counts: number[] = []
  for (const share of shares) {
    const count = counts.length === shares.length - 1 || share >= rest ? left : binomial(random, left, share / rest)
    rest -= share
    left -= count
    counts.push(count)
  }
  return counts
}
