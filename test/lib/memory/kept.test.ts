import { expect, test } from 'vitest'
import { keptByParts, keptByText, keptOfFrozen } from '../../../src/lib/memory/index.ts'

test('keptByText computes a text once, undefined too, until there are too many; what is thrown is not kept', () => {
  const computed: string[] = []
  const lengthOf = keptByText(2, (text) => {
    computed.push(text)
    if (text === 'bad') throw new Error(text)
    return text === '' ? undefined : text.length
  })
  expect(['a', 'a', '', '', 'ccc', 'a'].map(lengthOf)).toEqual([1, 1, undefined, undefined, 3, 1])
  expect(computed).toEqual(['a', '', 'ccc', 'a'])
  expect(() => lengthOf('bad')).toThrow('bad')
  expect(() => lengthOf('bad')).toThrow('bad')
  expect(computed.filter((text) => text === 'bad')).toHaveLength(2)
})

test('keptOfFrozen computes a frozen object once, and one that may change each time', () => {
  let runs = 0
  const sumOf = keptOfFrozen(({ parts }: { parts: number[] }) => {
    runs++
    return parts.reduce((sum, part) => sum + part, 0)
  })
  const frozen = Object.freeze({ parts: [1, 2] })
  expect([sumOf(frozen), sumOf(frozen), runs]).toEqual([3, 3, 1])
  const open = { parts: [1] }
  expect(sumOf(open)).toBe(1)
  open.parts.push(4)
  expect([sumOf(open), runs]).toEqual([5, 3])
})

test('keptByParts computes the same parts once, however many there are, until there are too many', () => {
  const computed: string[] = []
  const joined = keptByParts(5, (...parts: readonly (string | undefined)[]) => {
    const text = parts.join('/')
    computed.push(text)
    return text
  })
  expect([joined('a', 'b'), joined('a'), joined('a', 'b', undefined)]).toEqual(['a/b', 'a', 'a/b/'])
  expect([joined('a', 'b'), joined('a'), joined('a', 'b', undefined)]).toEqual(['a/b', 'a', 'a/b/'])
  expect(computed).toEqual(['a/b', 'a', 'a/b/'])
  joined('c')
  joined('d')
  expect([joined('e'), joined('a', 'b'), joined('e')]).toEqual(['e', 'a/b', 'e'])
  expect(computed).toEqual(['a/b', 'a', 'a/b/', 'c', 'd', 'e', 'a/b'])
})
