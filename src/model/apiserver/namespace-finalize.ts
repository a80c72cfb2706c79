import { isJsonMap } from '../../lib/apimachinery/index.ts'
import type { ApiResponse } from '../../kinds/index.ts'
import { decodeBody } from './conversion.ts'
import { storedObject, type ResourceCall } from './core.ts'
import { negotiate } from './media-type.ts'
import { transformObject } from './representation.ts'
import { refuseMissing } from './update.ts'

/**
 * Replaces the finalizers of a namespace's spec (`namespaces/finalize`); a deleted namespace without any is removed.
 * @param call - the request
 */
export function finalizeNamespace(call: ResourceCall): ApiResponse {
  const { warnings } = call
  const existing = storedObject(call)
  if (existing === undefined) return refuseMissing(call)
  const body = decodeBody(call, warnings)
  const wanted = isJsonMap(body['spec']) && Array.isArray(body['spec']['finalizers']) ? body['spec']['finalizers'] : []
  const spec = isJsonMap(existing.spec) ? { ...existing.spec } : {}
  if (wanted.length > 0) spec['finalizers'] = wanted
  else delete spec['finalizers']
  const changed = { ...existing, metadata: { ...existing.metadata }, spec }
  const { store } = call.core
  const isFinished =
    existing.metadata.deletionTimestamp !== undefined &&
    wanted.length === 0 &&
    (existing.metadata.finalizers ?? []).length === 0
  const object = isFinished ? store.remove(call.info.storage, changed) : store.put(call.info.storage, changed, existing)
  return transformObject(call, negotiate(call.request.headers?.['accept']), object, { code: 200, warnings })
}
