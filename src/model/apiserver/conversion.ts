import { copyWith, isJsonMap, RecentResults } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceCall } from './core.ts'
import { convertEvent } from './event-conversion.ts'
import { autoscalerFromV1, autoscalerToV1 } from './builtin/index.ts'
import { decodeObject, parseBody, readBody, withExpectedKind } from './request-body.ts'
import type { ResourceInfo } from './resources.ts'
import { reportStrictErrors, warnDeprecation, type Warnings } from './warnings.ts'

/**
 * Reads the body of a create or update: parsed, of the right kind, decoded into its type or pruned by its schema.
 * @param call - the request
 * @param warnings - takes strict findings in mode Warn
 * @param existing - the stored object on update
 */
export function decodeBody(call: ResourceCall, warnings: Warnings, existing?: KubeObject): Record<string, unknown> {
  warnDeprecation(call, warnings)
  const { info } = call
  const stored = existing === undefined ? undefined : servedForm(info, existing)
  const parsed = info.crd === undefined ? readBody(call.request, info.kind) : parseBody(call.request, info.kind, stored)
  const { value, duplicates, isBorrowed, isGiven } = parsed
  const isExpected = isJsonMap(value) && value['kind'] === info.kind && value['apiVersion'] === info.apiVersion
  const body = isExpected ? value : withExpectedKind(value, info)
  const { object, strict } = decodeObject(body, info, { duplicates, stored, isBorrowed, isGiven })
  return pruneCustom(call, object, { strict, stored }, warnings)
}

/** What a body replaces: parts of it that come back need no decoding, unless they were converted to another type. */
function servedForm(info: ResourceInfo, existing: KubeObject): KubeObject | undefined {
  return info.isCustom || existing.apiVersion === info.apiVersion ? fromStorage(info, existing) : undefined
}

/**
 * Drops what the schema of a custom resource does not specify and deals with strict findings.
 * @param call - the request
 * @param object - decoded object
 * @param found - findings so far; stored object of the served version
 * @param warnings - takes them in mode Warn
 */
function pruneCustom(
  call: ResourceCall,
  object: Record<string, unknown>,
  found: { readonly strict: readonly string[]; readonly stored: KubeObject | undefined },
  warnings: Warnings
): Record<string, unknown> {
  const { info, query } = call
  const { strict, stored } = found
  const pruned = info.crd?.prune(object, stored)
  const unknown = pruned?.unknownFields.map((path) => `unknown field "${path}"`) ?? []
  if (strict.length + unknown.length > 0) {
    const subject = `${info.kind} in version "${info.version}" cannot be handled as a ${info.kind}`
    reportStrictErrors([...strict, ...unknown], query['fieldValidation'], warnings, subject)
  }
  return isJsonMap(pruned?.value) ? pruned.value : object
}

/** Objects in the version they are served in, by resource: frozen objects never change. */
const CONVERTED = new WeakMap<ResourceInfo, RecentResults<KubeObject>>()

function conversionsTo(info: ResourceInfo): RecentResults<KubeObject> {
  const known = CONVERTED.get(info)
  if (known !== undefined) return known
  const fresh = new RecentResults<KubeObject>()
  CONVERTED.set(info, fresh)
  return fresh
}

/**
 * An object of the served version in the version of the storage.
 * @param info - resource it came through
 * @param object - owned by the caller
 */
export function toStorage(info: ResourceInfo, object: KubeObject): KubeObject {
  if (info.storage.apiVersion === info.apiVersion) return object
  if (info.resource === 'horizontalpodautoscalers' && info.group === 'autoscaling')
    return autoscalerFromV1(object) as unknown as KubeObject
  if (info.resource === 'events' && info.group === 'events.k8s.io') return convertEvent(object, 'v1')
  return copyWith(object, 'apiVersion', info.storage.apiVersion)
}

/**
 * A stored object in the version a resource serves; shared and frozen where nothing changes.
 * @param info - resource it is read through
 * @param object - stored object
 */
export function fromStorage(info: ResourceInfo, object: KubeObject): KubeObject {
  if (object.apiVersion === info.apiVersion) return object
  const known = conversionsTo(info)
  let converted = known.get(object)
  if (converted === undefined) known.set(object, (converted = convertStored(info, object)))
  return converted
}

function convertStored(info: ResourceInfo, object: KubeObject): KubeObject {
  if (info.resource === 'horizontalpodautoscalers' && info.group === 'autoscaling')
    return autoscalerToV1(object) as unknown as KubeObject
  if (info.resource === 'events' && info.group === 'events.k8s.io') return convertEvent(object, 'events.k8s.io/v1')
  const renamed = copyWith(object, 'apiVersion', info.apiVersion)
  if (info.crd === undefined) return renamed
  // What the other version does not know is not shown; its own defaults are for new objects.
  return info.crd.prune(renamed).value as KubeObject
}
