import { createHash } from 'node:crypto'
import type { TraceEvent } from '../trace/index.ts'

/** Kinds of events that two runs of one seed must have in common, in order and in every field. */
const REPEATABLE: ReadonlySet<TraceEvent['kind']> = new Set<TraceEvent['kind']>([
  'phase',
  'event',
  'weight',
  'note',
  'alert'
])

/** SHA-256 over what must be equal when a run is repeated: the canary's phases, events, weights and when they came. */
export function sequenceDigest(events: readonly TraceEvent[]): string {
  const hash = createHash('sha256')
  for (const event of events) {
    if (!REPEATABLE.has(event.kind)) continue
    const { seq: _seq, ...rest } = event
    hash.update(JSON.stringify(rest))
  }
  return hash.digest('hex')
}
