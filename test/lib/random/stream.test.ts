import { describe, expect, it } from 'vitest'
import { draw, randomStream } from '../../../src/lib/random/index.ts'

const COUNT = 20_000

describe('randomStream()', () => {
  it('gives the same draws for the same seed and keys, and others for others', () => {
    const take = (seed: number, key: string): readonly number[] => {
      const stream = randomStream(seed, key)
      return Array.from({ length: 5 }, () => stream.next())
    }
    expect(take(1, 'a')).toEqual(take(1, 'a'))
    expect(take(1, 'a')).not.toEqual(take(2, 'a'))
    expect(take(1, 'a')).not.toEqual(take(1, 'b'))
  })

  it('draws uniform, exponential and normal values with their means', () => {
    const stream = randomStream(7, 'means')
    const mean = (next: () => number): number =>
      Array.from({ length: COUNT }, next).reduce((sum, x) => sum + x, 0) / COUNT
    expect(mean(() => stream.next())).toBeCloseTo(0.5, 1)
    expect(mean(() => stream.integer(10))).toBeCloseTo(4.5, 0)
    expect(mean(() => stream.exponential(3)) / 3).toBeCloseTo(1, 1)
    expect(mean(() => stream.normal())).toBeCloseTo(0, 1)
  })
})

describe('draw()', () => {
  it('does not depend on the order in which indices are asked for', () => {
    const forward = [0, 1, 2, 3].map((index) => draw(5, index, 'split'))
    const backward = [3, 2, 1, 0].map((index) => draw(5, index, 'split')).toReversed()
    expect(forward).toEqual(backward)
  })

  it('is uniform over indices', () => {
    let below = 0
    for (let index = 0; index < COUNT; index++) if (draw(5, index, 'split') < 0.1) below++
    expect(below / COUNT).toBeCloseTo(0.1, 1)
  })
})
