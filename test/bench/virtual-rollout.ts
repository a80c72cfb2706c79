import { createVirtualWorld } from '../../src/world/virtual/index.ts'
import { rolloutSpec, SET_IMAGE } from '../world/embedded/fixture.ts'

/** Milliseconds of one 10 → 50 % canary in the virtual world on one core: the thread's own time, whoever else uses the machine. */
export interface VirtualRolloutFigures {
  readonly runs: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly leastMs: number
  readonly peakRssBytes: number
}

/** Part of the runs that is not counted: code is compiled during it. */
const WARM_UP = 0.2

/**
 * Measures rollouts one after the other, each with a seed and a world of its own: interval 10 s, 20 requests a second,
 * two metrics, promoted to the end.
 * @param runs - default 200
 */
export function benchVirtualRollout(runs = 200): VirtualRolloutFigures {
  const times: number[] = []
  let peakRssBytes = 0
  for (let seed = 0; seed < runs; seed++) {
    const start = process.threadCpuUsage()
    release(seed)
    const { user, system } = process.threadCpuUsage(start)
    times.push((user + system) / 1000)
    peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())
  }
  const counted = times.slice(Math.floor(runs * WARM_UP)).toSorted((left, right) => left - right)
  const at = (share: number): number => counted[Math.floor(share * (counted.length - 1))] ?? Number.NaN
  const meanMs = counted.reduce((sum, ms) => sum + ms, 0) / counted.length
  return { runs, meanMs, p50Ms: at(0.5), p99Ms: at(0.99), leastMs: at(0), peakRssBytes }
}

function release(seed: number): void {
  const world = createVirtualWorld(rolloutSpec([], { seed }))
  let ended = false
  world.onTrace((event) => {
    if (event.kind !== 'phase') return
    if (event.to === 'Initialized') world.runNow(SET_IMAGE, {}, () => {})
    ended ||= event.to === 'Succeeded'
  })
  if (!world.runUntil(600_000, () => ended)) throw new Error(`the rollout of seed ${seed} was not promoted`)
  void world.stop()
}
