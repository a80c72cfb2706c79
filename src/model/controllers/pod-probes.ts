import type { Probe } from './shapes.ts'

/** Kinds of probes in the order the kubelet considers them. */
export type ProbeKind = 'startup' | 'liveness' | 'readiness'

/** Consecutive results of one probe. */
export interface ProbeCount {
  readonly successes: number
  readonly failures: number
}

/** What a result means: nothing yet, or the threshold reached. */
export type ProbeVerdict = 'undecided' | 'success' | 'failure'

/** No result so far. */
export const NO_RESULTS: ProbeCount = { successes: 0, failures: 0 }

/** Counts a result and says whether it crosses a threshold. @see kubernetes/pkg/kubelet/prober/worker.go, v1.36 */
export function countResult(
  probe: Probe,
  count: ProbeCount,
  ok: boolean
): { readonly count: ProbeCount; readonly verdict: ProbeVerdict } {
  const next = ok ? { successes: count.successes + 1, failures: 0 } : { successes: 0, failures: count.failures + 1 }
  if (ok) return { count: next, verdict: next.successes >= (probe.successThreshold ?? 1) ? 'success' : 'undecided' }
  return { count: next, verdict: next.failures >= (probe.failureThreshold ?? 3) ? 'failure' : 'undecided' }
}

/** Period of a probe in milliseconds. */
export function probePeriodMs(probe: Probe): number {
  return (probe.periodSeconds ?? 10) * 1000
}

/** Delay of the first probe after the container's start in milliseconds. */
export function probeDelayMs(probe: Probe): number {
  return (probe.initialDelaySeconds ?? 0) * 1000
}
