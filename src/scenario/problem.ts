import { TwinError } from '../lib/errors/index.ts'
import type { Place } from '../kinds/index.ts'

/** Something wrong in a file the user wrote: where, what, and what to do. */
export interface Problem {
  readonly place: Place
  /** What is wrong, one line. */
  readonly message: string
  /** What to do, one line. */
  readonly fix?: string
  /** The offending line of the file. */
  readonly sourceLine?: string
  /** How many characters of it are meant. */
  readonly length?: number
  readonly code?: 'TWIN_SCENARIO_INVALID' | 'TWIN_FILE_MISSING' | 'TWIN_IMAGE_UNKNOWN'
}

/** Most characters of the user's line that a message shows. */
const EXCERPT_MAX = 200

/** Prints a problem with its line and a caret under the offending text. */
export function formatProblem(problem: Problem): string {
  const { file, line, column } = problem.place
  const lines = [`${file}:${line}:${column}: ${problem.message}`]
  if (problem.sourceLine !== undefined) {
    const number = String(line)
    const from = Math.max(0, problem.sourceLine.length > EXCERPT_MAX ? column - EXCERPT_MAX / 2 : 0)
    const shown = problem.sourceLine.slice(from, from + EXCERPT_MAX)
    const at = column - from
    const carets = '^'.repeat(Math.max(1, Math.min(problem.length ?? 1, shown.length - at + 1)))
    lines.push(`  ${number} | ${shown}`)
    lines.push(`  ${' '.repeat(number.length)} | ${' '.repeat(at - 1)}${carets}`)
  }
  if (problem.fix !== undefined) lines.push(`  ${problem.fix}`)
  return lines.join('\n')
}

/** The error that carries the problems of one scenario; its code is that of the first problem. */
export function problemsError(problems: readonly Problem[]): TwinError {
  const code = problems[0]?.code ?? 'TWIN_SCENARIO_INVALID'
  return new TwinError(code, problems.map(formatProblem).join('\n'), { details: { problems } })
}

/** Collects problems, at most {@link PROBLEMS_MAX} of them. */
export type Report = (problem: Problem) => void

/** More problems than these are not shown: the first ones usually cause the rest. */
export const PROBLEMS_MAX = 20
