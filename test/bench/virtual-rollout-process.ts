import { Worker } from 'node:worker_threads'
import { keepYoungHeapSmall } from '../../src/cli/young-heap.ts'
import { WORKER_LIMITS } from '../../src/run/worker-limits.ts'

/** A process that does nothing but rollouts, in a thread like those that run cases, in a heap like theirs; their number is its argument. */
keepYoungHeapSmall()
const worker = new Worker(new URL('./virtual-rollout-worker.ts', import.meta.url), {
  workerData: Number(process.argv[2]),
  resourceLimits: WORKER_LIMITS
})
worker.once('message', (figures) => process.send?.(figures))
