import { describe, expect, test } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { binomial, multinomial, poisson } from '../../../src/world/virtual/draws.ts'
import { Latency } from '../../../src/world/virtual/latency.ts'

const DRAWS = 20_000

/** Mean and variance of many draws. */
function moments(next: () => number): { readonly mean: number; readonly variance: number } {
  const values = Array.from({ length: DRAWS }, next)
  const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS }
}

describe('poisson() and binomial()', () => {
  const random = randomStream(1, 'draws')

  test.each([0.3, 5, 12, 400, 50_000])('a Poisson number of mean %d has that mean and variance', (mean) => {
    const found = moments(() => poisson(random, mean))
    expect(Math.abs(found.mean - mean)).toBeLessThan(5 * Math.sqrt(mean / DRAWS))
    expect(found.variance / mean).toBeCloseTo(1, 1)
  })

  test.each([
    [1, 0.5],
    [30, 0.1],
    [40, 0.9],
    [1000, 0.01],
    [1000, 0.3],
    [1_000_000, 0.0001],
    [1_000_000, 0.5]
  ])('a binomial number of %d at %d has its mean and variance', (n, p) => {
    const found = moments(() => binomial(random, n, p))
    const variance = n * p * (1 - p)
    expect(Math.abs(found.mean - n * p)).toBeLessThan(5 * Math.sqrt(variance / DRAWS))
    expect(found.variance / variance).toBeCloseTo(1, 1)
  })

  test('certain and impossible outcomes are not drawn', () => {
    expect([binomial(random, 10, 0), binomial(random, 10, 1), poisson(random, 0)]).toEqual([0, 10, 0])
  })

  test('multinomial() splits without loss, by share', () => {
    const counts = multinomial(random, 100_000, [1, 3, 0, 6])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100_000)
    expect(counts[2]).toBe(0)
    expect((counts[3] ?? 0) / 100_000).toBeCloseTo(0.6, 1)
  })
})

describe('Latency', () => {
  const random = randomStream(2, 'latency')

  test('a constant delay shifts every observation into its bucket', () => {
    const latency = new Latency({ kind: 'constant', ms: 1 }, [{ kind: 'constant', ms: 800 }])
    expect(latency.draw(random, 50)).toEqual({ counts: [[15, 50]], sumMs: 50 * latency.draw(random, 1).sumMs })
    expect(latency.tail(900)).toBe(0)
    expect(latency.tail(700)).toBe(1)
  })

  test('buckets of an exponential delay have its chances', () => {
    const latency = new Latency({ kind: 'exponential', meanMs: 100 }, [])
    const { counts, sumMs } = latency.draw(random, 100_000)
    const upTo100 = counts.filter(([index]) => index <= 10).reduce((sum, [, count]) => sum + count, 0)
    expect(upTo100 / 100_000).toBeCloseTo(1 - Math.exp(-1.01), 2)
    expect(sumMs / 100_000).toBeGreaterThan(90)
    expect(sumMs / 100_000).toBeLessThan(108)
  })
})
