import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ConformanceSuite } from './suite.ts'

const shared = process.env['TWIN_SHARED'] ?? join(import.meta.dirname, '../../../shared')

/** A suite and how many cases it has passed so far. */
export interface Floor {
  readonly suite: ConformanceSuite
  readonly floor: number
}

/** Tests that each suite passes as many cases as before; skipped where its pack is absent. */
export function describeFloors(title: string, floors: readonly Floor[]): void {
  describe(title, () => {
    for (const { suite, floor } of floors) {
      const folder = join(shared, suite.defaultFolder)
      it.skipIf(!existsSync(folder))(`${suite.name}: passes at least ${floor} cases`, async () => {
        const failed: string[] = []
        let passed = 0
        for await (const outcome of suite.run(folder, {})) {
          if (outcome.passed) passed++
          else failed.push(outcome.id)
        }
        expect(passed, failed.slice(0, 20).join('\n')).toBeGreaterThanOrEqual(floor)
      })
    }
  })
}
