import type { Instant } from '../../lib/time/index.ts'

const INITIAL_BACKOFF_MS = 10_000
const MAX_BACKOFF_MS = 300_000
/** A container that ran this long is forgiven its past. */
const FORGIVE_AFTER_MS = 2 * MAX_BACKOFF_MS

/** Back-off of one container's restarts or one image's pulls. */
export interface Backoff {
  readonly delayMs: number
  readonly updatedAt: Instant
}

/** When a container that ended may start again, and the back-off that holds from then on. */
export interface RestartPlan {
  readonly startAt: Instant
  /** Delay that is being waited for; 0: at once. */
  readonly waitedMs: number
  readonly backoff: Backoff
}

/**
 * The first restart is immediate; those after it wait 10 s, 20 s, … up to 300 s from the container's end.
 * @see kubernetes/pkg/kubelet doBackOff and client-go flowcontrol.Backoff, v1.36
 */
export function planRestart(backoff: Backoff | undefined, startedAt: Instant, endedAt: Instant): RestartPlan {
  const forgiven = backoff === undefined || endedAt - Math.max(backoff.updatedAt, startedAt) > FORGIVE_AFTER_MS
  if (forgiven) {
    return { startAt: endedAt, waitedMs: 0, backoff: { delayMs: INITIAL_BACKOFF_MS, updatedAt: endedAt } }
  }
  const startAt = endedAt + backoff.delayMs
  const delayMs = Math.min(backoff.delayMs * 2, MAX_BACKOFF_MS)
  return { startAt, waitedMs: backoff.delayMs, backoff: { delayMs, updatedAt: startAt } }
}

/** The next wait of an image pull that failed: 10 s doubling to 300 s. */
export function nextPullDelay(beforeMs: number | undefined): number {
  return beforeMs === undefined ? INITIAL_BACKOFF_MS : Math.min(beforeMs * 2, MAX_BACKOFF_MS)
}

/** A duration as the kubelet prints it in its messages: `10s`, `1m20s`, `5m0s`. */
export function backoffText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

/** Whether a container that ended with that code is started again. */
export function restarts(policy: string | undefined, exitCode: number): boolean {
  if (policy === 'Never') return false
  return policy !== 'OnFailure' || exitCode !== 0
}
