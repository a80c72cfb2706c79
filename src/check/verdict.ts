import type { Expectation, KubeObject } from '../kinds/index.ts'
import type { TraceEvent } from '../trace/index.ts'

/** Where a run first left what was expected. */
export interface Divergence {
  readonly expected: string
  /** What came instead; absent: nothing came any more. */
  readonly actual?: {
    readonly label: string
    readonly text: string
    readonly atMs: number
    readonly tick: number
    readonly seq: number
  }
}

/** Whether an expectation was met, and if not, why. */
export interface Verdict {
  readonly expectation: Expectation
  readonly met: boolean
  /** One sentence with the figures. */
  readonly reason: string
  readonly divergence?: Divergence
  /** Labels of the milestones a sequence was compared with, in order. */
  readonly happened?: readonly string[]
  /** Lines of a minimal difference, `-` expected, `+` happened. */
  readonly diff?: readonly string[]
}

/** Counts of one load, as the world reports them. */
export interface LoadCounts {
  readonly load: string
  readonly intended: number
  readonly delivered: number
  readonly failed: number
  readonly byVersion: Readonly<Record<string, number>>
}

/** Everything that expectations are judged on. */
export interface RunRecord {
  readonly events: readonly TraceEvent[]
  readonly loads: readonly LoadCounts[]
  /** Current object, `namespace/name`; asked at the end of the run. */
  object(kind: string, name: string): KubeObject | undefined
  /** Values of a PromQL expression at the end of the run. */
  query(expression: string): readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}
