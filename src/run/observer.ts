import type { ResolvedScenario } from '../scenario/index.ts'
import type { CaseResult, SessionSummary } from './result.ts'

/** Who a session tells what happens. Calls come in the order of the cases, whatever order they end in. */
export interface SessionObserver {
  /** The cases are known; nothing runs yet. */
  onStart?(cases: readonly ResolvedScenario[]): void
  onCaseStart?(scenario: ResolvedScenario, repetition: number): void
  /** A line of the running case's trace. */
  onLine?(line: string): void
  /** Also for files that cannot be run, before the first case starts. */
  onCaseEnd?(result: CaseResult): void
  onEnd?(summary: SessionSummary): void | Promise<void>
}
