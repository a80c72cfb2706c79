import type { Engine } from '../../lib/promql/index.ts'

/** Whose requests, and how far back. */
export interface UserRequestsOf {
  readonly workload: string
  readonly namespace: string
  readonly windowMs: number
}

/**
 * User requests that reached the canary's pods in the window, as far as samples show them: the growth of their series
 * between first and last sample, admin and probe traffic left out.
 */
export function countUserRequests(engine: Engine, of: UserRequestsOf, now: number): number {
  const { workload, namespace, windowMs } = of
  const seconds = Math.max(1, Math.round(windowMs / 1000))
  const selector = `response_total{namespace="${namespace}",deployment="${workload}",direction="inbound",target_port!="4191",route_name!="probe"}[${seconds}s]`
  const outcome = engine.instant(selector, now)
  if (!outcome.ok || outcome.value.type !== 'matrix') return 0
  let total = 0
  for (const { values } of outcome.value.series) {
    for (let index = 1; index < values.length; index++) {
      const growth = (values[index] ?? 0) - (values[index - 1] ?? 0)
      total += growth >= 0 ? growth : (values[index] ?? 0)
    }
  }
  return Math.round(total)
}
