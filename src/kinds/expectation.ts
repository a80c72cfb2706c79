/**
 * What a scenario waits for and expects, as plain data: produced by the scenario room, judged by the check room,
 * waited on by the run room. Durations are simulated milliseconds, canaries are written `name.namespace`.
 */
import type { JsonObject } from './json.ts'

/** A number with its meaning: a count of things or a share in [0, 1]. */
export interface Quantity {
  readonly value: number
  readonly unit: 'count' | 'share'
}

/** Limits of a number; every field that is there must hold. */
export interface Bound {
  readonly is?: Quantity
  readonly above?: Quantity
  readonly below?: Quantity
  readonly atLeast?: Quantity
  readonly atMost?: Quantity
}

/** A cluster object by kind and `namespace/name` (or `name` for cluster-wide kinds). */
export interface ObjectReference {
  readonly kind: string
  readonly name: string
}

/** A state or moment of a run; every field that is there must hold at the same time. */
export interface Condition {
  /** `name.namespace`; absent: any canary. */
  readonly canary?: string
  /** Phases of the canary, one of which it must be in. */
  readonly phase?: readonly string[]
  /** The canary's weight in the mesh, percent. */
  readonly weight?: Bound
  /** Words of a milestone that has just happened, e.g. `halt success-rate`. */
  readonly milestone?: string
  /** Text of a controller event that has just happened; `*` stands for any text. */
  readonly event?: string
  /** Name of a `run` step that has just ended. */
  readonly command?: string
  /** An object that has these fields. */
  readonly object?: ObjectReference & { readonly like: JsonObject | 'absent' }
  /** A PromQL expression all of whose values lie within the bound. */
  readonly query?: { readonly expression: string; readonly bound: Bound }
}

/** One item of a sequence: a milestone (or event text) and how often it comes in a row. */
export interface SequenceItem {
  /** Words of the milestone; matches a milestone that begins with the same words. */
  readonly milestone?: string
  /** Exact event text instead of a milestone; `*` stands for any text. */
  readonly event?: string
  readonly times: { readonly min: number; readonly max: number }
  /** As the author wrote it. */
  readonly text: string
}

/** Where something stands in a file the user wrote. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** What must be true of a run. */
export type ExpectationBody =
  /** The whole list of milestones of the canary, in order, nothing between. */
  | { readonly kind: 'sequence'; readonly canary?: string; readonly items: readonly SequenceItem[] }
  /** These milestones come in this order; others may come between. */
  | { readonly kind: 'ordered'; readonly canary?: string; readonly items: readonly SequenceItem[] }
  | { readonly kind: 'never'; readonly condition: Condition }
  /** Holds from the first moment it can be told to the end. */
  | { readonly kind: 'always'; readonly condition: Condition }
  /** `condition` holds until `until` does, which it must. */
  | { readonly kind: 'until'; readonly condition: Condition; readonly until: Condition }
  /** `condition` holds at most so many ticks or milliseconds after the milestone `since` (last one before it). */
  | {
      readonly kind: 'within'
      readonly ticks?: number
      readonly ms?: number
      readonly since: string
      readonly condition: Condition
    }
  /** How often a milestone or event happens. */
  | { readonly kind: 'count'; readonly condition: Condition; readonly bound: Bound }
  /** What the clients of the scenario's load saw. */
  | {
      readonly kind: 'users'
      readonly load?: string
      readonly requests?: Bound
      readonly failedRequests?: Bound
      readonly versions: Readonly<Record<string, Bound>>
    }
  /** State at the end of the run. */
  | {
      readonly kind: 'final'
      readonly canary?: string
      readonly phase?: readonly string[]
      readonly weight?: Bound
      readonly image?: ObjectReference & { readonly is: string; readonly container?: string }
      readonly replicas?: ObjectReference & { readonly bound: Bound }
      readonly object?: ObjectReference & { readonly like: JsonObject | 'absent' }
    }
  /** All values of a PromQL expression at the end of the run. */
  | { readonly kind: 'query'; readonly expression: string; readonly bound: Bound; readonly absent: boolean }

/** An expectation with its place in the scenario file. */
export type Expectation = ExpectationBody & { readonly place: Place; readonly text: string }
