import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { suite as exposition } from './exposition.suite.ts'
import { suite as linkerd } from './linkerd.suite.ts'
import { suite as promHttp } from './prom-http.suite.ts'
import { suite as promql } from './promql.suite.ts'

const shared = process.env['TWIN_SHARED'] ?? join(import.meta.dirname, '../../../shared')

/** Counts reached; they may only grow. */
const FLOORS = [
  { suite: exposition, floor: 379 },
  { suite: linkerd, floor: 560 },
  { suite: promHttp, floor: 194 },
  { suite: promql, floor: 1711 }
] as const

describe('conformance of metrics', () => {
  for (const { suite, floor } of FLOORS) {
    const folder = join(shared, suite.defaultFolder)
    it.skipIf(!existsSync(folder))(`${suite.name}: passes at least ${floor} cases`, async () => {
      let passed = 0
      for await (const outcome of suite.run(folder, {})) if (outcome.passed) passed++
      expect(passed).toBeGreaterThanOrEqual(floor)
    })
  }
})
