import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { suite as linkerdProxy } from './linkerd-proxy.suite.ts'
import { suite as loadtester } from './loadtester.suite.ts'
import { suite as podinfo } from './podinfo.suite.ts'

const shared = process.env['TWIN_SHARED'] ?? join(import.meta.dirname, '../../../shared')

/** Counts reached; they may only grow. */
const FLOORS = [
  { suite: podinfo, floor: 275 },
  { suite: loadtester, floor: 45 },
  { suite: linkerdProxy, floor: 123 }
] as const

describe('conformance of the data plane', () => {
  for (const { suite, floor } of FLOORS) {
    const folder = join(shared, suite.defaultFolder)
    it.skipIf(!existsSync(folder))(`${suite.name}: passes at least ${floor} cases`, async () => {
      let passed = 0
      for await (const outcome of suite.run(folder, {})) if (outcome.passed) passed++
      expect(passed).toBeGreaterThanOrEqual(floor)
    })
  }
})
