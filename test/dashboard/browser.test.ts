import { describe, expect, test } from 'vitest'
import { openBrowser } from '../../src/dashboard/index.ts'

describe('openBrowser()', () => {
  test('starts nothing where there is no display', async () => {
    expect(await openBrowser('http://localhost:1', 'linux', {})).toBe(false)
  })
})
