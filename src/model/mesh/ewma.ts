import type { Instant } from '../../lib/time/index.ts'

/** Estimate of a new endpoint, milliseconds. */
const DEFAULT_RTT_MS = 30
const DECAY_MS = 10_000

/**
 * Peak-EWMA estimate of an endpoint's response time: jumps up at once, comes down with a ten-second decay.
 * @see tower 0.4 load/peak_ewma.rs as linkerd2-proxy v2.366.0 uses it
 */
export class PeakEwma {
  #estimateMs = DEFAULT_RTT_MS
  #updatedAt: Instant
  /** Requests on their way. */
  pending = 0

  constructor(now: Instant) {
    this.#updatedAt = now
  }

  /** Takes in a measured response time. */
  observe(rttMs: number, now: Instant): void {
    if (this.#estimateMs < rttMs) this.#estimateMs = rttMs
    else {
      const decay = Math.exp(-(now - this.#updatedAt) / DECAY_MS)
      this.#estimateMs = this.#estimateMs * decay + rttMs * (1 - decay)
    }
    this.#updatedAt = now
  }

  /** What a request would cost here: the decayed estimate times the requests it would share with. */
  load(now: Instant): number {
    this.observe(0, now)
    return this.#estimateMs * (this.pending + 1)
  }
}
