import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { GoldenCase, GoldenTrace } from '../../conformance/golden/case.ts'
import { firstDifference } from '../../conformance/golden/compare.ts'
import { replaySync } from '../../conformance/golden/sync-driver.ts'

const FOLDER = join(import.meta.dirname, 'recordings')

interface Recording {
  /** Where the trace comes from. */
  readonly recording: string
  readonly case: GoldenCase
  readonly trace: GoldenTrace
}

/** Small hand-written cases, each with what Flagger 1.44.0 itself did in this project's world. */
describe('the controller does what Flagger 1.44.0 was recorded to do:', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
    const { case: golden, trace } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Recording
    test(golden.title ?? golden.id, () => {
      expect(firstDifference(trace, replaySync(golden))).toBeUndefined()
    })
  }
})
