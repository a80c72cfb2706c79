import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GoldenCase, GoldenTrace } from './golden/case.ts'
import { firstDifference } from './golden/compare.ts'
import { AsyncReplayer } from './golden/async-driver.ts'
import { replaySync } from './golden/sync-driver.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

/**
 * Golden traces of Flagger 1.44.0: replays each case and compares the whole trace.
 * `--driver async`: the controller talks to the API, the metrics server and the hooks over HTTP;
 * `--case <text>`: only cases whose name contains the text.
 */
export const suite: ConformanceSuite = {
  name: 'golden',
  defaultFolder: 'golden',
  async *run(folder, options) {
    const replayer = options['driver'] === 'async' ? await AsyncReplayer.start() : undefined
    const replay = async (golden: GoldenCase): Promise<GoldenTrace> =>
      replayer === undefined ? replaySync(golden) : await replayer.replay(golden)
    try {
      for (const file of readdirSync(join(folder, 'cases')).sort()) {
        if (!file.endsWith('.json') || !file.includes(options['case'] ?? '')) continue
        yield await outcomeOf(folder, file, replay)
      }
    } finally {
      await replayer?.stop()
    }
  }
}

async function outcomeOf(
  folder: string,
  file: string,
  replay: (golden: GoldenCase) => Promise<GoldenTrace>
): Promise<CaseOutcome> {
  const id = file.replace(/\.json$/, '')
  const tracePath = join(folder, 'traces', file)
  if (!existsSync(tracePath)) return { id, passed: false, firstDifference: `no trace ${tracePath}` }
  try {
    const expected = JSON.parse(readFileSync(tracePath, 'utf8')) as GoldenTrace
    const actual = await replay(JSON.parse(readFileSync(join(folder, 'cases', file), 'utf8')) as GoldenCase)
    const difference = firstDifference(expected, actual)
    return difference === undefined ? { id, passed: true } : { id, passed: false, firstDifference: difference }
  } catch (error) {
    return {
      id,
      passed: false,
      firstDifference: error instanceof Error ? (error.stack ?? error.message) : String(error)
    }
  }
}
