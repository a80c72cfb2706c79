import { describe, expect, test } from 'vitest'
import type { Canary } from '../../../src/kinds/index.ts'
import { deepFreeze } from '../../../src/lib/apimachinery/index.ts'
import { privateCanary, undecodable } from '../../../src/model/canary/decoding.ts'
import { outcomeOf, pure, StepFailed, wrapped } from '../../../src/model/canary/failure.ts'
import { decodeTyped, encodeTyped } from '../../../src/model/canary/typed.ts'

const SPLIT = 'smi/v1alpha1.TrafficSplitSpec'

function split(): Record<string, unknown> {
  return { service: 'podinfo', backends: [{ service: 'podinfo-canary', weight: '10' }], unknown: true }
}

function canary(service: Partial<Canary['spec']['service']> = {}): Canary {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: {
      targetRef: { kind: 'Deployment', name: 'podinfo' },
      service: { port: 9898, ...service },
      analysis: { threshold: 5 }
    },
    status: { phase: 'Progressing', failedChecks: 0, canaryWeight: 10, iterations: 0 }
  }
}

describe('decodeTyped() and encodeTyped()', () => {
  test('give the same frozen result for the same frozen value', () => {
    const stored = deepFreeze(split())
    const decoded = decodeTyped(SPLIT, stored)
    expect(decodeTyped(SPLIT, stored)).toBe(decoded)
    expect(Object.isFrozen(decoded)).toBe(true)
    expect(encodeTyped(SPLIT, decoded)).toBe(encodeTyped(SPLIT, decoded))
    expect(decoded).toEqual(decodeTyped(SPLIT, split()))
  })

  test('look again at a value that may change', () => {
    const draft = split()
    expect(encodeTyped(SPLIT, draft)).toMatchObject({ service: 'podinfo' })
    draft['service'] = 'other'
    expect(encodeTyped(SPLIT, draft)).toMatchObject({ service: 'other' })
  })
})

describe('privateCanary()', () => {
  test('shares the stored spec and has a status of its own', () => {
    const stored = deepFreeze(canary())
    const own = privateCanary(stored)
    expect(own.spec).toBe(stored.spec)
    own.status = { ...canary().status, phase: 'Failed' } as Canary['status'] & object
    expect(stored.status?.phase).toBe('Progressing')
  })

  test('has metadata of its Services that may be changed', () => {
    const stored = deepFreeze(canary({ apex: { labels: { team: 'a' } } }))
    const own = privateCanary(stored)
    const labels = own.spec.service.apex?.labels ?? {}
    labels['team'] = 'b'
    expect(own.spec.service.apex?.labels).toEqual({ team: 'b' })
    expect(stored.spec.service.apex?.labels).toEqual({ team: 'a' })
  })
})

describe('undecodable()', () => {
  test('finds a fraction again at every look, and nothing in a spec it has seen', () => {
    const wrong = deepFreeze({ ...canary(), spec: { ...canary().spec, progressDeadlineSeconds: 0.5 } })
    expect(undecodable(wrong)).toContain('CanarySpec.items.spec.progressDeadlineSeconds')
    expect(undecodable(wrong)).toContain('CanarySpec.items.spec.progressDeadlineSeconds')
    const right = deepFreeze(canary())
    expect([undecodable(right), undecodable(right)]).toEqual([undefined, undefined])
  })
})

describe('StepFailed', () => {
  test('keeps what is known of it under each prefix', () => {
    const failing = pure((): number => {
      throw new StepFailed('it was', { reason: 'NotFound', retriable: false })
    })
    const step = outcomeOf(wrapped('outer: ', wrapped('inner: ', failing))).next()
    expect(step).toMatchObject({
      done: true,
      value: { message: 'outer: inner: it was', reason: 'NotFound', retriable: false }
    })
  })
})
