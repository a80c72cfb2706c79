import { describe, expect, test } from 'vitest'
import { parseDuration, parseFloat64, quote } from '../../../src/lib/golang/index.ts'

describe('parseDuration()', () => {
  test.each([
    ['1m30s', 90_000],
    ['-1.5h', -5_400_000],
    ['0', 0],
    ['1.5ns', 0.000_001]
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, ms })
  })

  test.each([
    ['', 'time: invalid duration ""'],
    ['5', 'time: missing unit in duration "5"'],
    ['10sec', 'time: unknown unit "sec" in duration "10sec"'],
    ['1ä', 'time: unknown unit "\\xc3\\xa4" in duration "1\\xc3\\xa4"'],
    ['.s', 'time: invalid duration ".s"'],
    ['99999999999999999999s', 'time: invalid duration "99999999999999999999s"']
  ])('%s is refused', (text, error) => {
    expect(parseDuration(text)).toEqual({ ok: false, error })
  })
})

describe('parseFloat64()', () => {
  test.each([
    ['1e3', 1000],
    ['+Inf', Infinity],
    ['-infinity', -Infinity],
    ['0x1p-2', 0.25]
  ])('%s', (text, value) => {
    expect(parseFloat64(text)).toEqual({ ok: true, value })
  })

  test.each([
    ['abc', 'strconv.ParseFloat: parsing "abc": invalid syntax'],
    ['-NaN', 'strconv.ParseFloat: parsing "-NaN": invalid syntax'],
    ['1e309', 'strconv.ParseFloat: parsing "1e309": value out of range']
  ])('%s is refused', (text, error) => {
    expect(parseFloat64(text)).toEqual({ ok: false, error })
  })
})

test('quote() escapes what does not print', () => {
  expect(quote('a"\\\n\u0000ä\u00a0\u2028😀')).toBe('"a\\"\\\\\\n\\x00ä\\u00a0\\u2028😀"')
})
