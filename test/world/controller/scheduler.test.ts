import { describe, expect, test } from 'vitest'
import type { Canary } from '../../../src/kinds/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import { resolveSettings, type RunContext } from '../../../src/world/controller/index.ts'
import { CanaryScheduler } from '../../../src/world/controller/scheduler.ts'

function canary(interval: string, extra: Partial<Canary['spec']> = {}): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'app', namespace: 'test', resourceVersion: '1' },
    spec: { targetRef: { kind: 'Deployment', name: 'app' }, service: { port: 80 }, analysis: { interval }, ...extra }
  }
}

function setup(tickMs = 0): { clock: VirtualClock; scheduler: CanaryScheduler; ticks: number[]; logs: string[] } {
  const clock = new VirtualClock(0)
  const ticks: number[] = []
  const logs: string[] = []
  const scheduler = new CanaryScheduler({
    settings: resolveSettings({}),
    timeline: clock,
    execute: (_plan, context: RunContext, done: (value?: never) => void) => {
      if (context.worker) return done(true as never)
      ticks.push(clock.now())
      if (tickMs === 0) return done()
      clock.at(clock.now() + tickMs, () => done())
    },
    report: (effect) => {
      if (effect.effect === 'log') logs.push(effect.message)
    }
  })
  scheduler.start()
  return { clock, scheduler, ticks, logs }
}

describe('CanaryScheduler', () => {
  test('ticks at the first pass of the control loop, then at the interval', () => {
    const { clock, scheduler, ticks } = setup()
    scheduler.changed(canary('30s'))
    clock.runUntil(75_000)
    expect(ticks).toEqual([10_000, 40_000, 70_000])
  })

  test('a tick that overruns is followed by one immediate tick', () => {
    const { clock, scheduler, ticks } = setup(25_000)
    scheduler.changed(canary('10s'))
    clock.runUntil(70_000)
    expect(ticks).toEqual([10_000, 35_000, 60_000])
  })

  test('another interval starts a new job that ticks at once', () => {
    const { clock, scheduler, ticks } = setup()
    scheduler.changed(canary('10s'))
    clock.runUntil(22_000)
    scheduler.changed(canary('1m'))
    clock.runUntil(95_000)
    expect(ticks).toEqual([10_000, 20_000, 30_000, 90_000])
  })

  test('a deleted canary stops ticking', () => {
    const { clock, scheduler, ticks } = setup()
    scheduler.changed(canary('10s'))
    clock.runUntil(21_000)
    scheduler.deleted(canary('10s'))
    clock.runUntil(60_000)
    expect(ticks.length).toBeLessThanOrEqual(3)
  })

  test('two canaries of one target are complained about', () => {
    const { clock, scheduler, logs } = setup()
    scheduler.changed(canary('10s'))
    scheduler.changed({ ...canary('10s'), metadata: { name: 'second', namespace: 'test' } })
    clock.runUntil(10_000)
    const text = 'Bad things will happen! Found more than one canary with the same target app.test'
    expect(logs.filter((line) => line === text)).toHaveLength(2)
  })

  test('one canary that cannot be decoded hides all of them until it is corrected', () => {
    const { clock, scheduler, ticks, logs } = setup()
    const broken = { ...canary('10s'), metadata: { name: 'broken', namespace: 'test' } }
    scheduler.changed({ ...broken, spec: { ...broken.spec, analysis: { threshold: 2.5 } } })
    scheduler.changed(canary('10s'))
    clock.runUntil(20_000)
    expect(ticks).toEqual([])
    expect(logs[0]).toContain(
      'cannot unmarshal number 2.5 into Go struct field CanaryAnalysis.items.spec.analysis.threshold'
    )
    scheduler.changed(broken)
    clock.runUntil(30_000)
    expect(ticks).toEqual([30_000, 30_000])
  })
})
