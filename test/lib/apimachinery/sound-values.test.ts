import { describe, expect, test } from 'vitest'
import { mapShared, SoundValues, withoutUndefined } from '../../../src/lib/apimachinery/index.ts'

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
