import {
  badRequestStatus,
  isJsonMap,
  serverSideApply,
  statusFailure,
  type JsonMap
} from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { fromStorage } from './conversion.ts'
import { storedObject, type ResourceCall } from './core.ts'
import { storeNew } from './create.ts'
import { fieldWriter, mergeTypeOf } from './managed-fields.ts'
import { checkNamespaceGiven, metadataOf, prepareNewMetadata } from './object-meta.ts'
import { isTrue } from './option-validation.ts'
import { plainFailure, refuse } from './refusal.ts'
import { decodeObject } from './request-body.ts'
import { refuseMissing, updateObject } from './update.ts'
import type { Warnings } from './warnings.ts'

/** What an apply led to. */
export interface Applied {
  readonly object: KubeObject
  readonly isNew: boolean
}

/**
 * Server-side apply: merges a configuration into what is stored, or creates it.
 * @param call - the request
 * @param config - applied configuration
 * @param warnings - takes what should be told the client
 */
export function applyObject(call: ResourceCall, config: unknown, warnings: Warnings): Applied {
  const sent = isJsonMap(config) ? config : {}
  checkConfig(call, sent)
  const existing = storedObject(call)
  if (existing === undefined) {
    if (call.subresource !== undefined) return refuseMissing(call)
    return { object: createApplied(call, sent, warnings), isNew: true }
  }
  const merged = merge(call, sent, existing)
  const candidate = typed(call, merged, warnings)
  const object = updateObject(call, {
    candidate,
    existing,
    warnings,
    isUnconditional: true,
    managed: () => metadataOf(merged).managedFields
  })
  return { object, isNew: false }
}

function checkConfig(call: ResourceCall, config: JsonMap): void {
  const metadata = metadataOf(config)
  const { info } = call
  if (config['kind'] === undefined || config['apiVersion'] === undefined) {
    refuse(badRequestStatus(`invalid object type: ${typeText(config)}`))
  }
  if (metadata.managedFields !== undefined) refuse(badRequestStatus('metadata.managedFields must be nil'))
  checkNamespaceGiven(call, metadata)
  const name = call.path.name ?? ''
  if (metadata.name !== undefined && metadata.name !== name) {
    refuse(badRequestStatus(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`))
  }
  if (config['apiVersion'] !== info.apiVersion || config['kind'] !== info.kind) {
    const found = `${String(config['apiVersion'])}, Kind=${String(config['kind'])}`
    refuse(
      plainFailure(
        `failed to create manager for existing fields: incompatible object: got ${found}, want ${info.apiVersion}, Kind=${info.kind}`
      )
    )
  }
}

/** Group, version and kind as Go prints them: `apps/v1, Kind=Deployment`. */
function typeText(config: JsonMap): string {
  const apiVersion = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : ''
  const kind = typeof config['kind'] === 'string' ? config['kind'] : ''
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
}

function withName(call: ResourceCall, config: JsonMap): JsonMap {
  const metadata = isJsonMap(config['metadata']) ? config['metadata'] : {}
  return { ...config, metadata: { ...metadata, name: call.path.name ?? '' } }
}

function merge(call: ResourceCall, config: JsonMap, existing: KubeObject | undefined): JsonMap {
  const outcome = serverSideApply({
    ...fieldWriter(call),
    live: existing === undefined ? undefined : fromStorage(call.info, existing),
    config,
    type: mergeTypeOf(call.info),
    force: isTrue(call.query['force'])
  })
  if (outcome.ok) return outcome.object
  if (outcome.kind === 'typed') return refuse(plainFailure(outcome.message))
  const status = statusFailure(409, 'Conflict', outcome.message, { causes: [...outcome.causes] })
  return refuse(status)
}

function typed(call: ResourceCall, merged: JsonMap, warnings: Warnings): Record<string, unknown> {
  const { object, strict } = decodeObject(merged, call.info)
  const pruned = call.info.crd?.prune(object)
  const unknown = (pruned?.unknownFields ?? []).map((path) => `unknown field "${path}"`)
  if (call.query['fieldValidation'] !== 'Ignore') for (const text of [...strict, ...unknown]) warnings.add(text)
  return pruned === undefined ? object : (pruned.value as Record<string, unknown>)
}

/** Managed fields of a new object come from the merge, not from comparing objects. */
function keepManaged(merged: JsonMap): (object: KubeObject) => KubeObject {
  const { managedFields } = metadataOf(merged)
  return (object) => {
    const metadata = { ...object.metadata }
    delete metadata.managedFields
    return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } }
  }
}

function createApplied(call: ResourceCall, config: JsonMap, warnings: Warnings): KubeObject {
  const merged = merge(call, withName(call, config), undefined)
  const decoded = typed(call, merged, warnings)
  return storeNew(call, prepareNewMetadata(call, decoded), keepManaged(merged), warnings)
}
