import type { Span } from './late-answers.ts'
import type { Destination, RequestClass, VirtualClient } from './routes.ts'

/** Requests of one client that are all alike. */
export interface Batch {
  readonly client: VirtualClient
  readonly request: RequestClass
  readonly destination: Destination
  readonly count: number
  readonly span: Span
  /** Client-side limit of one request, milliseconds. */
  readonly timeoutMs: number
  /** How many apps are between the client and a user. */
  readonly depth: number
  /** Attempts made before this one. */
  readonly attempt: number
}

/** Answers that are all alike. */
export interface Answers {
  readonly count: number
  /** Status the client got; undefined: none. */
  readonly status: number | undefined
  readonly reason?: 'timeout' | 'reset' | 'refused' | 'unresolved'
  /** Image of the pod that answered. */
  readonly image?: string
  readonly meanMs: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Hears the answers to a batch, as many kinds as there are. */
export type Report = (answers: Answers) => void

/** A part of a batch; often it is the whole. */
export function withCount(batch: Batch, count: number): Batch {
  return batch.count === count ? batch : { ...batch, count }
}

/** The first limit a request of the batch meets: the client's own, or one of its route, which answers 504. */
export function limitOf(batch: Batch): { readonly limitMs: number; readonly status: number | undefined } {
  const rule = batch.destination.kind === 'service' ? batch.destination.rule : undefined
  const routeMs = Math.min(rule?.requestTimeoutMs ?? Infinity, rule?.backendTimeoutMs ?? Infinity)
  return routeMs < batch.timeoutMs ? { limitMs: routeMs, status: 504 } : { limitMs: batch.timeoutMs, status: undefined }
}
