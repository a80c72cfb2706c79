import type { Instant } from '../../lib/time/index.ts'
import type { ControllerEvent } from '../../model/controllers/index.ts'

/** From this many different messages of one kind on, they are combined. */
const SIMILAR_MAX = 10
/** Similar events this long apart start afresh. */
const SIMILAR_WINDOW_MS = 600_000
/** Events one component may report about one object at once; then one per five minutes. */
const BURST = 25
const REFILL_MS = 300_000
/** Objects and kinds of events remembered. */
const MAX_REMEMBERED = 4096

interface Similar {
  readonly messages: Set<string>
  lastAt: Instant
}

interface Bucket {
  tokens: number
  filledAt: Instant
}

/** An event to store and the key of its repetitions; no event: too many of them. */
export interface Correlated {
  readonly event: ControllerEvent | undefined
  readonly key: string
}

/**
 * Combines similar events and drops floods, as every client of Kubernetes does.
 * @see client-go/tools/record/events_cache.go, v0.36
 */
export class EventCorrelator {
  readonly #similar = new Map<string, Similar>()
  readonly #buckets = new Map<string, Bucket>()

  /** What is to be stored for an event that happened now. */
  correlate(event: ControllerEvent, now: Instant): Correlated {
    const { uid = '' } = event.about.metadata
    const subject = [uid, event.component, event.host ?? ''].join('\u0000')
    const kind = [subject, event.type, event.reason, event.fieldPath ?? ''].join('\u0000')
    const combined = this.#isOneOfMany(kind, event.message, now)
    const key = combined ? kind : `${kind}\u0000${event.message}`
    // Events of the newer API (the scheduler's) are not filtered.
    if (event.action === undefined && !this.#mayPass(subject, now)) return { event: undefined, key }
    if (!combined) return { event, key }
    return { event: { ...event, message: `(combined from similar events): ${event.message}` }, key }
  }

  #isOneOfMany(kind: string, message: string, now: Instant): boolean {
    const known = this.#similar.get(kind)
    const similar = known === undefined || now - known.lastAt > SIMILAR_WINDOW_MS ? fresh(now) : known
    similar.lastAt = now
    similar.messages.add(message)
    remember(this.#similar, kind, similar)
    if (similar.messages.size < SIMILAR_MAX) return false
    const first = similar.messages.values().next()
    if (first.value !== undefined) similar.messages.delete(first.value)
    return true
  }

  #mayPass(subject: string, now: Instant): boolean {
    const bucket = this.#buckets.get(subject) ?? { tokens: BURST, filledAt: now }
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.filledAt) / REFILL_MS)
    bucket.filledAt = now
    remember(this.#buckets, subject, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }
}

function fresh(now: Instant): Similar {
  return { messages: new Set(), lastAt: now }
}

/** Keeps the most recently used entries. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next()
  if (map.size > MAX_REMEMBERED && oldest.value !== undefined) map.delete(oldest.value)
}
