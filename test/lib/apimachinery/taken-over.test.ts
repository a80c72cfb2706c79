import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  deepCopy,
  deepFreeze,
  deferredList,
  deferredNote,
  takenOver,
  type JsonMap
} from '../../../src/lib/apimachinery/index.ts'

const bodies = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.jsonValue({ maxDepth: 4 })
) as fc.Arbitrary<JsonMap>

describe('takenOver', () => {
  test('gives parts that equal the stored ones as these', () => {
    const stored = deepFreeze({ metadata: { name: 'a' }, spec: { list: [{ x: 1 }, { y: 2 }], other: { z: [1] } } })
    const body = deepCopy({ ...stored, spec: { ...stored.spec, other: { z: [2] } } })
    const taken = takenOver(body, stored) as typeof stored
    expect(taken).toStrictEqual(body)
    expect(taken.metadata).toBe(stored.metadata)
    expect(taken.spec.list).toBe(stored.spec.list)
    expect(taken.spec.other).not.toBe(body.spec.other)
  })

  test('keeps the order of members that its sender chose', () => {
    const stored = deepFreeze({ spec: { a: 1, b: { c: 1, d: 2 } } })
    const taken = takenOver({ spec: { b: { d: 2, c: 1 }, a: 1 } }, stored)
    expect(JSON.stringify(taken)).toBe('{"spec":{"b":{"d":2,"c":1},"a":1}}')
  })

  test('gives the text of the body whatever is stored, in parts that nobody can change', () => {
    fc.assert(
      fc.property(bodies, bodies, fc.boolean(), (body, other, isMixed) => {
        const stored = deepFreeze(deepCopy(isMixed ? { ...body, ...other } : other))
        const text = JSON.stringify(body)
        const taken = takenOver(body, stored) as JsonMap
        expect(JSON.stringify(taken)).toBe(text)
        for (const [key, member] of Object.entries(taken)) {
          if (typeof member !== 'object' || member === null) continue
          expect(Object.isFrozen(member)).toBe(true)
          expect(member).not.toBe(body[key])
        }
        expect(takenOver(stored, stored)).toStrictEqual(stored)
      }),
      { seed: 7, numRuns: 500 }
    )
  })

  test('leaves out what is undefined, and does not look into lists that are still to be computed', () => {
    const list = deferredList({ pending: true }, () => [1])
    const stored = deepFreeze({ b: { c: 1 } })
    const taken = takenOver(
      { a: undefined, b: { c: 1, d: undefined }, metadata: { list } },
      { ...stored, metadata: { list: [1] } }
    )
    expect(deferredNote(list)).toEqual({ pending: true })
    expect(Object.keys(taken as object)).toEqual(['b', 'metadata'])
    expect((taken as { b: object }).b).toStrictEqual({ c: 1 })
  })
})
