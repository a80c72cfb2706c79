import type { ApiRequest, ApiResponse } from '../../kinds/index.ts'
import type { Core } from './core.ts'

/**
 * Answers `/openapi/v2` and `/openapi/v3…`.
 * @param _core - the server
 * @param _request - the request
 */
export function openApiDocument(_core: Core, _request: ApiRequest): ApiResponse | undefined {
  return undefined
}
