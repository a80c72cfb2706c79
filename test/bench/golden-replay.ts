import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GoldenCase, GoldenTrace } from '../conformance/golden/case.ts'
import { firstDifference } from '../conformance/golden/compare.ts'
import { replaySync } from '../conformance/golden/sync-driver.ts'
import { roomShares } from './room-shares.ts'

/** Replay and comparison of every golden case, one after the other in this process; the files are read before. */
export interface GoldenReplayFigures {
  readonly cases: number
  readonly passed: number
  /** Seconds on the wall, of a process in which none of it has run before. */
  readonly wallSeconds: number
  /** Seconds of the thread itself, whoever else uses the machine. */
  readonly threadSeconds: number
  /** Seconds of the thread the second time, with everything compiled. */
  readonly againSeconds: number
  /** Share of the time by room, of a third time under a profiler; largest first. */
  readonly shares: ReadonlyMap<string, number>
}

/** Measures the synchronous driver. @param folder - the golden pack */
export async function benchGoldenReplay(folder: string): Promise<GoldenReplayFigures> {
  const recordings = readRecordings(folder)
  const start = performance.now()
  const first = timed(() => replayAll(recordings))
  const wallSeconds = (performance.now() - start) / 1000
  const again = timed(() => replayAll(recordings))
  const shares = await roomShares(() => replayAll(recordings))
  return {
    cases: recordings.length,
    passed: first.value,
    wallSeconds,
    threadSeconds: first.seconds,
    againSeconds: again.seconds,
    shares
  }
}

function timed(run: () => number): { readonly value: number; readonly seconds: number } {
  const start = process.threadCpuUsage()
  const value = run()
  const { user, system } = process.threadCpuUsage(start)
  return { value, seconds: (user + system) / 1e6 }
}

interface Recording {
  readonly golden: GoldenCase
  readonly trace: GoldenTrace
}

function readRecordings(folder: string): Recording[] {
  const read = (part: string, file: string): unknown => JSON.parse(readFileSync(join(folder, part, file), 'utf8'))
  return readdirSync(join(folder, 'cases'))
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ golden: read('cases', file) as GoldenCase, trace: read('traces', file) as GoldenTrace }))
}

/** Number of cases whose whole trace is the recorded one. */
function replayAll(recordings: readonly Recording[]): number {
  return recordings.filter(({ golden, trace }) => firstDifference(trace, replaySync(golden)) === undefined).length
}
