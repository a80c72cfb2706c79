import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { suite as cel } from './cel.suite.ts'
import { suite as jsonPatch } from './json-patch.suite.ts'
import { suite as smd } from './smd.suite.ts'
import type { ConformanceSuite } from './suite.ts'

const shared = process.env['TWIN_SHARED'] ?? join(import.meta.dirname, '../../../shared')

/** Cases that may fail at most; the number only ever falls. */
const LIMITS: readonly (readonly [ConformanceSuite, number])[] = [
  [jsonPatch, 0],
  [smd, 0],
  [cel, 423]
]

for (const [suite, limit] of LIMITS) {
  const folder = join(shared, suite.defaultFolder)
  test.skipIf(!existsSync(folder))(
    `${suite.name}: at most ${limit} cases fail (skipped without ${folder})`,
    async () => {
      const failed: string[] = []
      let passed = 0
      for await (const outcome of suite.run(folder, {})) {
        if (outcome.passed) passed += 1
        else failed.push(outcome.id)
      }
      expect(passed).toBeGreaterThan(0)
      expect(failed.length, failed.slice(0, 20).join('\n')).toBeLessThanOrEqual(limit)
    }
  )
}
