import type { Random } from '../../lib/random/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import type { Latency } from './latency.ts'
import type { TargetCounters } from './proxy-book.ts'

/** A probe that succeeds each time it is asked, as long as nothing changes. */
export interface StandingProbe {
  /** When it is to be asked next. */
  readonly due: Instant
  readonly periodMs: number
  readonly status: number
  readonly latency: Latency
  /** Where its requests are counted; nothing: nobody counts them. */
  counters(now: Instant): TargetCounters | undefined
  /** It has to be asked again from that time on. */
  resume(due: Instant): void
}

interface Standing {
  readonly probe: StandingProbe
  due: Instant
}

/** Probes of one pod that nobody asks, since their answers are known: their requests are counted when somebody looks. */
export class StandingProbes {
  readonly #random: Random
  readonly #standing = new Set<Standing>()

  constructor(random: Random) {
    this.#random = random
  }

  /** Takes a probe over. @returns ends it, without a word */
  add(probe: StandingProbe, now: () => Instant): () => void {
    const standing = { probe, due: probe.due }
    this.#standing.add(standing)
    return () => {
      if (this.#standing.delete(standing)) this.#count(standing, now())
    }
  }

  /** Counts what was asked before now. */
  count(now: Instant): void {
    for (const standing of this.#standing) this.#count(standing, now)
  }

  /** What they ask may answer otherwise from now on: all go back to being asked. */
  wake(now: Instant): void {
    if (this.#standing.size === 0) return
    const woken = [...this.#standing]
    this.#standing.clear()
    for (const standing of woken) {
      this.#count(standing, now)
      standing.probe.resume(standing.due)
    }
  }

  #count(standing: Standing, now: Instant): void {
    const { probe, due } = standing
    if (due >= now) return
    const count = Math.ceil((now - due) / probe.periodMs)
    standing.due += count * probe.periodMs
    const counters = probe.counters(now)
    if (counters === undefined) return
    counters.request(count, now)
    counters.latency(probe.status, probe.latency.draw(this.#random, count), now)
    counters.response({ status: probe.status, success: probe.status < 500 }, count, now)
  }
}
