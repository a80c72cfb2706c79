import type { CaseResult, SessionObserver } from '../run/index.ts'
import { firstDivergence, replayCommand } from './divergence.ts'

/** Reports workflow commands that GitHub shows on the lines of the scenario files. */
export function githubReporter(write: (text: string) => void): SessionObserver {
  return {
    onCaseEnd: (result) => {
      if (result.outcome === 'passed' || result.outcome === 'skipped') return
      const place = failurePlace(result)
      const message = firstDivergence(result) ?? result.error?.message ?? result.outcome
      const text = `${message}\nreplay: ${replayCommand(result)}`
      const where = `file=${property(place.file)},line=${place.line},col=${place.column}`
      write(`::error ${where},title=${property(result.name)}::${data(text)}\n`)
    }
  }
}

function failurePlace(result: CaseResult): { file: string; line: number; column: number } {
  const [step] = result.stepFailures
  const broken = result.verdicts.find((verdict) => !verdict.met)
  return broken?.expectation.place ?? step ?? { file: result.file, line: 1, column: 1 }
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
