import type { Labels, SeriesName } from '../../lib/tsdb/index.ts'

/** Series that have all labels but name and bound in common. */
export interface CounterFamily {
  /** Sorted, without empty values, metric name and bound. */
  readonly labels: Labels
  /** None twice; the same list for families that are alike. */
  readonly series: readonly SeriesName[]
}

/**
 * Counters of a target in the same process that come and go together. Families are only ever added, and the values keep
 * their places: those of the first family's series, then those of the second's, and so on.
 */
export interface CounterGroup {
  readonly families: readonly CounterFamily[]
  readonly values: readonly number[]
}
