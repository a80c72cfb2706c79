import { describe, expect, it } from 'vitest'
import { arrivalTimes } from '../../../src/model/load/index.ts'

const load = { name: 'users', ratePerSecond: 20, startMs: 1000, endMs: 101_000 }

describe('arrivalTimes', () => {
  it('spaces constant arrivals evenly and within the bounds', () => {
    const times = [...arrivalTimes({ ...load, arrivals: 'constant' }, 1)]
    expect(times).toHaveLength(2000)
    expect(times.every((at, index) => index === 0 || Math.abs(at - (times[index - 1] ?? 0) - 50) < 1e-6)).toBe(true)
    expect(times[0]).toBeGreaterThanOrEqual(1000)
  })

  it('gives Poisson gaps of the right mean and spread, the same for the same seed', () => {
    const times = [...arrivalTimes({ ...load, arrivals: 'poisson' }, 1)]
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
    expect(mean).toBeGreaterThan(46)
    expect(mean).toBeLessThan(54)
    expect(deviation / mean).toBeGreaterThan(0.9)
    expect(deviation / mean).toBeLessThan(1.1)
    expect([...arrivalTimes({ ...load, arrivals: 'poisson' }, 1)]).toEqual(times)
  })

  it('gives nothing for a rate of zero', () => {
    expect([...arrivalTimes({ ...load, ratePerSecond: 0, arrivals: 'poisson' }, 1)]).toEqual([])
  })
})
