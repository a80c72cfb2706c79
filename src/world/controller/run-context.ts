import type { Effect } from '../../model/canary/index.ts'

/** Which piece of work an effect belongs to. */
export interface RunContext {
  /** `<name>.<namespace>` */
  readonly canary: string
  /** Number of the canary's tick, from 1; 0 before the first one. For a worker: the last tick begun. */
  readonly tick: number
  /** Whether it is the informer worker's, not a tick's. */
  readonly worker: boolean
}

/**
 * Whether an effect is told about. Of the leader election only the log is: its lease is renewed every five seconds, and
 * whoever wants to see that reads the Lease.
 */
export function isReported(effect: Effect, { canary }: RunContext): boolean {
  return canary !== '' || effect.effect === 'log'
}

/** Told about every effect after it was performed, in order. */
export type OnEffect = (effect: Effect, result: unknown, context: RunContext) => void
