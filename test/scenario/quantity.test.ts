import { expect, test } from 'vitest'
import { parseDurationMs, parseQuantity, parseRatePerSecond, parseRatio } from '../../src/scenario/quantity.ts'
import { nearestWord } from '../../src/scenario/suggestion.ts'

test('parseRatio() takes fractions, percentages and numbers between 0 and 1', () => {
  expect(['1/2', '5%', 0.25, '0', '1'].map((text) => parseRatio(text))).toEqual([0.5, 0.05, 0.25, 0, 1])
  expect(['3/2', '1/0', '-5%', '101%', 'half', ''].map((text) => parseRatio(text))).toEqual(Array(6).fill(undefined))
})

test('parseRatePerSecond() takes a number per second, minute or hour', () => {
  expect(['20/s', '600/m', '3600/h', 2].map((text) => parseRatePerSecond(text))).toEqual([20, 10, 1, 2])
  expect(['0/s', '20', '20/d', 'fast', 0, -1].map((text) => parseRatePerSecond(text))).toEqual(Array(6).fill(undefined))
})

test('parseDurationMs() takes Go durations up to a week', () => {
  expect(['1m30s', '500ms', '0', '168h'].map((text) => parseDurationMs(text))).toEqual([90_000, 500, 0, 604_800_000])
  expect(['169h', '-1s', '30', 'soon'].map((text) => parseDurationMs(text))).toEqual(Array(4).fill(undefined))
})

test('parseQuantity() keeps counts and shares apart', () => {
  expect(parseQuantity('6%')).toEqual({ value: 0.06, unit: 'share' })
  expect(parseQuantity(6)).toEqual({ value: 6, unit: 'count' })
  expect(parseQuantity('six')).toBeUndefined()
})

test('nearestWord() finds slips of a letter or two and nothing far', () => {
  expect(nearestWord('manifest', ['manifests', 'images'])).toBe('manifests')
  expect(nearestWord('wiat', ['wait', 'run'])).toBe('wait')
  expect(nearestWord('banana', ['wait', 'run'])).toBeUndefined()
})
