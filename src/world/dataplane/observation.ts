import type { Instant } from '../../lib/time/index.ts'

/** What became of one request of a client, in simulated time. */
export interface RequestObservation {
  /** `namespace/name` of the client. */
  readonly client: string
  /** Identity of the request. */
  readonly key: string
  /** The hold it was done under. */
  readonly holdId: number | undefined
  readonly authority: string
  readonly method: string
  /** Path with query. */
  readonly path: string
  /** `answered`: by an application or its proxy; `refused`: by the client's own proxy; `broken`: cut off; `aborted`: by the client. */
  readonly outcome: 'answered' | 'refused' | 'broken' | 'aborted'
  /** 0: there was no answer. */
  readonly status: number
  /** `namespace/name` of the pod it went to last, and its application's image. */
  readonly pod: string | undefined
  readonly image: string | undefined
  readonly startedAt: Instant
  readonly endedAt: Instant
}
