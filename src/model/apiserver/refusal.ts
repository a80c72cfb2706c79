import {
  invalidStatus,
  statusFailure,
  type FailureStatus,
  type FieldError,
  type GroupName
} from '../../lib/apimachinery/index.ts'

/** Ends the handling of a request inside this room; {@link FailureStatus} is what the client gets. Never leaves the room. */
export class Refusal extends Error {
  readonly status: FailureStatus

  /** @param status - the answer */
  constructor(status: FailureStatus) {
    super(status.message)
    this.status = status
  }
}

/**
 * Ends the handling of a request.
 * @param status - the answer
 */
export function refuse(status: FailureStatus): never {
  throw new Refusal(status)
}

/**
 * Ends the handling with 422 when there are errors.
 * @param kind - kind with group
 * @param name - object name, may be empty
 * @param errors - what is wrong
 */
export function refuseInvalid(kind: GroupName, name: string, errors: readonly FieldError[]): void {
  if (errors.length === 0) return
  const status = invalidStatus(kind, name, errors)
  if (kind.name !== '') refuse(status)
  const { kind: _kind, ...details } = status.details ?? {}
  refuse({ ...status, details })
}

/**
 * A failure without reason and with status 500, as the server answers errors it has no class for.
 * @param message - text of the error
 */
export function plainFailure(message: string): FailureStatus {
  return statusFailure(500, '', message)
}
