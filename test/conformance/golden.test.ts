import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { GoldenCase, GoldenTrace } from './golden/case.ts'
import { firstDifference } from './golden/compare.ts'
import { replaySync } from './golden/sync-driver.ts'
import { suite } from './golden.suite.ts'
import { smallCase } from '../model/canary/quirk-cases.ts'

const shared = process.env['TWIN_SHARED'] ?? resolve(import.meta.dirname, '../../../shared')
const folder = join(shared, 'golden')
/** Cases that passed once keep passing. */
const FLOOR = 181

function readCase(id: string): GoldenCase {
  return JSON.parse(readFileSync(join(folder, 'cases', `${id}.json`), 'utf8'))
}

function readTrace(id: string): GoldenTrace {
  return JSON.parse(readFileSync(join(folder, 'traces', `${id}.json`), 'utf8'))
}

describe.skipIf(!existsSync(folder))('golden traces', () => {
  test('pass at least as often as before, in process', async () => {
    const failed: string[] = []
    let passed = 0
    for await (const outcome of suite.run(folder, {})) {
      if (outcome.passed) passed++
      else failed.push(`${outcome.id}: ${outcome.firstDifference ?? ''}`)
    }
    expect(passed, failed.join('\n')).toBeGreaterThanOrEqual(FLOOR)
  })

  test('pass over HTTP', async () => {
    for (const id of ['b02-success', 'hook-timeout', 'router-gateway-v1']) {
      for await (const outcome of suite.run(folder, { driver: 'async', case: id })) {
        expect(outcome.firstDifference).toBeUndefined()
      }
    }
  })

  test('an altered record fails its case, wherever it stands', () => {
    const actual = replaySync(readCase('b02-success'))
    const expected = readTrace('b02-success')
    expect(firstDifference(expected, actual)).toBeUndefined()
    for (const tick of expected.ticks) {
      for (const [index, record] of tick.records.entries()) {
        const altered = structuredClone(expected)
        const target = altered.ticks[tick.n]?.records[index]
        if (target !== undefined) target['altered'] = true
        expect(firstDifference(altered, actual), JSON.stringify(record)).toContain(`tick ${tick.n} record ${index}`)
      }
    }
  })

  test('a missing and an extra record fail', () => {
    const actual = replaySync(readCase('b02-success'))
    const shorter = readTrace('b02-success')
    shorter.ticks[1]?.records.pop()
    expect(firstDifference(shorter, actual)).toContain('tick 1 record')
    const longer = readTrace('b02-success')
    longer.ticks[12]?.records.push({ t: 'event', message: 'more' })
    expect(firstDifference(longer, actual)).toContain('tick 12 record 0')
  })
})

test('a manifest that is refused is told in every replay of cases that begin alike', () => {
  const nameless = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'No Name' } }
  const first = replaySync(smallCase({ manifests: [nameless] }))
  const second = replaySync(smallCase({ manifests: [nameless] }))
  expect(first.ticks[0]?.between?.[0]).toMatchObject({ t: 'admission', kind: 'ConfigMap', name: 'No Name', code: 422 })
  expect(second).toEqual(first)
  expect(replaySync(smallCase({})).ticks[0]?.between).not.toContainEqual(expect.objectContaining({ t: 'admission' }))
})
