import type { LoadTotals } from '../world/index.ts'

/** Share of the intended requests that must have been sent. */
const DELIVERED_SHARE_MIN = 0.99
/** Requests that may be under way when a run ends. */
const UNDER_WAY_MAX = 50

/** What is wrong with the delivery of the loads, or undefined. */
export function undelivered(loads: readonly LoadTotals[]): string | undefined {
  const late = loads.find((load) => load.delivered < load.intended * DELIVERED_SHARE_MIN - UNDER_WAY_MAX)
  if (late === undefined) return undefined
  return `load "${late.load}" delivered ${late.delivered} of ${late.intended} intended requests; the run says nothing`
}
