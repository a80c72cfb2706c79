import { ERROR_CODES, type ErrorCode } from './codes.ts'

/** The one error class of the project. Expected outcomes (halted, rolled back, not met) are values, not errors. */
export class TwinError extends Error {
  /** Stable code, a key of {@link ERROR_CODES}. */
  readonly code: ErrorCode
  /** Facts for machines: file, line, column, object, …. */
  readonly details: Readonly<Record<string, unknown>>

  /**
   * @param code - a key of {@link ERROR_CODES}
   * @param message - names the place, what is wrong and what to do
   * @param options - details for machines and the cause
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {}
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TwinError'
    this.code = code
    this.details = options.details ?? {}
  }

  /** The process exit code that goes with {@link TwinError.code}. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode
  }
}

/** Whether a caught value is a {@link TwinError}. */
export function isTwinError(value: unknown): value is TwinError {
  return value instanceof TwinError
}

/**
 * Guards against programmer errors; stays on in production.
 * @throws TwinError TWIN_INTERNAL when the condition does not hold
 */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TwinError('TWIN_INTERNAL', message)
}
