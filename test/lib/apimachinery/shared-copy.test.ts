import { describe, expect, test } from 'vitest'
import {
  deepFreeze,
  deferredList,
  deferredNote,
  mapShared,
  sharedCopy,
  SoundValues,
  withoutUndefined
} from '../../../src/lib/apimachinery/index.ts'

describe('sharedCopy', () => {
  test('shares what is frozen and copies what its sender may change', () => {
    const spec = deepFreeze({ ports: [{ port: 80 }] })
    const body = { spec, metadata: { labels: { app: 'a' } }, status: undefined }
    const copy = sharedCopy(body) as typeof body
    body.metadata.labels.app = 'b'
    expect(copy).toStrictEqual({ spec: { ports: [{ port: 80 }] }, metadata: { labels: { app: 'a' } } })
    expect(copy.spec).toBe(spec)
  })

  test('does not look into lists that are still to be computed', () => {
    const list = deferredList({ pending: true }, () => [1])
    const copy = sharedCopy({ list }) as { list: unknown }
    expect(copy.list).toBe(list)
    expect(deferredNote(list)).toEqual({ pending: true })
  })
})

describe('mapShared and withoutUndefined', () => {
  test('give back the value itself where nothing changes', () => {
    const list = [{ a: 1 }, { b: [2] }]
    expect(mapShared(list, (item) => item)).toBe(list)
    expect(withoutUndefined(list)).toBe(list)
  })

  test('copy only what changes', () => {
    const list = [{ a: 1 }, { b: undefined, c: 2 }]
    const changed = withoutUndefined(list) as unknown[]
    expect(changed).toStrictEqual([{ a: 1 }, { c: 2 }])
    expect(changed[0]).toBe(list[0])
  })
})

describe('SoundValues', () => {
  test('check a frozen value until nothing is wrong with it', () => {
    const sound = new SoundValues()
    const value = Object.freeze({})
    let checks = 0
    const check = (): readonly string[] => (checks++ === 0 ? ['wrong'] : [])
    expect([1, 2, 3, 4].map(() => sound.findings(value, check).length)).toEqual([1, 0, 0, 0])
    expect(checks).toBe(2)
  })

  test('check a value that may change every time', () => {
    const sound = new SoundValues()
    let checks = 0
    for (const _round of [1, 2]) sound.findings({}, () => (checks++, []))
    expect(checks).toBe(2)
  })
})
