import { Worker } from 'node:worker_threads'
import { makeObjectsYoung } from '../../src/cli/young-heap.ts'
import { WORKER_LIMITS } from '../../src/run/worker-limits.ts'

/** A process that does nothing but rollouts, in a thread and a heap like those that run virtual cases; their number is its argument. */
makeObjectsYoung()
const worker = new Worker(new URL('./virtual-rollout-worker.ts', import.meta.url), {
  workerData: Number(process.argv[2]),
  resourceLimits: WORKER_LIMITS
})
worker.once('message', (figures) => process.send?.(figures))
