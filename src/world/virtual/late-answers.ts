import type { Random } from '../../lib/random/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import { binomial } from './draws.ts'

/** Answers that take less are counted with their requests, milliseconds. */
const SOON_MS = 100

/** Requests that were sent between two instants, evenly. */
export interface Span {
  readonly from: Instant
  readonly to: Instant
}

interface Late {
  readonly from: Instant
  readonly to: Instant
  count: number
  readonly answered: (count: number) => void
}

/** Answers on their way: a slow version's requests are counted at once, its responses when they have come. */
export class LateAnswers {
  readonly #random: Random
  #late: Late[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** Answers to requests of that span after that time; `answered` hears their numbers as they come. */
  add(span: Span, afterMs: number, count: number, answered: (count: number) => void): void {
    if (afterMs < SOON_MS) answered(count)
    else this.#late.push({ from: span.from + afterMs, to: span.to + afterMs, count, answered })
  }

  /** Counts what has come by now. */
  settle(now: Instant): void {
    if (this.#late.length === 0) return
    const due = this.#late.filter(({ from }) => from < now)
    for (const late of due) this.#count(late, now)
    this.#late = this.#late.filter(({ count }) => count > 0)
  }

  /** The part that has come by now leaves the line: what is left is spread over the rest of its span. */
  #count(late: Late, now: Instant): void {
    const share = late.to <= now ? 1 : (now - late.from) / (late.to - late.from)
    const come = binomial(this.#random, late.count, share)
    late.count -= come
    if (come > 0) late.answered(come)
    if (late.count > 0) this.#late.push({ ...late, from: now })
    late.count = 0
  }
}
