import { afterEach, describe, expect, it } from 'vitest'
import type { TraceEvent } from '../../../src/trace/index.ts'
import { createEmbeddedWorld } from '../../../src/world/embedded/index.ts'
import type { World, WorldSpec } from '../../../src/world/index.ts'
import { AFTER, BEFORE, rolloutSpec, SET_IMAGE } from './fixture.ts'

const worlds: World[] = []

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})

interface Rollout {
  readonly world: World
  readonly events: readonly TraceEvent[]
}

/** Starts a world, releases the new version once the canary is initialised, and lets time run until the rollout is over. */
async function rollOut(spec: WorldSpec): Promise<Rollout> {
  const world = await createEmbeddedWorld(spec)
  worlds.push(world)
  const events: TraceEvent[] = []
  const over = new Promise<readonly TraceEvent[]>((resolve, reject) => {
    world.failed.catch(reject)
    world.onTrace((event) => {
      events.push(event)
      if (event.kind !== 'phase') return
      if (event.to === 'Initialized') void world.run(SET_IMAGE)
      if (event.to === 'Succeeded' || event.to === 'Failed') resolve([...events])
    })
  })
  world.start()
  return { world, events: await over }
}

function weights({ events }: Rollout): readonly number[] {
  return events.flatMap((event) => (event.kind === 'weight' ? [event.canaryPercent] : []))
}

function messages({ events }: Rollout): readonly string[] {
  return events.flatMap((event) => (event.kind === 'event' ? [event.message] : []))
}

function imageOf(world: World, deployment: string): unknown {
  const spec = world.get('deployment', deployment)?.spec as {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } }
  }
  return spec.template.spec.containers[0]?.image
}

describe('createEmbeddedWorld()', () => {
  it('promotes a sound version from 10 to 50 % and then to all of the traffic', async () => {
    const rollout = await rollOut(rolloutSpec())
    expect(weights(rollout)).toEqual([0, 10, 20, 30, 40, 50, 0])
    expect(imageOf(rollout.world, 'test/podinfo-primary')).toBe(AFTER)
    expect(messages(rollout)).toContain('Copying podinfo.test template spec to podinfo-primary.test')
    const advance = rollout.events.findLast((event) => event.kind === 'decision' && event.reason === 'advance')
    const evidence = advance?.kind === 'decision' ? advance.evidence : []
    expect(evidence.map((item) => [item.metric, (item.userRequests ?? 0) > 0])).toEqual([
      ['request-success-rate', true],
      ['request-duration', true]
    ])
  })

  it('rolls a version back whose answers are 500s, and its users see few of them', async () => {
    const faults = [{ kind: 'status', status: 500, ratio: 1 / 2, match: {} } as const]
    const rollout = await rollOut(rolloutSpec(faults))
    // The first check may see nothing but probes: the first sample of a new series tells no rate.
    expect(Math.max(...weights(rollout))).toBeLessThanOrEqual(20)
    expect(imageOf(rollout.world, 'test/podinfo-primary')).toBe(BEFORE)
    expect(messages(rollout).filter((text) => /advancement success rate \d+\.\d+% < 99%/.test(text))).not.toHaveLength(
      0
    )
    expect(messages(rollout).at(-1)).toBe('Canary failed! Scaling down podinfo.test')
    const [users] = rollout.world.figures().load
    expect(users?.delivered).toBe(users?.intended)
  })

  it('gives the same events twice for one seed', async () => {
    const [first, second] = [await rollOut(rolloutSpec()), await rollOut(rolloutSpec())]
    expect(second.events).toEqual(first.events)
  })
})
