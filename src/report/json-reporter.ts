import type { CaseResult, SessionObserver, SessionSummary } from '../run/index.ts'
import { firstDivergence, replayCommand } from './divergence.ts'

/** Version of the JSON report's format. */
const REPORT_VERSION = 1

/** Reports one JSON document at the end. */
export function jsonReporter(write: (text: string) => void): SessionObserver {
  return { onEnd: (summary) => write(`${JSON.stringify(jsonReport(summary), undefined, 2)}\n`) }
}

/** The report as data. */
function jsonReport(summary: SessionSummary): Record<string, unknown> {
  const { passed, failed, invalid, skipped, exitCode, wallMs, results } = summary
  return { version: REPORT_VERSION, passed, failed, invalid, skipped, exitCode, wallMs, results: results.map(jsonCase) }
}

function jsonCase(result: CaseResult): Record<string, unknown> {
  const failed = !['passed', 'skipped'].includes(result.outcome)
  return {
    ...result,
    verdicts: result.verdicts.map(({ expectation, ...verdict }) => ({
      ...verdict,
      kind: expectation.kind,
      text: expectation.text,
      place: expectation.place
    })),
    ...(failed ? { firstDivergence: firstDivergence(result), replay: replayCommand(result) } : {})
  }
}
