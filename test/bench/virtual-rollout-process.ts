import { Worker } from 'node:worker_threads'
import { WORKER_LIMITS } from '../../src/run/worker-limits.ts'

/** A process that does nothing but rollouts, in a thread like those that run cases; their number is its argument. */
const worker = new Worker(new URL('./virtual-rollout-worker.ts', import.meta.url), {
  workerData: Number(process.argv[2]),
  resourceLimits: WORKER_LIMITS
})
worker.once('message', (figures) => process.send?.(figures))
