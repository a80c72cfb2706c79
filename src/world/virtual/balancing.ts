import { DEFAULT_LATENCY, Latency } from './latency.ts'
import type { VirtualContainer } from './container.ts'

/** How much slower an endpoint must be to lose nearly every choice. */
const CLEARLY_SLOWER = 1.5

/** Share of the choices that the slower of two endpoints still gets: its estimate falls while it is not asked. */
const SLOWER_SHARE = 0.02

/** Mean service time that a container's behaviour leads to, delays of its faults included; milliseconds. */
export function expectedMs(container: VirtualContainer | undefined): number {
  if (container === undefined) return 0
  const { spec } = container
  let mean = spec.latency === undefined ? 1 : new Latency(spec.latency, []).meanMs
  for (const fault of spec.faults) {
    if (fault.kind === 'delay') mean += fault.ratio * new Latency(DEFAULT_LATENCY, [fault.delay]).meanMs
  }
  return mean
}

/**
 * Shares of endpoints under power of two choices over peak-EWMA: pairs are equally likely, the clearly quicker one of a
 * pair is taken, two alike share evenly.
 * @see linkerd2-proxy v2.366.0 linkerd/pool/p2c
 */
export function shares(meansMs: readonly number[]): readonly number[] {
  const total = meansMs.map(() => 0)
  if (meansMs.length === 1) return [1]
  for (let left = 0; left < meansMs.length; left++) {
    for (let right = left + 1; right < meansMs.length; right++) {
      const a = meansMs[left] ?? 0
      const b = meansMs[right] ?? 0
      const share = a > b * CLEARLY_SLOWER ? SLOWER_SHARE : b > a * CLEARLY_SLOWER ? 1 - SLOWER_SHARE : 0.5
      total[left] = (total[left] ?? 0) + share
      total[right] = (total[right] ?? 0) + 1 - share
    }
  }
  return total
}
