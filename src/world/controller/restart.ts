const FIRST_MS = 10_000
const MAX_MS = 300_000

/**
 * How long a controller that died stays down: the kubelet's back-off of a container that keeps crashing.
 * @param crashes - how often it died before
 */
export function restartPauseMs(crashes: number): number {
  return Math.min(MAX_MS, FIRST_MS * 2 ** crashes)
}
