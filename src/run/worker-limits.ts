import type { ResourceLimits } from 'node:worker_threads'

/**
 * Memory of a thread that runs cases. Without limits V8 lets the garbage of many short worlds grow to half a gigabyte before
 * it collects; with them a thousand virtual rollouts stay below 256 MB at the same speed, and one run has room enough.
 */
export const WORKER_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 1024 }
