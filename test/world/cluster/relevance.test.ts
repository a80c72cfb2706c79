import { describe, expect, it } from 'vitest'
import type { Pod } from '../../../src/model/controllers/index.ts'
import { mirrorsEndpoints, movesCounts, movesEndpoints } from '../../../src/world/cluster/relevance.ts'

function pod(status: Pod['status'] = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'test', labels: { app: 'web' }, ...metadata },
    spec: { containers: [] },
    status
  }
}

function ready(status: string, lastTransitionTime: string = 't'): Pod['status'] {
  return { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status, lastTransitionTime }] }
}

describe('movesCounts()', () => {
  it('is false where only containers, addresses or versions changed', () => {
    const before = pod(ready('False'), { resourceVersion: '1' })
    const after = pod({ ...ready('False'), containerStatuses: [], podIP: '10.0.0.2' }, { resourceVersion: '2' })
    expect(movesCounts(after, before)).toBe(false)
  })

  it.each([
    ['readiness', pod(ready('True')), pod(ready('False'))],
    ['the time it became ready', pod(ready('True', 't2')), pod(ready('True'))],
    ['its end', pod({ phase: 'Failed' }), pod({ phase: 'Running' })],
    ['its deletion', pod({}, { deletionTimestamp: 't' }), pod()],
    ['labels', pod({}, { labels: { app: 'other' } }), pod()],
    ['owners', pod({}, { ownerReferences: [] }), pod()]
  ])('is true of %s', (_what, after, before) => {
    expect(movesCounts(after, before)).toBe(true)
  })
})

describe('movesEndpoints()', () => {
  it('is false where readiness was only renewed', () => {
    expect(movesEndpoints(pod(ready('True', 't2')), pod(ready('True')))).toBe(false)
  })

  it.each([
    ['readiness', pod(ready('True')), pod(ready('False'))],
    ['an address', pod({ podIP: '10.0.0.2' }), pod()],
    ['its deletion', pod({}, { deletionTimestamp: 't' }), pod()],
    ['labels', pod({}, { labels: {} }), pod()]
  ])('is true of %s', (_what, after, before) => {
    expect(movesEndpoints(after, before)).toBe(true)
  })
})

describe('mirrorsEndpoints()', () => {
  const service = (spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec })

  it('is true of Services without selector and of those that are gone', () => {
    expect(mirrorsEndpoints(undefined)).toBe(true)
    expect(mirrorsEndpoints(service({}))).toBe(true)
    expect(mirrorsEndpoints(service({ selector: {} }))).toBe(false)
  })
})
