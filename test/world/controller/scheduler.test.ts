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

interface Setup {
  readonly clock: VirtualClock
  readonly scheduler: CanaryScheduler
  /** Instants at which ticks began. */
  readonly ticks: number[]
  /** Worker runs: instant and canary. */
  readonly syncs: (readonly [at: number, canary: string])[]
  readonly logs: string[]
  readonly gauges: string[]
}

interface SetupOptions {
  readonly tickMs?: number
  readonly syncMs?: number
  readonly flags?: Readonly<Record<string, string>>
  /** What comes of a worker run; default: stored. */
  readonly outcome?: (canary: string) => { readonly stored: boolean; readonly failed: boolean }
}

function setup({ tickMs = 0, syncMs = 0, flags = {}, outcome }: SetupOptions = {}): Setup {
  const clock = new VirtualClock(0)
  const ticks: number[] = []
  const syncs: (readonly [number, string])[] = []
  const logs: string[] = []
  const gauges: string[] = []
  const after = (ms: number, run: () => void): unknown => (ms === 0 ? run() : clock.at(clock.now() + ms, run))
  const scheduler = new CanaryScheduler({
    settings: resolveSettings({ flags }),
    timeline: clock,
    execute: (_plan, context: RunContext, done: (value?: never) => void) => {
      if (!context.worker) {
        ticks.push(clock.now())
        return after(tickMs, () => done())
      }
      syncs.push([clock.now(), context.canary])
      after(syncMs, () => done((outcome?.(context.canary) ?? { stored: true, failed: false }) as never))
    },
    report: (effect) => {
      if (effect.effect === 'log') logs.push(effect.message)
      if (effect.effect === 'gauge') gauges.push(`${effect.metric} ${effect.value}`)
    }
  })
  scheduler.start()
  return { clock, scheduler, ticks, syncs, logs, gauges }
}

function named(name: string, extra: Partial<Canary['spec']> = {}): Canary {
  return { ...canary('10s', extra), metadata: { name, namespace: 'test', resourceVersion: '1' } }
}

describe('CanaryScheduler', () => {
  test('ticks at the first pass of the control loop, then at the interval', () => {
    const { clock, scheduler, ticks } = setup()
    scheduler.changed(canary('30s'))
    clock.runUntil(75_000)
    expect(ticks).toEqual([10_000, 40_000, 70_000])
  })

  test('a tick that overruns is followed by one immediate tick', () => {
    const { clock, scheduler, ticks } = setup({ tickMs: 25_000 })
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

  test('the control loop comes at its flag', () => {
    const { clock, scheduler, ticks } = setup({ flags: { 'control-loop-interval': '3s' } })
    scheduler.changed(canary('30s'))
    clock.runUntil(40_000)
    expect(ticks).toEqual([3_000, 33_000])
  })

  test('another interval does not end the tick that runs: old and new job overlap once', () => {
    const { clock, scheduler, ticks } = setup({ tickMs: 25_000 })
    scheduler.changed(canary('10s'))
    clock.runUntil(12_000)
    scheduler.changed(canary('1m'))
    clock.runUntil(79_000)
    expect(ticks).toEqual([10_000, 20_000])
  })

  test('a deleted canary ticks until the next pass of the control loop', () => {
    const { clock, scheduler, ticks, logs } = setup()
    scheduler.changed(canary('15s'))
    clock.runUntil(26_000)
    scheduler.deleted(canary('15s'))
    clock.runUntil(90_000)
    expect(ticks).toEqual([10_000, 25_000])
    expect(logs).toContain('Deleting app.test from cache')
  })

  test('a canary deleted and made again between two passes keeps its job', () => {
    const { clock, scheduler, ticks } = setup()
    scheduler.changed(canary('15s'))
    clock.runUntil(26_000)
    scheduler.deleted(canary('15s'))
    scheduler.changed(canary('15s'))
    clock.runUntil(56_000)
    expect(ticks).toEqual([10_000, 25_000, 40_000, 55_000])
  })

  test('an edit that is refused leaves the job as it was, and a refused new canary has none', () => {
    let refuses = false
    const outcome = () => ({ stored: !refuses, failed: refuses })
    const { clock, scheduler, ticks } = setup({ outcome })
    scheduler.changed(canary('10s'))
    clock.runUntil(12_000)
    refuses = true
    scheduler.changed(canary('1m'))
    scheduler.changed(named('other'))
    clock.runUntil(41_000)
    expect(ticks).toEqual([10_000, 20_000, 30_000, 40_000])
  })

  test('changes of status, labels and annotations are ignored; a failed worker run is not repeated', () => {
    const { clock, scheduler, syncs } = setup({ outcome: () => ({ stored: false, failed: true }) })
    scheduler.changed(canary('10s'))
    const status = { phase: 'Progressing', failedChecks: 1, canaryWeight: 10, iterations: 0 } as const
    scheduler.changed({ ...canary('10s'), status })
    const metadata = { ...canary('10s').metadata, labels: { a: 'b' }, annotations: { c: 'd' } }
    scheduler.changed({ ...canary('10s'), metadata })
    clock.runUntil(300_000)
    expect(syncs).toEqual([[0, 'app.test']])
  })

  test('the resync repeats pending finalizer work, ever more slowly while it fails', () => {
    const { clock, scheduler, syncs } = setup({ outcome: () => ({ stored: false, failed: true }) })
    const metadata = {
      ...canary('10s').metadata,
      deletionTimestamp: '2026-01-01T00:00:00Z',
      finalizers: ['finalizer.flagger.app']
    }
    scheduler.changed({ ...canary('10s', { revertOnDeletion: true }), metadata })
    clock.runUntil(1_000_000)
    const at = syncs.map(([instant]) => instant)
    expect(at.slice(0, 9)).toEqual([0, 30_000, 60_000, 90_000, 120_000, 150_000, 180_000, 210_000, 241_280])
    // 5 ms doubled with each attempt: 2.56, 5.12, 10.24, 20.48, 40.96 s …
    expect(at.slice(9, 13)).toEqual([272_560, 305_120, 340_240, 380_480])
    expect(Math.max(...at.slice(1).map((instant, index) => instant - (at[index] ?? 0)))).toBeGreaterThan(80_000)
  })

  test('two workers drain the queue, each canary by one at a time', () => {
    const { clock, scheduler, syncs } = setup({ syncMs: 1_000 })
    for (const name of ['a', 'b', 'c']) scheduler.changed(named(name))
    scheduler.changed(named('a', { skipAnalysis: true }))
    clock.runUntil(5_000)
    expect(syncs).toEqual([
      [0, 'a.test'],
      [0, 'b.test'],
      [1_000, 'c.test'],
      [1_000, 'a.test']
    ])
    const four = setup({ syncMs: 1_000, flags: { threadiness: '4' } })
    for (const name of ['a', 'b', 'c']) four.scheduler.changed(named(name))
    expect(four.syncs).toHaveLength(3)
  })

  test('counts the canaries of a namespace at each pass, and forgets to say that there are none', () => {
    const { clock, scheduler, gauges } = setup()
    scheduler.changed(canary('10s'))
    scheduler.changed(named('second', { targetRef: { kind: 'Deployment', name: 'second' } }))
    clock.runUntil(10_000)
    scheduler.deleted(named('second'))
    clock.runUntil(20_000)
    scheduler.deleted(canary('10s'))
    clock.runUntil(40_000)
    expect(gauges).toEqual(['flagger_canary_total 2', 'flagger_canary_total 1'])
  })

  test('two canaries of one target are complained about', () => {
    const { clock, scheduler, logs } = setup()
    scheduler.changed(canary('10s'))
    scheduler.changed({ ...canary('10s'), metadata: { name: 'second', namespace: 'test' } })
    clock.runUntil(30_000)
    const text = 'Bad things will happen! Found more than one canary with the same target app.test'
    // Each of them, at each of three passes.
    expect(logs.filter((line) => line === text)).toHaveLength(6)
  })

  test('one canary that cannot be decoded hides all of them until it is corrected', () => {
    const { clock, scheduler, ticks, logs } = setup()
    const broken = { ...canary('10s'), metadata: { name: 'broken', namespace: 'test' } }
    scheduler.changed({ ...broken, spec: { ...broken.spec, analysis: { threshold: 2.5 } } })
    scheduler.changed(canary('10s'))
    clock.runUntil(20_000)
    expect(ticks).toEqual([])
    expect(logs.join('\n')).toContain(
      'cannot unmarshal number 2.5 into Go struct field CanaryAnalysis.items.spec.analysis.threshold'
    )
    scheduler.changed(broken)
    clock.runUntil(30_000)
    expect(ticks).toEqual([30_000, 30_000])
  })
})
