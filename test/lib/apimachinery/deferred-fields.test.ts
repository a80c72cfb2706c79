import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  deferredList,
  deferredNote,
  mergeTypeFromOpenApi,
  resetFieldSet,
  trackUpdate,
  trackUpdateLater,
  type JsonMap
} from '../../../src/lib/apimachinery/index.ts'

describe('deferredList', () => {
  test('computes its items once, when somebody looks', () => {
    let computed = 0
    const list = deferredList({}, () => {
      computed++
      return [{ name: 'a' }, { name: 'b' }]
    })
    const holder = { list }
    const shared = { ...holder }
    expect(computed).toBe(0)
    expect(JSON.stringify(shared)).toBe('{"list":[{"name":"a"},{"name":"b"}]}')
    expect(shared.list.map(({ name }) => name)).toEqual(['a', 'b'])
    expect([Array.isArray(list), list.length, computed]).toEqual([true, 2, 1])
  })

  test('is frozen whenever it is asked', () => {
    const list: { name: string }[] = deferredList({}, () => [{ name: 'a' }])
    expect(Object.isFrozen(list)).toBe(true)
    expect(() => list.push({ name: 'b' })).toThrow(TypeError)
    expect(() => Object.assign(list, { 0: { name: 'b' } })).toThrow(TypeError)
    expect(list).toEqual([{ name: 'a' }])
  })

  test('has a note until it is computed', () => {
    const note = { from: 'here' }
    const list = deferredList(note, () => [1])
    expect(deferredNote(list)).toBe(note)
    expect(list).toHaveLength(1)
    expect(deferredNote(list)).toBeUndefined()
    expect(deferredNote([1])).toBeUndefined()
  })
})

const type = mergeTypeFromOpenApi(
  {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          replicas: { type: 'integer' },
          ports: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['port'],
            items: { type: 'object', properties: { port: { type: 'integer' }, name: { type: 'string' } } }
          }
        }
      },
      status: { type: 'object', properties: { ready: { type: 'integer' } } }
    }
  },
  {},
  true
)

interface Write {
  readonly manager: string
  readonly replicas: number | undefined
  readonly ports: readonly { readonly port: number; readonly name?: string }[]
  readonly labels: Record<string, string>
  readonly isStatus: boolean
}

const write: fc.Arbitrary<Write> = fc.record({
  manager: fc.constantFrom('a', 'b', 'c'),
  replicas: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  ports: fc.uniqueArray(
    fc.record({ port: fc.integer({ min: 80, max: 82 }), name: fc.constantFrom('x', 'y') }, { requiredKeys: ['port'] }),
    { selector: ({ port }) => port }
  ),
  labels: fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('1', '2')),
  isStatus: fc.boolean()
})

function objectOf({ replicas, ports, labels }: Write, ready: number): JsonMap {
  const spec = { ...(replicas === undefined ? {} : { replicas }), ...(ports.length === 0 ? {} : { ports }) }
  const metadata = { name: 'w', ...(Object.keys(labels).length === 0 ? {} : { labels }) }
  return {
    apiVersion: 'g/v1',
    kind: 'W',
    metadata,
    ...(Object.keys(spec).length === 0 ? {} : { spec }),
    status: { ready }
  }
}

function play(track: typeof trackUpdate, writes: readonly Write[], looksAt: number): JsonMap[] {
  const stored: JsonMap[] = []
  for (const [index, one] of writes.entries()) {
    const live = stored.at(-1)
    const next = track({
      live,
      next: objectOf(one, index),
      type,
      manager: one.manager,
      apiVersion: 'g/v1',
      now: `2026-01-01T00:00:${String(index).padStart(2, '0')}Z`,
      ...(one.isStatus && live !== undefined ? { subresource: 'status' } : {}),
      ignored: resetFieldSet(one.isStatus ? [['spec']] : [['status']])
    })
    stored.push(next)
    if (index === looksAt) JSON.stringify(next)
  }
  return stored
}

describe('trackUpdateLater', () => {
  test('gives the entries that trackUpdate gives, whoever looks and when', () => {
    fc.assert(
      fc.property(
        fc.array(write, { minLength: 1, maxLength: 80 }),
        fc.integer({ min: -1, max: 80 }),
        (writes, looksAt) => {
          const eager = JSON.stringify(play(trackUpdate, writes, -1))
          expect(JSON.stringify(play(trackUpdateLater, writes, looksAt))).toBe(eager)
          // From the last one backwards, so that the whole chain is computed at once.
          const late = play(trackUpdateLater, writes, looksAt)
          const texts = late.toReversed().map((one) => JSON.stringify(one))
          expect(`[${texts.toReversed().join(',')}]`).toBe(eager)
        }
      ),
      { seed: 7, numRuns: 60 }
    )
  })
})
