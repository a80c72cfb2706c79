import {
  deepEqual,
  DEDUCED,
  mergeTypeFromOpenApi,
  trackUpdateLater,
  type FieldWriter,
  type JsonMap,
  type MergeType
} from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { BUILTIN_DEFINITIONS, builtinDefinitionName, builtinSchema } from './builtin/index.ts'
import { fromStorage } from './conversion.ts'
import { fieldManager, timestamp, type ResourceCall } from './core.ts'
import { rulesOf } from './kind-rules.ts'
import type { ResourceInfo } from './resources.ts'
import { typeTree, zeroObject } from './type-tree.ts'

const BUILTIN_TYPES = new Map<string, MergeType>()
const CUSTOM_TYPES = new WeakMap<object, MergeType>()

/** The type by which fields of a resource merge and are owned; built once. */
export function mergeTypeOf(info: ResourceInfo): MergeType {
  if (info.crd !== undefined) {
    const known = CUSTOM_TYPES.get(info.crd)
    if (known !== undefined) return known
    const type = mergeTypeFromOpenApi(info.crd.schema, {}, true)
    CUSTOM_TYPES.set(info.crd, type)
    return type
  }
  const key = `${info.apiVersion}/${info.kind}`
  const known = BUILTIN_TYPES.get(key)
  if (known !== undefined) return known
  const schema = builtinSchema(info.group, info.version, info.kind)
  const type = schema === undefined ? DEDUCED : mergeTypeFromOpenApi(schema, BUILTIN_DEFINITIONS)
  BUILTIN_TYPES.set(key, type)
  return type
}

/** Who writes through a call. */
export function fieldWriter(call: ResourceCall): FieldWriter {
  const subresource = call.subresource?.name
  const ignored = rulesOf(call.info).resetFields(call.info, subresource)
  return {
    manager: fieldManager(call),
    apiVersion: call.info.apiVersion,
    now: timestamp(call.core.clock.now()),
    ...(subresource === undefined ? {} : { subresource }),
    ...(ignored === undefined ? {} : { ignored })
  }
}

/**
 * The object with the managed fields of a create, update or (non-apply) patch by this client.
 * @param call - the request
 * @param object - defaulted candidate of the served version
 * @param existing - stored object; undefined on creation
 */
export function trackUpdate(call: ResourceCall, object: KubeObject, existing: KubeObject | undefined): KubeObject {
  const live = existing === undefined ? emptyObject(call.info) : fromStorage(call.info, existing)
  const tracked = trackUpdateLater({
    ...fieldWriter(call),
    live: live as JsonMap | undefined,
    next: object,
    type: mergeTypeOf(call.info)
  }) as unknown as KubeObject
  return Object.isFrozen(tracked.metadata) || tracked.metadata === existing?.metadata
    ? { ...tracked, metadata: { ...tracked.metadata } }
    : tracked
}

/**
 * What a new object is compared with: Go's zero value of its type, whose structs nobody comes to own. The entry without
 * fields marks it as tracked.
 */
function emptyObject(info: ResourceInfo): unknown {
  if (info.crd !== undefined) return undefined
  const name = builtinDefinitionName(info.group, info.version, info.kind)
  if (name === undefined) return undefined
  const known = EMPTY_OBJECTS.get(name)
  if (known !== undefined) return known
  const empty = { ...zeroObject(typeTree(name)), metadata: { managedFields: [{ fieldsV1: {} }] } }
  EMPTY_OBJECTS.set(name, empty)
  return empty
}

const EMPTY_OBJECTS = new Map<string, unknown>()

/**
 * Whether a candidate equals the stored object but for the times of its managed fields, so that nothing need be stored.
 * Managed fields are looked at last, since they may have to be computed for it.
 * @param object - candidate
 * @param existing - stored object
 */
export function sameExceptTimes(object: KubeObject, existing: KubeObject): boolean {
  const { metadata, ...rest } = object
  const { metadata: before, ...restBefore } = existing
  if (!deepEqual(rest, restBefore)) return false
  const { managedFields, ...own } = metadata
  const { managedFields: fieldsBefore, ...ownBefore } = before
  if (!deepEqual(own, ownBefore)) return false
  if (managedFields === fieldsBefore) return true
  return deepEqual(withoutTimes(managedFields), withoutTimes(fieldsBefore))
}

function withoutTimes(entries: KubeObject['metadata']['managedFields']): unknown {
  return entries?.map(({ time: _time, ...rest }) => rest)
}
