import { alreadyExistsStatus, methodNotAllowedStatus } from '../../lib/apimachinery/index.ts'
import type { ApiResponse, KubeObject } from '../../kinds/index.ts'
import { admitCreate } from './admission.ts'
import { decodeBody, toStorage } from './conversion.ts'
import { isDryRun, type ResourceCall } from './core.ts'
import { rulesOf } from './kind-rules.ts'
import { trackCreate } from './managed-fields.ts'
import { generateName, prepareNewMetadata } from './object-meta.ts'
import { checkWriteOptions } from './option-validation.ts'
import { chargeQuotas } from './quota.ts'
import { refuse, refuseInvalid } from './refusal.ts'
import { checkBodyType } from './request-body.ts'
import { afterCommit, beforeCommit, beforeValidation } from './side-effects.ts'
import { transformObject } from './representation.ts'
import type { Warnings } from './warnings.ts'
import { negotiate } from './media-type.ts'

/** Tries of a generated name that is taken already. */
const GENERATE_TRIES = 8

/**
 * Handles a POST to a collection.
 * @param call - the request
 */
export function handleCreate(call: ResourceCall): ApiResponse {
  if (call.info.namespaced && call.path.namespace === undefined) refuse(methodNotAllowedStatus())
  const representation = negotiate(call.request.headers?.['accept'])
  checkWriteOptions('CreateOptions', call.query)
  checkBodyType(call.request)
  const { warnings } = call
  const decoded = decodeBody(call, warnings)
  const created = createObject(call, decoded, warnings)
  return transformObject(call, representation, created, { code: 201, warnings })
}

/**
 * Creates an object from a decoded body: metadata, admission, defaults, validation, storage.
 * @param call - the request
 * @param decoded - object of the served version
 * @param warnings - takes what should be told the client
 */
export function createObject(call: ResourceCall, decoded: Record<string, unknown>, warnings: Warnings): KubeObject {
  const prepared = prepareNewMetadata(call, decoded)
  return storeNew(call, prepared, undefined, warnings)
}

/**
 * Admits, validates and stores a new object whose metadata is prepared.
 * @param call - the request
 * @param prepared - object of the served version, owned by the caller
 * @param managed - gives the object its managed fields; default: those of an update by this client
 * @param warnings - takes what should be told the client
 */
export function storeNew(
  call: ResourceCall,
  prepared: KubeObject,
  managed: ((object: KubeObject) => KubeObject) | undefined,
  warnings: Warnings
): KubeObject {
  const { core, info } = call
  const rules = rulesOf(info)
  let object = rules.applyDefaults(info, prepared)
  object = admitCreate(call, object, warnings)
  object = managed === undefined ? trackCreate(call, object) : managed(object)
  object = rules.prepareCreate(info, beforeValidation(call, toStorage(info, object), undefined))
  refuseInvalid({ group: info.storage.group, name: info.kind }, object.metadata.name, rules.validate(info, object))
  object = uniqueName(call, object)
  object = beforeCommit(call, object, undefined, warnings)
  chargeQuotas(call, object)
  if (isDryRun(call)) return withoutVersion(object)
  const stored = core.store.put(info.storage, object, undefined)
  afterCommit(call, stored)
  return stored
}

function uniqueName(call: ResourceCall, object: KubeObject): KubeObject {
  const { storage } = call.info
  const base = object.metadata.generateName
  for (let tries = 0; tries < GENERATE_TRIES; tries++) {
    const taken = call.core.store.get(storage.group, storage.resource, object.metadata.namespace, object.metadata.name)
    if (taken === undefined) return object
    if (base === undefined) break
    object = { ...object, metadata: { ...object.metadata, name: generateName(base, call) } }
  }
  return refuse(alreadyExistsStatus({ group: call.info.group, name: call.info.resource }, object.metadata.name))
}

/** A dry run has no version. */
function withoutVersion(object: KubeObject): KubeObject {
  const metadata = { ...object.metadata }
  delete metadata.resourceVersion
  return { ...object, metadata }
}
