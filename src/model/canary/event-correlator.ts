import type { Instant } from '../../lib/time/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import type { CanaryRef } from './effects.ts'

/** From this many distinct messages on, an event is written in aggregated form. */
const DISTINCT_MESSAGES_MAX = 10
/** A pause this long between events forgets the messages seen. */
const AGGREGATION_WINDOW_MS = 600_000
/** Events per canary and type that may be written at once. */
const BURST = 25
/** One more event may be written each time this long has passed. */
const REFILL_MS = 300_000
/** Entries of each cache, oldest dropped first. */
const CACHE_MAX = 4096

/** An event as a plan yields it. */
export interface RecordedEvent {
  readonly canary: CanaryRef
  readonly type: 'Normal' | 'Warning'
  readonly message: string
}

/** What is to be sent to the API server. */
export type EventWrite =
  | {
      readonly verb: 'create'
      readonly namespace: string
      readonly body: Readonly<Record<string, unknown>>
      readonly key: string
    }
  | {
      readonly verb: 'patch'
      readonly namespace: string
      readonly name: string
      readonly body: Readonly<Record<string, unknown>>
      readonly key: string
      /** The whole event, created when the server has lost the patched one. */
      readonly fallback: Readonly<Record<string, unknown>>
    }

interface Aggregate {
  messages: Set<string>
  lastMs: Instant
}

interface Observation {
  readonly name: string
  readonly count: number
  readonly firstTimestamp: string
}

interface Bucket {
  tokens: number
  lastMs: Instant
}

/**
 * client-go's three stages before an event reaches the API server: aggregation of many messages, counting of repeats,
 * and a token bucket per canary and type.
 * @see k8s.io/client-go tools/record/events_cache.go v0.36.2
 */
export class EventCorrelator {
  readonly #aggregates = new Map<string, Aggregate>()
  readonly #observations = new Map<string, Observation>()
  readonly #buckets = new Map<string, Bucket>()
  readonly #pick: (below: number) => number
  #names = 0

  /** @param pick - a random whole number below the argument; decides which message is forgotten */
  constructor(pick: (below: number) => number) {
    this.#pick = pick
  }

  /** The write for an event, or undefined when the spam filter drops it. */
  correlate(event: RecordedEvent, now: Instant): EventWrite | undefined {
    const group = groupKey(event)
    const aggregated = this.#aggregate(event, group, now)
    const message = aggregated ? `(combined from similar events): ${event.message}` : event.message
    const key = aggregated ? group : `${group}|${event.message}`
    const before = this.#observations.get(key)
    const timestamp = formatTimestamp(now)
    const observed: Observation = {
      name: before?.name ?? this.#name(event, now),
      count: (before?.count ?? 0) + 1,
      firstTimestamp: before?.firstTimestamp ?? timestamp
    }
    remember(this.#observations, key, observed)
    if (!this.#mayWrite(group, now)) return undefined
    const body = eventObject(event, observed, { message, timestamp, aggregated })
    const { namespace } = event.canary
    if (before === undefined) return { verb: 'create', namespace, body, key }
    const patch = { count: observed.count, lastTimestamp: timestamp, message }
    return { verb: 'patch', namespace, name: observed.name, body: patch, key, fallback: body }
  }

  #aggregate(event: RecordedEvent, group: string, now: Instant): boolean {
    const known = this.#aggregates.get(group)
    const expired = known === undefined || now - known.lastMs > AGGREGATION_WINDOW_MS
    const record = expired ? { messages: new Set<string>(), lastMs: now } : known
    record.messages.add(event.message)
    record.lastMs = now
    remember(this.#aggregates, group, record)
    if (record.messages.size < DISTINCT_MESSAGES_MAX) return false
    const forgotten = [...record.messages][this.#pick(record.messages.size)]
    if (forgotten !== undefined) record.messages.delete(forgotten)
    return true
  }

  #mayWrite(group: string, now: Instant): boolean {
    const bucket = this.#buckets.get(group) ?? { tokens: BURST, lastMs: now }
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.lastMs) / REFILL_MS)
    bucket.lastMs = now
    remember(this.#buckets, group, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  /** `<canary>.<hex of nanoseconds>`; a running number keeps names of one instant apart. */
  #name({ canary }: RecordedEvent, now: Instant): string {
    return `${canary.name}.${(BigInt(Math.floor(now)) * 1_000_000n + BigInt(this.#names++ % 1_000_000)).toString(16)}`
  }
}

function groupKey({ canary, type }: RecordedEvent): string {
  return `${canary.namespace}/${canary.name}/${canary.uid}|${type}`
}

function remember<Value>(cache: Map<string, Value>, key: string, value: Value): void {
  cache.delete(key)
  cache.set(key, value)
  const oldest = cache.keys().next().value
  if (cache.size > CACHE_MAX && oldest !== undefined) cache.delete(oldest)
}

function eventObject(
  { canary, type }: RecordedEvent,
  observed: Observation,
  { message, timestamp, aggregated }: { message: string; timestamp: string; aggregated: boolean }
): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: observed.name, namespace: canary.namespace },
    involvedObject: {
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
      name: canary.name,
      namespace: canary.namespace,
      resourceVersion: canary.resourceVersion,
      uid: canary.uid
    },
    reason: 'Synced',
    message,
    type,
    count: observed.count,
    firstTimestamp: observed.firstTimestamp,
    lastTimestamp: timestamp,
    source: { component: 'flagger' },
    reportingComponent: aggregated ? '' : 'flagger',
    reportingInstance: ''
  }
}
