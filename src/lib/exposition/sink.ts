import type { Labels } from '../tsdb/index.ts'

/** Takes what a parser finds, in the order of the body. */
export interface Sink {
  /** A sample; `timestampMs` only when the body states one. */
  sample(series: string, labels: Labels, value: number, timestampMs: number | undefined): void
  help(metric: string, text: string): void
  type(metric: string, type: string): void
  unit(metric: string, unit: string): void
}
