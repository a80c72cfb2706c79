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

/** Events of one canary and type. */
interface Group {
  /** Distinct ones since the last long pause. */
  messages: Set<string>
  /** Events that may be written at once. */
  tokens: number
  lastMs: Instant
}

interface Observation {
  readonly name: string
  readonly count: number
  readonly firstTimestamp: string
}

/**
 * client-go's three stages before an event reaches the API server: aggregation of many messages, counting of repeats,
 * and a token bucket per canary and type.
 * @see k8s.io/client-go tools/record/events_cache.go v0.36.2
 */
export class EventCorrelator {
  readonly #groups = new Map<string, Group>()
  readonly #observations = new Map<string, Observation>()
  readonly #pick: (below: number) => number
  #names = 0

  /** @param pick - a random whole number below the argument; decides which message is forgotten */
  constructor(pick: (below: number) => number) {
    this.#pick = pick
  }

  /** The write for an event, or undefined when the spam filter drops it. */
  correlate(event: RecordedEvent, now: Instant): EventWrite | undefined {
    const groupName = groupKey(event)
    const group = this.#groups.get(groupName) ?? { messages: new Set(), tokens: BURST, lastMs: now }
    remember(this.#groups, groupName, group)
    const pauseMs = now - group.lastMs
    group.lastMs = now
    const aggregated = this.#aggregate(event, group, pauseMs)
    const message = aggregated ? `(combined from similar events): ${event.message}` : event.message
    const key = aggregated ? groupName : `${groupName}|${event.message}`
    const before = this.#observations.get(key)
    const timestamp = formatTimestamp(now)
    const observed: Observation = {
      name: before?.name ?? this.#name(event, now),
      count: (before?.count ?? 0) + 1,
      firstTimestamp: before?.firstTimestamp ?? timestamp
    }
    remember(this.#observations, key, observed)
    if (!takeToken(group, pauseMs)) return undefined
    const body = eventObject(event, observed, { message, timestamp, aggregated })
    const { namespace } = event.canary
    if (before === undefined) return { verb: 'create', namespace, body, key }
    const patch = { count: observed.count, lastTimestamp: timestamp, message }
    return { verb: 'patch', namespace, name: observed.name, body: patch, key, fallback: body }
  }

  #aggregate({ message }: RecordedEvent, group: Group, pauseMs: number): boolean {
    if (pauseMs > AGGREGATION_WINDOW_MS) group.messages = new Set()
    group.messages.add(message)
    if (group.messages.size < DISTINCT_MESSAGES_MAX) return false
    const forgotten = [...group.messages][this.#pick(group.messages.size)]
    if (forgotten !== undefined) group.messages.delete(forgotten)
    return true
  }

  /** `<canary>.<hex of nanoseconds>`; a running number keeps names of one instant apart. */
  #name({ canary }: RecordedEvent, now: Instant): string {
    return `${canary.name}.${(BigInt(Math.floor(now)) * 1_000_000n + BigInt(this.#names++ % 1_000_000)).toString(16)}`
  }
}

/** Refills the bucket and takes one token, if there is a whole one. */
function takeToken(group: Group, pauseMs: number): boolean {
  group.tokens = Math.min(BURST, group.tokens + pauseMs / REFILL_MS)
  if (group.tokens < 1) return false
  group.tokens -= 1
  return true
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
