/** One entry of the error table: what a code means, what a user does about it, how the process ends. */
export interface ErrorCodeEntry {
  readonly meaning: string
  readonly fix: string
  readonly exitCode: number
}

/** A key of {@link ERROR_CODES}. */
export type ErrorCode =
  | 'TWIN_USAGE'
  | 'TWIN_SCENARIO_INVALID'
  | 'TWIN_FILE_MISSING'
  | 'TWIN_IMAGE_UNKNOWN'
  | 'TWIN_MANIFEST_REFUSED'
  | 'TWIN_WORLD_START'
  | 'TWIN_PORT_IN_USE'
  | 'TWIN_HOLD_STUCK'
  | 'TWIN_TIME_BUDGET'
  | 'TWIN_NOT_DETERMINISTIC'
  | 'TWIN_LOAD_NOT_DELIVERED'
  | 'TWIN_INTERRUPTED'
  | 'TWIN_INTERNAL'

/**
 * Every code a {@link TwinError} may carry. Codes are public API: match on them, not on messages.
 * Exit codes: 1 expectation failed, 2 usage or invalid scenario, 3 world could not start, 4 time budget
 * spent, 5 two runs of one seed differ, 6 load not delivered, 130 interrupted.
 */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorCodeEntry>> = {
  TWIN_USAGE: { meaning: 'The command line is wrong.', fix: 'See `twin --help`.', exitCode: 2 },
  TWIN_SCENARIO_INVALID: {
    meaning: 'A scenario file or a file it names is invalid.',
    fix: 'Correct the named line.',
    exitCode: 2
  },
  TWIN_FILE_MISSING: { meaning: 'A named file does not exist.', fix: 'Correct the path.', exitCode: 2 },
  TWIN_IMAGE_UNKNOWN: {
    meaning: 'A manifest uses an image whose behaviour no scenario entry declares.',
    fix: 'Add the image to `spec.images`.',
    exitCode: 2
  },
  TWIN_MANIFEST_REFUSED: {
    meaning: 'The API refused a manifest of the scenario.',
    fix: 'Correct the named field.',
    exitCode: 2
  },
  TWIN_WORLD_START: { meaning: 'The world could not start.', fix: 'See the cause.', exitCode: 3 },
  TWIN_PORT_IN_USE: {
    meaning: 'A requested port is taken.',
    fix: 'Free the port or leave the flag out to get a free one.',
    exitCode: 3
  },
  TWIN_HOLD_STUCK: {
    meaning: 'A piece of work kept simulated time standing for too long.',
    fix: 'The message names the hold; report it with the trace.',
    exitCode: 4
  },
  TWIN_TIME_BUDGET: {
    meaning: 'The scenario did not end within its time budget.',
    fix: 'Raise `spec.timeout` or correct the waiting step.',
    exitCode: 4
  },
  TWIN_NOT_DETERMINISTIC: {
    meaning: 'Two runs of one seed differ.',
    fix: 'Report it with both traces.',
    exitCode: 5
  },
  TWIN_LOAD_NOT_DELIVERED: {
    meaning: 'The load generator did not deliver the intended requests.',
    fix: 'Lower the rate or see the report for the cause.',
    exitCode: 6
  },
  TWIN_INTERRUPTED: { meaning: 'The run was interrupted.', fix: 'Run it again.', exitCode: 130 },
  TWIN_INTERNAL: { meaning: 'A programmer error in the twin.', fix: 'Report it.', exitCode: 3 }
}
