import { Worker } from 'node:worker_threads'
import { WORKER_LIMITS } from '../../src/run/worker-limits.ts'
import type { VirtualRolloutFigures } from './virtual-rollout.ts'

/** Measures rollouts in a thread like those that run cases; nothing of the world is loaded outside it. */
export function benchVirtualRollouts(runs: number): Promise<VirtualRolloutFigures> {
  const worker = new Worker(new URL('./virtual-rollout-worker.ts', import.meta.url), {
    workerData: runs,
    resourceLimits: WORKER_LIMITS
  })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}
