import type { FailureStatus } from '../../lib/apimachinery/index.ts'
import type { ApiResponse } from '../../kinds/index.ts'
import { parseAccept } from './media-type.ts'

/**
 * The answer that tells a client why it was refused.
 * @param status - the failure
 * @param accept - Accept header of the request
 * @param warnings - values of Warning headers
 */
export function refusedAnswer(
  status: FailureStatus,
  accept: string | undefined,
  warnings: readonly string[]
): ApiResponse {
  const isYaml = accept !== undefined && parseAccept(accept)[0]?.type === 'application/yaml'
  const retry = status.details?.retryAfterSeconds
  const headers = {
    'content-type': isYaml ? 'application/yaml' : 'application/json',
    ...(retry === undefined ? {} : { 'retry-after': String(retry) }),
    ...(warnings.length === 0 ? {} : { warning: warnings })
  }
  return { code: status.code, headers, body: status }
}
