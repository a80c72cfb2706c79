import type { Labels, Tsdb } from '../tsdb/index.ts'
import type { Annotations } from './annotations.ts'

/** What is the same throughout a query. */
export interface QueryFacts {
  readonly db: Tsdb
  readonly version: 'v2' | 'v3'
  readonly delayedNameRemoval: boolean
  readonly annotations: Annotations
  /** Ends and step of the query, ms; equal ends for an instant query. */
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
  readonly lookbackMs: number
  /** Step of subqueries that name none, ms. */
  readonly defaultStepMs: number
}

/** What functions and operators see of a running query. */
export interface EvaluationContext {
  readonly facts: QueryFacts
  /** Time being evaluated, ms. */
  evaluationMs: number
  /** The label set of a result whose name goes: at once, or marked for the end of the query. */
  dropName(labels: Labels): Labels
  /** A bounded cache that lives as long as the parsed query. */
  cacheOf<Key extends object, Value>(owner: object): Map<Key, Value>
  /** Ends the query with an execution error. */
  fail(message: string): never
}
