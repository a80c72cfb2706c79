import { deepEqual } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceCall } from './core.ts'

/**
 * The object with the managed fields of a create, update or (non-apply) patch by this client.
 * @param _call - the request
 * @param object - candidate
 * @param existing - stored object; undefined on creation
 */
export function trackUpdate(_call: ResourceCall, object: KubeObject, existing: KubeObject | undefined): KubeObject {
  const managed = existing?.metadata.managedFields
  const metadata = { ...object.metadata }
  delete metadata.managedFields
  return { ...object, metadata: { ...metadata, ...(managed === undefined ? {} : { managedFields: managed }) } }
}

/**
 * Whether a candidate equals the stored object but for the times of its managed fields, so that nothing need be stored.
 * @param object - candidate
 * @param existing - stored object
 */
export function sameExceptTimes(object: KubeObject, existing: KubeObject): boolean {
  if (deepEqual(object, existing)) return true
  return deepEqual(withoutTimes(object), withoutTimes(existing))
}

function withoutTimes(object: KubeObject): KubeObject {
  const entries = object.metadata.managedFields
  if (entries === undefined) return object
  const timeless = entries.map(({ time: _time, ...rest }) => rest)
  return { ...object, metadata: { ...object.metadata, managedFields: timeless } }
}
