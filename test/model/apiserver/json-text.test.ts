import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonText } from '../../../src/model/apiserver/json-text.ts'

describe('parseJsonText()', () => {
  test('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        const parsed = parseJsonText(text)
        expect(parsed.ok && JSON.stringify(parsed.value)).toBe(text)
      }),
      { seed: 11, numRuns: 200 }
    )
  })

  test('keeps the last of repeated names and says which object had them', () => {
    const parsed = parseJsonText('{"spec":{"a":1,"a":2}}')
    expect(parsed).toMatchObject({ ok: true, value: { spec: { a: 2 } } })
    if (!parsed.ok) return
    const { spec } = parsed.value as { spec: object }
    expect(parsed.duplicates.get(spec)).toEqual(['a'])
  })

  test.each([
    ['{"a":', 'unexpected end of JSON input'],
    ['not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['{bad', "invalid character 'b' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"]
  ])('refuses %s in the words of Go', (text, message) => {
    expect(parseJsonText(text)).toEqual({ ok: false, message })
  })
})
