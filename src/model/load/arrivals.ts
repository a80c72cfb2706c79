import { randomStream } from '../../lib/random/index.ts'

/** What an arrival schedule needs to know of a load. */
export interface ArrivalSpec {
  readonly name: string
  readonly ratePerSecond: number
  readonly arrivals: 'constant' | 'poisson'
  /** Milliseconds since the run's start. */
  readonly startMs: number
  readonly endMs?: number
}

/**
 * Arrival times of an open-loop load, milliseconds since the run's start, ascending, without end unless the load has one.
 * Constant arrivals are evenly spaced with a seeded phase, so that several loads do not fire together;
 * Poisson arrivals have independent exponential gaps.
 * @param seed - the run's seed; the stream is keyed by the load's name
 */
export function* arrivalTimes(spec: ArrivalSpec, seed: number): Generator<number, void, undefined> {
  if (!(spec.ratePerSecond > 0)) return
  const gapMs = 1000 / spec.ratePerSecond
  const random = randomStream(seed, 'arrivals', spec.name)
  const endMs = spec.endMs ?? Number.POSITIVE_INFINITY
  const phaseMs = random.next() * gapMs
  let at = spec.arrivals === 'constant' ? spec.startMs + phaseMs : spec.startMs + random.exponential(gapMs)
  for (let index = 1; at < endMs; index++) {
    yield at
    at = spec.arrivals === 'constant' ? spec.startMs + phaseMs + index * gapMs : at + random.exponential(gapMs)
  }
}
