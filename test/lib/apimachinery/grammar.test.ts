import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalQuantity,
  compareQuantities,
  conflictStatus,
  fieldErrorText,
  formatQuantity,
  hashObject,
  invalidError,
  invalidStatus,
  labelSelectorText,
  matchesFieldSelector,
  matchesLabelSelector,
  notFoundStatus,
  notSupportedError,
  parseFieldSelector,
  parseLabelSelector,
  parseQuantity,
  requiredError,
  selectorFromLabels,
  selectorFromObject
} from '../../../src/lib/apimachinery/index.ts'

describe('parseLabelSelector', () => {
  const labels = { app: 'web', tier: 'front', n: '5' }
  const cases: readonly (readonly [string, boolean])[] = [
    ['', true],
    ['app=web', true],
    ['app==web,tier!=back', true],
    ['app in (web, api),!gone', true],
    ['app notin (web)', false],
    ['missing notin (web)', true],
    ['tier', true],
    ['n>4', true],
    ['n<5', false],
    ['app=', false]
  ]
  test.each(cases)('matchesLabelSelector: %s is %s', (text, expected) => {
    const parsed = parseLabelSelector(text)
    expect(parsed.ok && matchesLabelSelector(parsed.value, labels)).toBe(expected)
  })

  test('says what it expected', () => {
    expect(parseLabelSelector('a b')).toEqual({
      ok: false,
      message: "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
    })
  })

  test('an absent selector of an object selects nothing, an empty one everything', () => {
    expect(matchesLabelSelector(selectorFromObject(undefined), labels)).toBe(false)
    expect(matchesLabelSelector(selectorFromObject({}), labels)).toBe(true)
    expect(matchesLabelSelector(selectorFromLabels({}), labels)).toBe(false)
  })

  test('labelSelectorText gives the sorted text form', () => {
    const selector = { matchLabels: { b: '1' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['y', 'x'] }] }
    expect(labelSelectorText(selectorFromObject(selector))).toBe('a in (x,y),b=1')
  })
})

describe('parseFieldSelector', () => {
  test('understands both operators and escapes', () => {
    const parsed = parseFieldSelector('metadata.name=a\\,b,status.phase!=Running')
    const fields: Readonly<Record<string, string>> = { 'metadata.name': 'a,b', 'status.phase': 'Pending' }
    expect(parsed.ok && matchesFieldSelector(parsed.value, (field) => fields[field] ?? '')).toBe(true)
  })
})

describe('quantities', () => {
  const cases: readonly (readonly [string | number, string])[] = [
    ['100m', '100m'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1000m', '1'],
    ['1000', '1k'],
    ['1024Ki', '1Mi'],
    ['1e3', '1e3'],
    ['0', '0'],
    [2, '2'],
    ['-1Mi', '-1Mi']
  ]
  test.each(cases)('canonicalQuantity: %s is %s', (input, expected) => {
    expect(canonicalQuantity(input)).toBe(expected)
  })

  test('parseQuantity refuses what is none', () => {
    for (const text of ['', 'lots', '12XX', '1.2.3', 'm']) expect(parseQuantity(text)).toBeUndefined()
  })

  test('formatQuantity keeps the value', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        fc.constantFrom('', 'm', 'k', 'Mi', 'Gi'),
        (amount, suffix) => {
          const quantity = parseQuantity(`${amount}${suffix}`)
          const again = quantity === undefined ? undefined : parseQuantity(formatQuantity(quantity))
          return quantity !== undefined && again !== undefined && compareQuantities(quantity, again) === 0
        }
      ),
      { seed: 42, numRuns: 300 }
    )
  })
})

describe('statuses', () => {
  test('notFoundStatus and conflictStatus have the texts of the API server', () => {
    const deployments = { group: 'apps', name: 'deployments' }
    expect(notFoundStatus(deployments, 'x')).toMatchObject({
      code: 404,
      reason: 'NotFound',
      message: 'deployments.apps "x" not found',
      details: { name: 'x', group: 'apps', kind: 'deployments' }
    })
    expect(conflictStatus(deployments, 'x').message).toBe(
      'Operation cannot be fulfilled on deployments.apps "x": the object has been modified; please apply your changes to the latest version and try again'
    )
  })

  test('invalidStatus lists several errors in brackets and equal ones once', () => {
    const error = requiredError('spec.a')
    const status = invalidStatus({ group: '', name: 'Pod' }, 'p', [error, error, invalidError('spec.b', -1, 'too low')])
    expect(status.message).toBe('Pod "p" is invalid: [spec.a: Required value, spec.b: Invalid value: -1: too low]')
    expect(status.details?.causes).toHaveLength(3)
  })

  test('fieldErrorText quotes enums and prints an absent path as <nil>', () => {
    expect(fieldErrorText(notSupportedError('x', 418, [301, 302]))).toBe(
      'x: Unsupported value: 418: supported values: "301", "302"'
    )
    expect(fieldErrorText(invalidError('', null, 'why'))).toBe('<nil>: Invalid value: null: why')
  })
})

describe('hashObject', () => {
  test('depends on content, not on the order of keys, and uses the safe alphabet', () => {
    expect(hashObject({ a: 1, b: 2 })).toBe(hashObject({ b: 2, a: 1 }))
    expect(hashObject({ a: 1 })).not.toBe(hashObject({ a: 2 }))
    expect(hashObject({ a: 1 }, 1)).not.toBe(hashObject({ a: 1 }))
    expect(hashObject({ a: 1 })).toMatch(/^[456789bcdf]{6,10}$/)
  })
})
