import { array, assert, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  EventQueue,
  formatGoDuration,
  formatTimestamp,
  formatTimestampNano,
  parseGoDuration,
  parseTimestamp,
  SystemClock,
  VirtualClock
} from '../../../src/lib/time/index.ts'

describe('EventQueue', () => {
  it('gives entries by due time, then by order of adding', () => {
    assert(
      property(array(nat(20), { maxLength: 200 }), (dues) => {
        const queue = new EventQueue()
        const seen: [number, number][] = []
        for (const [index, due] of dues.entries()) queue.add(due, () => seen.push([due, index]))
        for (let entry = queue.take(); entry !== undefined; entry = queue.take()) entry.callback()
        expect(seen).toEqual(
          dues
            .map((due, index) => [due, index])
            .toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0))
        )
      }),
      { seed: 42 }
    )
  })
})

describe('VirtualClock', () => {
  it('runs what is due by the end, events added meanwhile included, then stands at the end', () => {
    const clock = new VirtualClock(0)
    const seen: number[] = []
    const again = (): void => {
      seen.push(clock.now())
      if (clock.now() < 100) clock.at(clock.now() + 10, again)
    }
    clock.at(10, again)
    clock.runUntil(35)
    expect([seen, clock.now()]).toEqual([[10, 20, 30], 35])
  })
})

describe('SystemClock', () => {
  it('tells the wall delay to the next event at its speed', () => {
    const clock = new SystemClock({ speed: 10, start: 0 })
    const delays: number[] = []
    clock.onDue((delayMs) => delays.push(delayMs))
    clock.at(10_000, () => undefined)
    expect(delays[0]).toBeGreaterThan(900)
    expect(delays[0]).toBeLessThanOrEqual(1000)
  })
})

describe('durations and time stamps', () => {
  it.each([
    ['1m30s', 90_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['0', 0],
    ['-2s', -2000],
    ['100us', 0.1],
    ['5', undefined],
    ['', undefined],
    ['1 s', undefined]
  ])('parseGoDuration(%j) is %j', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms)
  })

  it.each([
    [0, '0s'],
    [500, '500ms'],
    [1515, '1.515s'],
    [60_500, '1m0.5s'],
    [3_600_000, '1h0m0s'],
    [0.25, '250µs']
  ])('formatGoDuration(%d) is %s', (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text)
  })

  it('formatTimestamp() cuts to whole seconds and parseTimestamp() reads it back', () => {
    expect(formatTimestamp(1_767_225_600_999)).toBe('2026-01-01T00:00:00Z')
    expect(parseTimestamp('2026-01-01T00:00:00Z')).toBe(1_767_225_600_000)
    expect(parseTimestamp('soon')).toBeUndefined()
  })
})

it('formatTimestampNano() writes nine digits, as container runtimes do', () => {
  expect(formatTimestampNano(Date.UTC(2026, 0, 2, 3, 4, 5) + 6.25)).toBe('2026-01-02T03:04:05.006250000Z')
  expect(formatTimestampNano(0)).toBe('1970-01-01T00:00:00.000000000Z')
})
