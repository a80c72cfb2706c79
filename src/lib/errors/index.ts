export { TwinError, invariant, isTwinError } from './twin-error.ts'
export { ERROR_CODES, type ErrorCode, type ErrorCodeEntry } from './codes.ts'
