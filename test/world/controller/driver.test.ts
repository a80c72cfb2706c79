import { describe, expect, test } from 'vitest'
import type { Effect } from '../../../src/world/controller/index.ts'
import { drive } from '../../../src/world/controller/driver.ts'

type TestPlan = Generator<Effect, number, unknown>

function* sum(count: number): TestPlan {
  let total = 0
  for (let index = 0; index < count; index++) total += (yield { effect: 'now' }) as number
  return total
}

describe('drive()', () => {
  test('hands results back, however many are answered at once, without recursion', () => {
    let value: unknown
    drive(
      sum(100_000),
      (_effect, resume) => resume(1),
      (outcome) => (value = outcome)
    )
    expect(value).toEqual({ value: 100_000 })
  })

  test('waits for late answers', () => {
    const waiting: ((result: unknown) => void)[] = []
    let value: unknown
    drive(
      sum(2),
      (_effect, resume) => waiting.push(resume),
      (outcome) => (value = outcome)
    )
    waiting.shift()?.(3)
    expect(value).toBeUndefined()
    waiting.shift()?.(4)
    expect(value).toEqual({ value: 7 })
  })

  test('performs nothing more once abandoned', () => {
    const waiting: ((result: unknown) => void)[] = []
    let finished = false
    const abandon = drive(
      sum(2),
      (_effect, resume) => waiting.push(resume),
      () => (finished = true)
    )
    abandon()
    waiting.shift()?.(1)
    expect(waiting).toHaveLength(0)
    expect(finished).toBe(false)
  })

  test('reports an error of the plan', () => {
    let outcome: unknown
    const broken = (function* (): TestPlan {
      yield { effect: 'now' }
      throw new Error('boom')
    })()
    drive(
      broken,
      (_effect, resume) => resume(0),
      (result) => (outcome = result)
    )
    expect(outcome).toEqual({ error: new Error('boom') })
  })
})
