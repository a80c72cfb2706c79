import { describe, expect, test } from 'vitest'
import type { AppFault } from '../../../src/kinds/index.ts'
import { milestoneOf, type TraceEvent } from '../../../src/trace/index.ts'
import { createVirtualWorld } from '../../../src/world/virtual/index.ts'
import type { VirtualWorld } from '../../../src/world/virtual/index.ts'
import type { WorldSpec } from '../../../src/world/index.ts'
import { AFTER, MANIFESTS, rolloutSpec, SET_IMAGE, USERS } from '../embedded/fixture.ts'

interface Rollout {
  readonly world: VirtualWorld
  readonly events: readonly TraceEvent[]
}

/** Releases the new version as soon as the canary is initialized and goes on to its end. */
function release(faults: readonly AppFault[] = [], over: Partial<WorldSpec> = {}): Rollout {
  const world = createVirtualWorld(rolloutSpec(faults, over))
  const events: TraceEvent[] = []
  let ended = false
  world.onTrace((event) => {
    events.push(event)
    if (event.kind !== 'phase') return
    if (event.to === 'Initialized') world.runNow(SET_IMAGE, {}, () => {})
    ended ||= event.to === 'Succeeded' || event.to === 'Failed'
  })
  expect(world.runUntil(900_000, () => ended)).toBe(true)
  return { world, events }
}

/** Milestones that scenarios speak of; whether the first check finds values is up to the phase of the scrapes. */
const TOLD = /^(Initialized|New revision|weight|halt (?!no-values)|promotion|rollback|Succeeded|Failed)/

const labelsOf = ({ events }: Rollout): string[] =>
  events.flatMap((event) => milestoneOf(event)?.label ?? []).filter((label) => TOLD.test(label))

const FAILING: AppFault = { kind: 'status', status: 500, ratio: 0.5, match: {} }
const SLOW: AppFault = { kind: 'delay', delay: { kind: 'constant', ms: 800 }, ratio: 0.3, match: {} }

describe('createVirtualWorld()', () => {
  test('promotes a sound version step by step', () => {
    expect(labelsOf(release())).toEqual([
      'Initialized',
      'New revision',
      'weight 10',
      'weight 20',
      'weight 30',
      'weight 40',
      'weight 50',
      'promotion',
      'Succeeded'
    ])
  })

  test('a canary changes in memory what it sent before, as upstream: annotations of a route stay its own', () => {
    const service = {
      port: 9898,
      gatewayRefs: [{ name: 'gateway', namespace: 'test' }],
      apex: { annotations: { team: 'shop' } }
    }
    const manifests = MANIFESTS.map((object) =>
      object.kind === 'Canary'
        ? { ...object, spec: { ...(object.spec as object), provider: 'gatewayapi:v1', service } }
        : object
    )
    const rollout = release([], { manifests })
    expect(labelsOf(rollout).slice(0, 2)).toEqual(['Initialized', 'New revision'])
    const route = rollout.world.get('httproute', 'test/podinfo')
    expect(route?.metadata.annotations).toMatchObject({
      team: 'shop',
      'helm.toolkit.fluxcd.io/driftDetection': 'disabled'
    })
  })

  test('rolls a version back whose answers are errors; the rate that stopped it fits them', () => {
    const rollout = release([FAILING])
    const labels = labelsOf(rollout)
    expect(labels.filter((label) => label.startsWith('halt success-rate'))).toHaveLength(3)
    expect(labels.slice(-2)).toEqual(['rollback', 'Failed'])
    const rates = rollout.events.flatMap((event) =>
      event.kind === 'decision' && event.reason === 'halt-metric' ? event.evidence.map(({ value = 0 }) => value) : []
    )
    // Half of some 40 user requests a minute fail; 18 of the mesh's own succeed beside them.
    for (const rate of rates) expect(rate).toBeGreaterThan(30)
    for (const rate of rates) expect(rate).toBeLessThan(95)
  })

  test('a slow version is stopped by its latency, not by its rate', () => {
    const labels = labelsOf(release([SLOW]))
    expect(labels.filter((label) => label.startsWith('halt request-duration'))).toHaveLength(3)
    expect(labels.some((label) => label.startsWith('halt success-rate'))).toBe(false)
  })

  test('a version that crashes never gets a request', () => {
    const { world, events } = release([{ kind: 'crash', afterMs: 1000, exitCode: 1 }])
    expect(events.some((event) => event.kind === 'pod' && event.state === 'CrashLoopBackOff')).toBe(true)
    expect(world.figures().load[0]?.byVersion['3.1.1']).toBeUndefined()
  })

  test('the same seed gives the same trace, byte for byte; another one does not', () => {
    const text = (seed: number): string => JSON.stringify(release([FAILING], { seed }).events)
    const first = text(7)
    expect(text(7)).toBe(first)
    expect(text(8)).not.toBe(first)
  })

  test('started through the port it tells what it tells when it is driven', async () => {
    const world = createVirtualWorld(rolloutSpec())
    const events: TraceEvent[] = []
    const ended = new Promise<void>((resolve) => {
      world.onTrace((event) => {
        events.push(event)
        if (event.kind !== 'phase') return
        if (event.to === 'Initialized') world.runNow(SET_IMAGE, {}, () => {})
        if (event.to === 'Succeeded') resolve()
      })
    })
    world.start()
    await ended
    await world.stop()
    expect(JSON.stringify(events)).toBe(JSON.stringify(release().events.slice(0, events.length)))
  })

  test('a thousandfold load splits by the weights and costs no more events', () => {
    const many = { ...USERS, ratePerSecond: 20_000, startMs: 15_000 }
    const { world, events } = release([], { load: [many] })
    const step = events.find((event) => event.kind === 'load' && event.weightPercent === 30)
    expect(step).toMatchObject({ failed: 0 })
    if (step?.kind !== 'load') throw new Error('no load at weight 30')
    // 200,000 requests at 30 %: 60,000 with a standard deviation of 205.
    expect(Math.abs((step.byVersion['3.1.1'] ?? 0) / step.intended - 0.3)).toBeLessThan(0.006)
    expect(world.figures().load[0]?.intended).toBeGreaterThan(1_000_000)
  })

  test('what is scraped has the proxy’s labels, the mesh’s own requests among them', () => {
    const { world } = release()
    const found = world.query('response_total{deployment="podinfo-primary",target_port="9898",route_name="default"}')
    expect(found[0]?.labels).toMatchObject({
      classification: 'success',
      client_id: 'default.test.serviceaccount.identity.linkerd.cluster.local',
      direction: 'inbound',
      namespace: 'test',
      status_code: '200',
      tls: 'true'
    })
    world.runUntil(world.figures().simulatedMs + 120_000, () => false)
    const own = world.query('sum(rate(response_total{deployment="podinfo-primary",target_port="4191"}[1m]))')
    // One scrape, `/live` and `/ready` every ten seconds.
    expect(own[0]?.value).toBeCloseTo(0.3, 1)
  })

  test('replaced faults count from that moment on', () => {
    const world = createVirtualWorld(rolloutSpec())
    const events: TraceEvent[] = []
    let ended = false
    world.onTrace((event) => {
      events.push(event)
      if (event.kind === 'weight' && event.canaryPercent === 20) {
        world.setFaults(AFTER, { app: 'podinfo', faults: [FAILING], options: {} })
      }
      if (event.kind !== 'phase') return
      if (event.to === 'Initialized') world.runNow(SET_IMAGE, {}, () => {})
      ended ||= event.to === 'Succeeded' || event.to === 'Failed'
    })
    world.runUntil(900_000, () => ended)
    const steps = events.flatMap((event) => (event.kind === 'load' ? [[event.weightPercent, event.failed]] : []))
    expect(steps.find(([weight]) => weight === 10)?.[1]).toBe(0)
    expect(steps.find(([weight]) => weight === 20)?.[1]).toBeGreaterThan(0)
  })

  test('a run on wall time is refused', () => {
    expect(() => createVirtualWorld(rolloutSpec([], { time: 'wall' }))).toThrow(/no wall time/)
  })
})
