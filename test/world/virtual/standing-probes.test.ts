import { describe, expect, it } from 'vitest'
import { Labels } from '../../../src/lib/tsdb/index.ts'
import { randomStream } from '../../../src/lib/random/index.ts'
import { DEFAULT_LATENCY, Latency } from '../../../src/world/virtual/latency.ts'
import { TargetCounters } from '../../../src/world/virtual/proxy-book.ts'
import { StandingProbes } from '../../../src/world/virtual/standing-probes.ts'

function begin(): {
  probes: StandingProbes
  counters: TargetCounters
  resumed: number[]
  end: () => void
  at: (now: number) => void
} {
  const probes = new StandingProbes(randomStream(1, 'probes'))
  const counters = new TargetCounters(Labels.fromPairs([['direction', 'inbound']]), 0)
  const resumed: number[] = []
  let now = 0
  const end = probes.add(
    {
      due: 1000,
      periodMs: 1000,
      status: 200,
      latency: new Latency(DEFAULT_LATENCY, []),
      counters: () => counters,
      resume: (due) => resumed.push(due)
    },
    () => now
  )
  return { probes, counters, resumed, end, at: (next) => (now = next) }
}

const requests = ({ values }: TargetCounters): number => values[0] ?? 0

describe('StandingProbes', () => {
  it('counts each probe once that was due before the look', () => {
    const { probes, counters } = begin()
    const seen = [999, 1000, 1001, 1500, 2001, 10_000].map((now) => {
      probes.count(now)
      return requests(counters)
    })
    expect(seen).toEqual([0, 0, 1, 1, 2, 9])
  })
  it('wake: counts what was due before, and asks again in the same rhythm', () => {
    const { probes, counters, resumed } = begin()
    probes.wake(3500)
    probes.count(20_000)
    expect([requests(counters), resumed]).toEqual([3, [4000]])
  })
  it('an ended probe counts no more, and is not asked again', () => {
    const { probes, counters, resumed, end, at } = begin()
    at(2500)
    end()
    probes.count(9000)
    probes.wake(9000)
    expect([requests(counters), resumed]).toEqual([2, []])
  })
})
