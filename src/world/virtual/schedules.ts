import type { Instant } from '../../lib/time/index.ts'
import { type Random, randomStream } from '../../lib/random/index.ts'
import type { LoadSpec } from '../../kinds/index.ts'
import { poisson } from './draws.ts'

/** How many requests a client sends; asked for stretches of time that follow each other. */
export interface Schedule {
  /** Number of requests since the last call (or the start) up to and including that time. @param meanMs - what answers took lately */
  take(to: Instant, meanMs: number): number
}

/** Open-loop arrivals of a load; Poisson arrivals are drawn per stretch. @see model/load */
export function openSchedule(spec: LoadSpec, seed: number, startInstant: Instant): Schedule {
  const random = randomStream(seed, 'arrivals', spec.name)
  const begin = startInstant + spec.startMs
  const end = spec.endMs === undefined ? Number.POSITIVE_INFINITY : startInstant + spec.endMs
  const gapMs = 1000 / spec.ratePerSecond
  if (!(spec.ratePerSecond > 0)) return { take: () => 0 }
  if (spec.arrivals === 'poisson') return poissonSchedule(random, { begin, end, gapMs })
  return evenSchedule({ begin: begin + random.next() * gapMs, end, gapMs })
}

interface Stretch {
  readonly begin: Instant
  readonly end: Instant
  readonly gapMs: number
}

function poissonSchedule(random: Random, { begin, end, gapMs }: Stretch): Schedule {
  let from = begin
  return {
    take(to): number {
      const until = Math.min(to, end)
      if (until <= from) return 0
      const mean = (until - from) / gapMs
      from = until
      return poisson(random, mean)
    }
  }
}

function evenSchedule({ begin, end, gapMs }: Stretch): Schedule {
  let sent = 0
  return {
    take(to): number {
      // A whisker of slack: the k-th arrival is due at begin + k gaps exactly.
      const due = to >= end ? Math.ceil((end - begin) / gapMs) : Math.floor((to - begin) / gapMs + 1e-9) + 1
      const count = Math.max(0, due - sent)
      sent += count
      return count
    }
  }
}

/** A closed loop of workers: slow_cooker, hey, wrk. */
export interface ClosedLoop {
  readonly workers: number
  /** Most requests of one worker per second; absent: the next follows the answer at once. */
  readonly ratePerWorker?: number
  /** Most requests in all. */
  readonly requests?: number
}

/** Two proxies' share of a request's time, which a closed loop waits for as well; milliseconds. */
const HOPS_MS = 0.6

/** Paces a closed loop: a worker sends at its rate, or as fast as answers come where those are slower. */
export function closedSchedule(loop: ClosedLoop, begin: Instant): Schedule {
  const { workers, ratePerWorker, requests = Number.POSITIVE_INFINITY } = loop
  const periodMs = ratePerWorker === undefined ? 0 : 1000 / ratePerWorker
  let from = begin
  /** Part of a round that is left over from the stretch before. */
  let part = 0
  let sent = 0
  return {
    take(to, meanMs): number {
      if (to <= from) return 0
      part += (to - from) / Math.max(periodMs, meanMs + HOPS_MS)
      from = to
      const rounds = Math.floor(part + 1e-9)
      part -= rounds
      const count = Math.min(requests - sent, rounds * workers)
      sent += count
      return count
    }
  }
}
