import { ERROR_CODES, isTwinError } from '../lib/errors/index.ts'

/** Prints what went wrong for a person (never a stack) and returns the exit code that goes with it. */
export function reportFailure(error: unknown, write: (text: string) => void): number {
  if (!isTwinError(error)) {
    const message = error instanceof Error ? error.message : String(error)
    write(`twin: ${message}\n`)
    if (process.env['TWIN_DEBUG'] !== undefined && error instanceof Error) write(`${error.stack}\n`)
    return ERROR_CODES.TWIN_INTERNAL.exitCode
  }
  write(`twin: ${error.message}\n`)
  if (error.code !== 'TWIN_SCENARIO_INVALID' && error.code !== 'TWIN_USAGE')
    write(`  ${error.code}: ${ERROR_CODES[error.code].fix}\n`)
  return error.exitCode
}
