import {
  copyWith,
  deepEqual,
  DEDUCED,
  mergeTypeFromOpenApi,
  sameMembers,
  trackedEntriesLater,
  trackUpdateLater,
  type FieldSet,
  type FieldWriter,
  type JsonMap,
  type MergeType,
  type TrackUpdateInput
} from '../../lib/apimachinery/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { BUILTIN_DEFINITIONS, builtinDefinitionName, builtinSchema } from './builtin/index.ts'
import { fromStorage } from './conversion.ts'
import { managerName, type ResourceCall } from './core.ts'
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
  return {
    manager: managerName(call.query['fieldManager'], call.request.headers?.['user-agent']),
    apiVersion: call.info.apiVersion,
    now: formatTimestamp(call.core.clock.now()),
    subresource,
    ignored: rulesOf(call.info).resetFields(call.info, subresource)
  }
}

/**
 * A new object with the managed fields of its creation by this client.
 * @param call - the request
 * @param object - defaulted candidate of the served version
 */
export function trackCreate(call: ResourceCall, object: KubeObject): KubeObject {
  return trackUpdateLater(new TrackedUpdate(call, object, emptyObject(call.info))) as unknown as KubeObject
}

/**
 * The managed fields of an object after an update or (non-apply) patch by this client; undefined: it has none.
 * @param call - the request
 * @param object - defaulted candidate of the served version; must not change afterwards
 * @param existing - stored object
 */
export function entriesAfterUpdate(call: ResourceCall, object: KubeObject, existing: KubeObject): ManagedEntries {
  return trackedEntriesLater(new TrackedUpdate(call, object, fromStorage(call.info, existing))) as ManagedEntries
}

/** What `metadata.managedFields` may be. */
export type ManagedEntries = KubeObject['metadata']['managedFields']

/** What an update is tracked by; who wrote and when is put into words only when somebody looks at managed fields. */
class TrackedUpdate implements TrackUpdateInput {
  readonly live: JsonMap | undefined
  readonly next: JsonMap
  readonly subresource: string | undefined
  readonly #info: ResourceInfo
  readonly #manager: string | undefined
  readonly #agent: string | undefined
  readonly #at: number

  constructor(call: ResourceCall, next: JsonMap, live: JsonMap | undefined) {
    this.live = live
    this.next = next
    this.subresource = call.subresource?.name
    this.#info = call.info
    this.#manager = call.query['fieldManager']
    this.#agent = call.request.headers?.['user-agent']
    this.#at = call.core.clock.now()
  }

  get manager(): string {
    return managerName(this.#manager, this.#agent)
  }

  get apiVersion(): string {
    return this.#info.apiVersion
  }

  get now(): string {
    return formatTimestamp(this.#at)
  }

  get ignored(): FieldSet | undefined {
    return rulesOf(this.#info).resetFields(this.#info, this.subresource)
  }

  get type(): MergeType {
    return mergeTypeOf(this.#info)
  }
}

/**
 * Metadata of a changed object as it is stored.
 * @param metadata - of the candidate; not changed
 * @param managedFields - its managed fields, which come last
 * @param resourceVersion - version of the stored object, until the store gives it the next one
 */
export function storedMetadata(
  metadata: KubeObject['metadata'],
  managedFields: ManagedEntries,
  resourceVersion: string
): KubeObject['metadata'] {
  if (managedFields !== undefined && (metadata.managedFields === undefined || lastOf(metadata) === 'managedFields')) {
    const copy = copyWith(metadata, 'managedFields', managedFields)
    copy.resourceVersion = resourceVersion
    return copy
  }
  const copy: Record<string, unknown> = {}
  for (const key in metadata) if (key !== 'managedFields') copy[key] = metadata[key as keyof typeof metadata]
  if (managedFields !== undefined) copy['managedFields'] = managedFields
  copy['resourceVersion'] = resourceVersion
  return copy as unknown as KubeObject['metadata']
}

/** Name of the last member. */
function lastOf(map: object): string {
  let last = ''
  for (const name in map) last = name
  return last
}

/**
 * What a new object is compared with: Go's zero value of its type, whose structs nobody comes to own. The entry without
 * fields marks it as tracked.
 */
function emptyObject(info: ResourceInfo): JsonMap | undefined {
  if (info.crd !== undefined) return undefined
  const known = EMPTY_OBJECTS.get(info)
  if (known !== undefined) return known
  const name = builtinDefinitionName(info.group, info.version, info.kind)
  if (name === undefined) return undefined
  const empty = { ...zeroObject(typeTree(name)), metadata: { managedFields: [{ fieldsV1: {} }] } }
  EMPTY_OBJECTS.set(info, empty)
  return empty
}

const EMPTY_OBJECTS = new WeakMap<ResourceInfo, JsonMap>()

/**
 * Whether a candidate equals the stored object but for the times of its managed fields, so that nothing need be stored.
 * Managed fields are looked at last, since they may have to be computed for it.
 * @param object - candidate
 * @param existing - stored object
 */
export function sameExceptTimes(object: KubeObject, existing: KubeObject): boolean {
  // Most changes are of one of these, and reading a member by its name takes a tenth.
  if (!deepEqual(object.status, existing.status) || !deepEqual(object.spec, existing.spec)) return false
  if (!sameMembers(object, existing, 'metadata')) return false
  const { metadata } = object
  const before = existing.metadata
  if (!sameMembers(metadata as unknown as JsonMap, before as unknown as JsonMap, 'managedFields')) return false
  if (metadata.managedFields === before.managedFields) return true
  return deepEqual(withoutTimes(metadata.managedFields), withoutTimes(before.managedFields))
}

function withoutTimes(entries: ManagedEntries): unknown {
  return entries?.map(({ time: _time, ...rest }) => rest)
}
