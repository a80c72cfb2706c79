import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  deepEqual
} from '../../../src/lib/apimachinery/index.ts'

describe('applyJsonPatch', () => {
  test('applies operations in order and leaves the document alone', () => {
    const doc = { list: [1, 3] }
    const outcome = applyJsonPatch(doc, [
      { op: 'add', path: '/list/1', value: 2 },
      { op: 'test', path: '/list/-1', value: 3 }
    ])
    expect(outcome).toEqual({ ok: true, value: { list: [1, 2, 3] } })
    expect(doc).toEqual({ list: [1, 3] })
  })

  test('names the path of a failed test operation', () => {
    expect(applyJsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: 2 }])).toEqual({
      ok: false,
      kind: 'test',
      message: 'testing value /a failed: test failed'
    })
  })

  test('replaces a missing member in the Kubernetes dialect and refuses it in the standard one', () => {
    const patch = [{ op: 'replace', path: '/b', value: 1 }]
    expect(applyJsonPatch({}, patch)).toEqual({ ok: true, value: { b: 1 } })
    expect(applyJsonPatch({}, patch, 'rfc6902').ok).toBe(false)
  })

  test('cannot reach a prototype', () => {
    applyJsonPatch({}, [{ op: 'add', path: '/__proto__/polluted', value: true }])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
})

describe('applyMergePatch', () => {
  test('a patch of the result onto the original gives the result for documents without nulls', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.string(),
        fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4 })
      )
    })).value
    fc.assert(
      fc.property(json, json, (left, right) => {
        const merged = applyMergePatch(left, right)
        return deepEqual(applyMergePatch(merged, right), merged)
      }),
      { seed: 42, numRuns: 200 }
    )
  })

  test('removes members that are null', () => {
    expect(applyMergePatch({ a: { b: 1, c: 2 } }, { a: { b: null } })).toEqual({ a: { c: 2 } })
  })
})

describe('applyStrategicMergePatch', () => {
  const schema = {
    properties: {
      items: {
        type: 'array',
        'x-kubernetes-patch-merge-key': 'name',
        'x-kubernetes-patch-strategy': 'merge',
        items: { type: 'object', properties: { name: { type: 'string' } } }
      }
    }
  }

  test('merges lists by their key and replaces them without a schema', () => {
    const doc = { items: [{ name: 'a', v: 1 }, { name: 'b' }] }
    const patch = { items: [{ name: 'a', w: 2 }] }
    const merged = [{ name: 'a', v: 1, w: 2 }, { name: 'b' }]
    expect(applyStrategicMergePatch(doc, patch, schema)).toEqual({ ok: true, value: { items: merged } })
    expect(applyStrategicMergePatch(doc, patch)).toEqual({ ok: true, value: patch })
  })

  test('refuses an item without the merge key', () => {
    expect(applyStrategicMergePatch({ items: [{ name: 'a' }] }, { items: [{ v: 1 }] }, schema)).toEqual({
      ok: false,
      kind: 'apply',
      message: 'map: map[v:1] does not contain declared merge key: name'
    })
  })
})
