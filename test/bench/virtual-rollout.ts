import { existsSync, readFileSync } from 'node:fs'
import type { WorldFigures } from '../../src/world/index.ts'
import { createVirtualWorld } from '../../src/world/virtual/index.ts'
import { rolloutSpec, SET_IMAGE } from '../world/embedded/fixture.ts'

/** Milliseconds of one 10 → 50 % canary in the virtual world on one core: the thread's own time, whoever else uses the machine. */
export interface VirtualRolloutFigures {
  readonly runs: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly leastMs: number
  /** Mean milliseconds of a run by what they were spent on; they sum to the mean. */
  readonly meanMsBy: Readonly<Record<string, number>>
  /** Most memory the process has had, and most it had had after {@link FIRST_RUNS} runs. */
  readonly peakRssBytes: number
  readonly firstRssBytes: number
}

/** Runs after which memory is looked at for the first time. */
const FIRST_RUNS = 1000

/**
 * Measures rollouts one after the other, each with a seed and a world of its own: interval 10 s, 20 requests a second,
 * two metrics, promoted to the end. Every run counts, the first ones too, in which code is loaded and compiled.
 * @param runs - default 200
 */
export function benchVirtualRollout(runs = 200): VirtualRolloutFigures {
  const times: number[] = []
  const wallMsBy = new Map<string, number>()
  let firstRssBytes = 0
  for (let seed = 0; seed < runs; seed++) {
    const start = process.threadCpuUsage()
    const figures = release(seed)
    const { user, system } = process.threadCpuUsage(start)
    times.push((user + system) / 1000)
    for (const [use, ms] of Object.entries(figures.wallMsBy)) wallMsBy.set(use, (wallMsBy.get(use) ?? 0) + ms)
    if (seed + 1 === FIRST_RUNS) firstRssBytes = peakRss()
  }
  const sorted = times.toSorted((left, right) => left - right)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
  const meanMs = sorted.reduce((sum, ms) => sum + ms, 0) / runs
  const wallMs = [...wallMsBy.values()].reduce((sum, ms) => sum + ms, 0)
  const meanMsBy = Object.fromEntries([...wallMsBy].map(([use, ms]) => [use, (ms / wallMs) * meanMs]))
  const peakRssBytes = peakRss()
  return { runs, meanMs, p50Ms: at(0.5), p99Ms: at(0.99), leastMs: at(0), meanMsBy, peakRssBytes, firstRssBytes }
}

/** Linux counts a process's usage on from what its parent had when it began; the peak of its own memory stands elsewhere. */
function peakRss(): number {
  const own = existsSync(STATUS) ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(STATUS, 'utf8'))?.[1] : undefined
  return (own === undefined ? process.resourceUsage().maxRSS : Number(own)) * 1024
}

const STATUS = '/proc/self/status'

function release(seed: number): WorldFigures {
  const world = createVirtualWorld(rolloutSpec([], { seed }))
  let ended = false
  world.onTrace((event) => {
    if (event.kind !== 'phase') return
    if (event.to === 'Initialized') world.runNow(SET_IMAGE, {}, () => {})
    ended ||= event.to === 'Succeeded'
  })
  if (!world.runUntil(600_000, () => ended)) throw new Error(`the rollout of seed ${seed} was not promoted`)
  void world.stop()
  return world.figures()
}
