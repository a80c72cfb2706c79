/** Milliseconds between two looks at the memory, as in the embedded world. */
const MEMORY_LOOK_MS = 250

let lookedMs = Number.NEGATIVE_INFINITY
let bytes = 0

/**
 * Resident bytes of the process, as they were at most {@link MEMORY_LOOK_MS} ago: the system takes as long to count them as
 * a hundred requests do, and a process may run many worlds.
 */
export function residentBytes(): number {
  const nowMs = performance.now()
  if (nowMs - lookedMs >= MEMORY_LOOK_MS) {
    lookedMs = nowMs
    bytes = process.memoryUsage.rss()
  }
  return bytes
}
