import type { FieldError } from './field-error.ts'
import { fieldErrorCause, fieldErrorText } from './field-error.ts'

/** One reason of a failure, usually a field. */
export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

/** What a failure is about. */
export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

/** meta/v1 Status of a failed request. */
export interface FailureStatus {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, never>
  status: 'Failure'
  message: string
  reason?: string
  details?: StatusDetails
  code: number
}

/** A resource or a kind with its group (`''` for core). */
export interface GroupName {
  readonly group: string
  /** Plural resource (`deployments`) or kind (`Deployment`), as the function says. */
  readonly name: string
}

/**
 * Builds a Status of a failure.
 * @param code - HTTP status code
 * @param reason - machine-readable reason, e.g. `NotFound`; empty: none
 * @param message - text for people
 * @param details - what it is about; absent: no details
 */
export function statusFailure(code: number, reason: string, message: string, details?: StatusDetails): FailureStatus {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code
  }
}

/**
 * `deployments.apps` for a resource of a group, `pods` for one of the core group.
 * @param resource - resource or kind with group
 */
export function qualifiedName(resource: GroupName): string {
  return resource.group === '' ? resource.name : `${resource.name}.${resource.group}`
}

function about(subject: GroupName, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(subject.group === '' ? {} : { group: subject.group }),
    kind: subject.name
  }
}

/**
 * 404: the object does not exist.
 * @param resource - plural resource
 * @param name - object name
 */
export function notFoundStatus(resource: GroupName, name: string): FailureStatus {
  return statusFailure(404, 'NotFound', `${qualifiedName(resource)} "${name}" not found`, about(resource, name))
}

/** 404: no such path or resource is served. */
export function unknownResourceStatus(): FailureStatus {
  return statusFailure(404, 'NotFound', 'the server could not find the requested resource', {})
}

/**
 * 409: an object of this name exists.
 * @param resource - plural resource
 * @param name - object name
 */
export function alreadyExistsStatus(resource: GroupName, name: string): FailureStatus {
  const message = `${qualifiedName(resource)} "${name}" already exists`
  return statusFailure(409, 'AlreadyExists', message, about(resource, name))
}

/** Text of a lost optimistic lock, as the API server's storage gives it. */
export const OPTIMISTIC_LOCK_MESSAGE =
  'the object has been modified; please apply your changes to the latest version and try again'

/**
 * 409: the object changed in between, or another conflict named in `cause`.
 * @param resource - plural resource
 * @param name - object name
 * @param cause - what is in the way; default: the lost optimistic lock
 */
export function conflictStatus(
  resource: GroupName,
  name: string,
  cause: string = OPTIMISTIC_LOCK_MESSAGE
): FailureStatus {
  const message = `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${cause}`
  return statusFailure(409, 'Conflict', message, about(resource, name))
}

/**
 * 422: fields are invalid. Equal messages appear once in the text, every error has its cause.
 * @param kind - kind (not resource) with group
 * @param name - object name; may be empty
 * @param errors - at least one
 */
export function invalidStatus(kind: GroupName, name: string, errors: readonly FieldError[]): FailureStatus {
  const texts = [...new Set(errors.map(fieldErrorText))]
  const list = texts.length === 1 ? texts.join('') : `[${texts.join(', ')}]`
  return statusFailure(422, 'Invalid', `${qualifiedName(kind)} "${name}" is invalid: ${list}`, {
    ...about(kind, name),
    causes: errors.map(fieldErrorCause)
  })
}

/**
 * 400: the request cannot be understood.
 * @param message - what is wrong
 */
export function badRequestStatus(message: string): FailureStatus {
  return statusFailure(400, 'BadRequest', message)
}

/**
 * 403: an admission rule refuses the request.
 * @param resource - plural resource
 * @param name - object name
 * @param cause - why
 */
export function forbiddenStatus(resource: GroupName, name: string, cause: string): FailureStatus {
  const subject = name === '' ? qualifiedName(resource) : `${qualifiedName(resource)} "${name}"`
  return statusFailure(403, 'Forbidden', `${subject} is forbidden: ${cause}`, about(resource, name))
}

/** 405: the resource has no such verb. */
export function methodNotAllowedStatus(): FailureStatus {
  return statusFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

/**
 * 410: the version is compacted.
 * @param message - which and since when
 */
export function expiredStatus(message: string): FailureStatus {
  return statusFailure(410, 'Expired', message)
}

/**
 * 415: no decoder or patcher for the media type.
 * @param message - what is accepted
 */
export function unsupportedMediaTypeStatus(message: string): FailureStatus {
  return statusFailure(415, 'UnsupportedMediaType', message)
}

/**
 * 500 with the API server's prefix.
 * @param error - text of the error
 */
export function internalErrorStatus(error: string): FailureStatus {
  return statusFailure(500, 'InternalError', `Internal error occurred: ${error}`, { causes: [{ message: error }] })
}
