import { describe, expect, test } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import type { Canary, KubeObject } from '../../../src/kinds/index.ts'
import {
  parseFlags,
  resolveSettings,
  startLocalController,
  type Effect,
  type Fault,
  type LocalController
} from '../../../src/world/controller/index.ts'
import { prometheusAnswer } from '../../conformance/golden/answers.ts'
import { Environment, START } from '../../conformance/golden/environment.ts'
import { image, smallCase } from '../../model/canary/quirk-cases.ts'

const GOLDEN = smallCase({})
const ELECTION = ['-enable-leader-election', '-leader-election-namespace=test']
const UNREACHABLE: Fault = {
  fault: 'answer',
  applied: false,
  response: { code: 0, body: { message: 'Get "https://10.96.0.1": dial tcp: connection refused' } }
}

interface Replica {
  readonly controller: LocalController
  readonly logs: string[]
  /** Seconds after the start of each tick. */
  readonly ticks: number[]
}

class TwoReplicas {
  readonly clock = new VirtualClock(START)
  readonly environment = new Environment(GOLDEN, this.clock)
  readonly flags: readonly string[]

  constructor(flags: readonly string[] = ELECTION) {
    this.flags = flags
  }

  start(hostname: string, fault?: (effect: Effect) => Fault | undefined): Replica {
    const logs: string[] = []
    const ticks: number[] = []
    const controller = startLocalController({
      settings: resolveSettings({ flags: parseFlags([...(GOLDEN.flags ?? []), ...this.flags]) }),
      timeline: this.clock,
      random: randomStream(1, hostname),
      hostname,
      api: this.environment.api,
      http: (_effect, _context, answer) => answer(prometheusAnswer(100)),
      onTick: (moment) => {
        if (moment === 'begin') ticks.push(this.seconds)
      },
      onEffect: (effect) => {
        if (effect.effect === 'log') logs.push(effect.message)
      },
      ...(fault === undefined ? {} : { fault })
    })
    return { controller, logs, ticks }
  }

  get seconds(): number {
    return (this.clock.now() - START) / 1000
  }

  run(seconds: number): void {
    const end = this.clock.now() + seconds * 1000
    for (let at = this.clock.now(); at <= end; at += 1000) {
      this.clock.runUntil(at)
      this.environment.settle()
    }
  }

  get lease(): Readonly<Record<string, unknown>> {
    const lease: KubeObject | undefined = this.environment.api.get(
      'coordination.k8s.io',
      'leases',
      'test',
      'flagger-leader-election'
    )
    return (lease?.spec ?? {}) as Readonly<Record<string, unknown>>
  }

  get holder(): string {
    return String(this.lease['holderIdentity']).replace(/_.*/, '')
  }

  get phase(): string {
    const canary = this.environment.api.get('flagger.app', 'canaries', 'test', 'podinfo') as Canary | undefined
    return canary?.status?.phase ?? ''
  }
}

const within = (text: string, lines: readonly string[]): boolean => lines.some((line) => line.includes(text))

describe('leader election', () => {
  test('of two replicas only the leader works, and it renews its lease every five seconds', () => {
    const world = new TwoReplicas()
    const first = world.start('flagger-a')
    const second = world.start('flagger-b')
    world.environment.create(GOLDEN.canary, 'test')
    world.run(62)
    expect([first.controller.leads, second.controller.leads]).toEqual([true, false])
    expect(first.ticks).toEqual([10, 20, 30, 40, 50, 60])
    expect(second.ticks).toEqual([])
    expect(world.phase).toBe('Initialized')
    expect(world.lease).toEqual({
      holderIdentity: expect.stringMatching(
        /^flagger-a_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
      ),
      leaseDurationSeconds: 60,
      leaseTransitions: 0,
      acquireTime: new Date(START).toISOString().replace('Z', '000Z'),
      renewTime: new Date(START + 60_000).toISOString().replace('Z', '000Z')
    })
    expect(first.logs.slice(0, 4)).toEqual([
      expect.stringMatching(
        /^Starting leader election id: flagger-a_\S{36} configmap: flagger-leader-election namespace: test$/
      ),
      'Attempting to acquire leader lease...',
      'Successfully acquired lease',
      'Acting as elected leader'
    ])
    expect(second.logs.at(-1)).toMatch(/^Another instance has been elected as leader: flagger-a_\S{36}$/)
  })

  test('a killed leader is succeeded when its lease has not changed for 60 s, and the rollout goes on', () => {
    const world = new TwoReplicas()
    const first = world.start('flagger-a')
    const second = world.start('flagger-b')
    world.environment.create(GOLDEN.canary, 'test')
    world.run(45)
    const { patch } = image('2.0.0')
    world.environment.send({
      method: 'PATCH',
      path: '/apis/apps/v1/namespaces/test/deployments/podinfo',
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: patch?.body
    })
    world.run(12)
    first.controller.kill()
    expect(world.phase).toBe('Progressing')
    world.run(55)
    expect([world.holder, second.ticks]).toEqual(['flagger-a', []])
    world.run(30)
    expect([world.holder, world.lease['leaseTransitions']]).toEqual(['flagger-b', 1])
    expect(second.controller.leads).toBe(true)
    world.run(100)
    expect(world.phase).toBe('Succeeded')
    expect(first.ticks.at(-1)).toBeLessThan(58)
  })

  test('a leader that is terminated leaves the lease free, and the other leads at its next try', () => {
    const world = new TwoReplicas()
    const first = world.start('flagger-a')
    const second = world.start('flagger-b')
    world.run(20)
    first.controller.terminate()
    expect(world.lease).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 0 })
    expect(first.logs.at(-1)).toBe('Leadership lost')
    world.run(12)
    expect([world.holder, world.lease['leaseTransitions']]).toEqual(['flagger-b', 1])
    expect(second.controller.leads).toBe(true)
    world.run(60)
    expect(first.controller.leads).toBe(false)
  })

  test('a leader that cannot renew for 15 s ends with its work and starts again as a candidate', () => {
    const world = new TwoReplicas()
    let cut = false
    const isLease = (effect: Effect): boolean => effect.effect === 'api' && effect.request.path.includes('/leases')
    const first = world.start('flagger-a', (effect) => (cut && isLease(effect) ? UNREACHABLE : undefined))
    const second = world.start('flagger-b')
    world.environment.create(GOLDEN.canary, 'test')
    world.run(32)
    cut = true
    world.run(25)
    expect(first.logs.filter((line) => line === 'Error retrieving lease lock')).toHaveLength(3)
    expect(within('Failed to renew lease', first.logs)).toBe(true)
    expect(within('error retrieving resource lock', first.logs)).toBe(true)
    expect(first.logs.indexOf('Leadership lost')).toBeGreaterThan(0)
    expect(first.ticks.at(-1)).toBe(50)
    cut = false
    world.run(60)
    expect([world.holder, second.controller.leads, first.controller.leads]).toEqual(['flagger-b', true, false])
    expect(first.logs.at(-1)).toMatch(/^Another instance has been elected as leader: flagger-b_/)
  })

  test('a leader whose lease was taken away ends without touching it', () => {
    const world = new TwoReplicas()
    const first = world.start('flagger-a')
    world.run(7)
    const path = '/apis/coordination.k8s.io/v1/namespaces/test/leases/flagger-leader-election'
    const lease = world.environment.send({ method: 'GET', path }).body as KubeObject
    const spec = { ...world.lease, holderIdentity: 'someone' }
    world.environment.send({ method: 'PUT', path, body: { ...lease, spec } })
    world.run(24)
    expect(world.holder).toBe('someone')
    expect(first.logs).toContain('Another instance has been elected as leader: someone')
    expect(first.logs).toContain('Leadership lost')
  })

  test('the lease is in the watched namespace where there is one, and without the flag there is none', () => {
    const scoped = new TwoReplicas(['-enable-leader-election', '-namespace=test'])
    scoped.start('flagger-a')
    scoped.run(1)
    expect(scoped.holder).toBe('flagger-a')
    const plain = new TwoReplicas([])
    expect(plain.start('flagger-a').controller.leads).toBe(true)
    expect(plain.start('flagger-b').controller.leads).toBe(true)
    plain.run(1)
    expect(plain.lease).toEqual({})
  })
})
