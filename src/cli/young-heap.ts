import { setFlagsFromString } from 'node:v8'

/**
 * Keeps the young part of the heap as small as it begins. V8 lets it grow to 128 MB under a world's many short-lived
 * objects: a run of one canary then peaks at 270 to 330 MB instead of 230, for no measurable gain in CPU time.
 * Threads that start later inherit it.
 */
export function keepYoungHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
