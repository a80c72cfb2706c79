import { assert, integer, nat, oneof, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  deadlineAt,
  maxSurge,
  maxUnavailable,
  scaledValue,
  withCondition
} from '../../../src/model/controllers/deployment-facts.ts'
import { podsToDelete } from '../../../src/model/controllers/pod-ranking.ts'
import { backoffText, planRestart } from '../../../src/model/controllers/pod-restarts.ts'
import type { Deployment, IntOrPercent, Pod } from '../../../src/model/controllers/shapes.ts'

function deployment(replicas: number, surge: IntOrPercent, unavailable: IntOrPercent): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas,
      progressDeadlineSeconds: 14,
      selector: { matchLabels: { app: 'web' } },
      template: { spec: { containers: [] } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } }
    }
  }
}

describe('maxSurge and maxUnavailable', () => {
  it.each([
    [10, '25%', '25%', 3, 2],
    [7, '30%', '40%', 3, 2],
    [8, '10%', 0, 1, 0],
    [5, '50%', '50%', 3, 2],
    [4, 1, 0, 1, 0],
    [2, 0, '100%', 0, 2],
    [3, '100%', 0, 3, 0],
    [3, 0, '10%', 0, 1],
    [0, '25%', '25%', 0, 0]
  ])('of %i pods, %s and %s are %i and %i', (replicas, surge, unavailable, surgePods, unavailablePods) => {
    const subject = deployment(replicas, surge, unavailable)
    expect([maxSurge(subject), maxUnavailable(subject)]).toEqual([surgePods, unavailablePods])
  })

  it('always leave room for a step', () => {
    const share = oneof(
      nat(5),
      nat(100).map((percent) => `${percent}%`)
    )
    assert(
      property(integer({ min: 1, max: 200 }), share, share, (replicas, surge, unavailable) => {
        const subject = deployment(replicas, surge, unavailable)
        expect(maxSurge(subject) + maxUnavailable(subject)).toBeGreaterThan(0)
        expect(maxUnavailable(subject)).toBeLessThanOrEqual(replicas)
      }),
      { seed: 42 }
    )
  })
})

describe('scaledValue', () => {
  it('rounds shares up or down as asked', () => {
    expect([scaledValue('25%', 3, true), scaledValue('25%', 3, false), scaledValue(2, 3, true)]).toEqual([1, 0, 2])
  })
})

describe('withCondition', () => {
  const old = { type: 'Progressing', status: 'True', reason: 'A', lastTransitionTime: 'then', lastUpdateTime: 'then' }

  it('leaves a condition of same status and reason untouched', () => {
    const conditions = [old]
    expect(withCondition(conditions, { ...old, lastUpdateTime: 'now' })).toBe(conditions)
  })

  it('keeps the transition time while the status stays', () => {
    const [changed] = withCondition([old], { ...old, reason: 'B', lastTransitionTime: 'now', lastUpdateTime: 'now' })
    expect(changed).toMatchObject({ lastTransitionTime: 'then', lastUpdateTime: 'now' })
  })
})

describe('deadlineAt', () => {
  it('counts from the last progress', () => {
    const progress = { type: 'Progressing', status: 'True', lastUpdateTime: '2024-01-01T00:00:00Z' }
    expect(deadlineAt(deployment(1, 1, 0), { conditions: [progress] })).toBe(Date.UTC(2024, 0, 1, 0, 0, 14))
  })
})

describe('podsToDelete', () => {
  const now = Date.UTC(2024, 0, 1, 1)

  function pod(name: string, fields: { node?: string; phase?: string; readyAt?: string; cost?: string }): Pod {
    const { node, phase = 'Running', readyAt, cost } = fields
    const ready = {
      type: 'Ready',
      status: readyAt === undefined ? 'False' : 'True',
      lastTransitionTime: readyAt ?? null
    }
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        uid: name,
        creationTimestamp: '2024-01-01T00:00:00Z',
        ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } })
      },
      spec: { containers: [], ...(node === undefined ? {} : { nodeName: node }) },
      status: { phase, conditions: [ready] }
    }
  }

  it('takes unassigned, pending, unready, cheap, crowded and young pods in this order', () => {
    const pods = [
      pod('old', { node: 'a', readyAt: '2024-01-01T00:00:10Z' }),
      pod('young', { node: 'a', readyAt: '2024-01-01T00:59:50Z' }),
      pod('crowded', { node: 'b', readyAt: '2024-01-01T00:00:10Z' }),
      pod('cheap', { node: 'a', readyAt: '2024-01-01T00:00:10Z', cost: '-5' }),
      pod('unready', { node: 'a' }),
      pod('pending', { node: 'a', phase: 'Pending' }),
      pod('unassigned', { phase: 'Pending' })
    ]
    const crowd = Array.from({ length: 9 }, (_, index) => pod(`other-${index}`, { node: 'b' }))
    const names = podsToDelete(pods, [...pods, ...crowd], 6, now).map((each) => each.metadata.name)
    expect(names).toEqual(['unassigned', 'pending', 'unready', 'cheap', 'crowded', 'young'])
  })
})

describe('planRestart', () => {
  it('restarts at once, then after 10 s doubling to 300 s, and forgives after ten minutes', () => {
    let at = 0
    let backoff: Parameters<typeof planRestart>[0]
    const waits: string[] = []
    for (let crash = 0; crash < 8; crash++) {
      const plan = planRestart(backoff, at, at + 1000)
      waits.push(backoffText(plan.waitedMs))
      backoff = plan.backoff
      at = plan.startAt
    }
    expect(waits).toEqual(['0s', '10s', '20s', '40s', '1m20s', '2m40s', '5m0s', '5m0s'])
    expect(planRestart(backoff, at, at + 600_001).waitedMs).toBe(0)
  })
})
