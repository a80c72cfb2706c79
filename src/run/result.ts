import type { LoadCounts, Verdict } from '../check/index.ts'

/** How a case ended. */
export type Outcome = 'passed' | 'failed' | 'invalid' | 'skipped' | 'interrupted'

/** A milestone of the run, for reports. */
export interface ResultMilestone {
  readonly canary: string
  readonly label: string
  readonly text: string
  readonly atMs: number
  readonly tick: number
}

/** An alert that was sent. */
export interface ResultAlert {
  readonly canary: string
  readonly url: string
  readonly text: string
  readonly atMs: number
  readonly tick: number
}

/** A step that went wrong. */
export interface StepFailure {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly step: string
  readonly message: string
}

/** Figures of the world a case ran in. */
export interface CaseFigures {
  readonly simulatedMs: number
  readonly wallMs: number
  readonly wallMsBy: Readonly<Record<string, number>>
  readonly tlsHandshakes: number
  readonly peakRssBytes: number
}

/** What became of one case; plain data, so that it travels between threads and into files. */
export interface CaseResult {
  readonly name: string
  readonly file: string
  readonly world: string
  readonly seed: number
  /** From 1; above 1 with `--repeat-each`. */
  readonly repetition: number
  readonly outcome: Outcome
  /** Exit code this case alone would give. */
  readonly exitCode: number
  readonly verdicts: readonly Verdict[]
  readonly stepFailures: readonly StepFailure[]
  /** What ended the run early. */
  readonly error?: { readonly code: string; readonly message: string }
  /** Why it was skipped. */
  readonly skippedBecause?: string
  readonly milestones: readonly ResultMilestone[]
  /** Absent where none was sent. */
  readonly alerts?: readonly ResultAlert[]
  readonly loads: readonly LoadCounts[]
  /** User requests the canary received in the largest window that was judged; undefined where nothing was judged. */
  readonly userRequests?: number
  /** How often the canary was judged, and how often on no user request at all. */
  readonly checks?: { readonly judged: number; readonly blind: number }
  readonly figures: CaseFigures
  readonly trace?: string
  /** SHA-256 of everything in the trace that must be equal when the run is repeated. */
  readonly sequenceDigest: string
}

/** Totals of a session. */
export interface SessionSummary {
  readonly results: readonly CaseResult[]
  readonly passed: number
  readonly failed: number
  readonly invalid: number
  readonly skipped: number
  readonly exitCode: number
  readonly wallMs: number
}

/** Why a case was not run although nothing is wrong with it. */
export const NOT_RUN = 'the session ended before'

/** Figures of a case that never got as far as a world. */
export const NO_FIGURES: CaseFigures = { simulatedMs: 0, wallMs: 0, wallMsBy: {}, tlsHandshakes: 0, peakRssBytes: 0 }
