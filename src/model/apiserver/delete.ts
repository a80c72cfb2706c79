import {
  badRequestStatus,
  conflictStatus,
  copyOf,
  copyWith,
  isJsonMap,
  methodNotAllowedStatus
} from '../../lib/apimachinery/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import type { ApiResponse, KubeObject, KubeStatus } from '../../kinds/index.ts'
import { admitDelete } from './admission.ts'
import { fromStorage } from './conversion.ts'
import { storedObject, type ResourceCall } from './core.ts'
import { CRD_CLEANUP_FINALIZER, crdRemoved, removeCrdWhenEmpty, terminateCrd } from './crd-life-cycle.ts'
import { withCondition } from './crd-status.ts'
import { parseJsonText } from './json-text.ts'
import { negotiate } from './media-type.ts'
import { readDeleteOptions, type DeleteOptions } from './option-validation.ts'
import { refuse } from './refusal.ts'
import { answerHeaders, transformList, transformObject } from './representation.ts'
import { checkBodyType } from './request-body.ts'
import { readSelection } from './selection.ts'
import { refuseMissing } from './update.ts'
import { warnDeprecation } from './warnings.ts'

const ORPHAN_FINALIZER = 'orphan'
const FOREGROUND_FINALIZER = 'foregroundDeletion'
const DEFAULT_POD_GRACE_SECONDS = 30

/** Kinds whose removal answers with the object instead of a Status (`ReturnDeletedObject`). */
const RETURNS_OBJECT: ReadonlySet<string> = new Set([
  'Pod',
  'PodTemplate',
  'ResourceQuota',
  'Service',
  'ServiceAccount',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ReplicationController'
])

/**
 * Handles a DELETE of one object.
 * @param call - the request
 */
export function handleDelete(call: ResourceCall): ApiResponse {
  if (call.info.namespaced && call.path.namespace === undefined) refuse(methodNotAllowedStatus())
  const representation = negotiate(call.request.headers?.['accept'])
  const options = readOptions(call)
  const existing = storedObject(call)
  const { warnings } = call
  warnDeprecation(call, warnings)
  admitDelete(call, call.path.name ?? '')
  if (existing === undefined) return refuseMissing(call)
  checkPreconditions(call, existing, options)
  const { object, isGone } = deleteObject(call, existing, options)
  if (!isGone || RETURNS_OBJECT.has(call.info.kind)) {
    return transformObject(call, representation, object, { code: 200, warnings })
  }
  return { code: 200, headers: answerHeaders(representation, warnings), body: successStatus(call, existing) }
}

function readOptions(call: ResourceCall): DeleteOptions {
  const { bodyText, body } = call.request
  if (bodyText === undefined || bodyText === '')
    return readDeleteOptions(isJsonMap(body) ? body : undefined, call.query)
  checkBodyType(call.request)
  const parsed = parseJsonText(bodyText)
  if (!parsed.ok) return refuse(badRequestStatus(`couldn't get version/kind; json parse error: ${parsed.message}`))
  return readDeleteOptions(isJsonMap(parsed.value) ? parsed.value : undefined, call.query)
}

function successStatus(call: ResourceCall, existing: KubeObject): KubeStatus {
  const { group, resource } = call.info
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: existing.metadata.name,
      ...(group === '' ? {} : { group }),
      kind: resource,
      ...(existing.metadata.uid === undefined ? {} : { uid: existing.metadata.uid })
    }
  }
}

function checkPreconditions(call: ResourceCall, existing: KubeObject, options: DeleteOptions): void {
  const subject = { group: call.info.group, name: call.info.kind }
  const { name, uid, resourceVersion } = existing.metadata
  if (options.uid !== undefined && options.uid !== uid) {
    const found = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid ?? ''})`
    refuse(conflictStatus(subject, name, `${found}. The object might have been deleted and then recreated`))
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const found = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion ?? ''})`
    refuse(conflictStatus(subject, name, `${found}. The object might have been modified`))
  }
}

/** What a deletion led to. */
interface Deletion {
  readonly object: KubeObject
  readonly isGone: boolean
}

/**
 * Deletes an object: at once, or marked until its grace period ends or its finalizers go (registry `Store.Delete`).
 * @param call - the request
 * @param existing - stored object
 * @param options - of the request
 */
export function deleteObject(call: ResourceCall, existing: KubeObject, options: DeleteOptions): Deletion {
  const grace = graceSeconds(call, existing, options)
  const finalizers = finalizersFor(call, existing, options)
  const isPending = grace > 0 || finalizers.length > 0 || isNamespaceHeld(call, existing)
  if (!isPending) {
    if (options.dryRun) return { object: existing, isGone: true }
    return { object: removeNow(call, isPod(call) ? markGone(call, existing) : existing), isGone: true }
  }
  const marked = markDeleted(call, existing, { grace, finalizers })
  if (options.dryRun || marked === existing) return { object: marked, isGone: false }
  const stored = call.core.store.put(call.info.storage, marked, existing)
  if (isCrd(call)) terminateCrd(call.core, stored)
  return { object: stored, isGone: false }
}

function isPod(call: ResourceCall): boolean {
  return call.info.group === '' && call.info.resource === 'pods'
}

/** A pod that goes at once is marked first, which watchers see (`updateForGracefulDeletionAndFinalizers`). */
function markGone(call: ResourceCall, existing: KubeObject): KubeObject {
  const marked = markDeleted(call, existing, { grace: 0, finalizers: [] })
  return marked === existing ? existing : call.core.store.put(call.info.storage, marked, existing)
}

function removeNow(call: ResourceCall, existing: KubeObject): KubeObject {
  const { core, info } = call
  const removed = core.store.remove(info.storage, existing)
  if (isCrd(call)) crdRemoved(core, existing.metadata.name)
  if (info.crd !== undefined) removeCrdWhenEmpty(core, info)
  return removed
}

function isCrd(call: ResourceCall): boolean {
  return call.info.group === 'apiextensions.k8s.io' && call.info.resource === 'customresourcedefinitions'
}

function isNamespaceHeld(call: ResourceCall, existing: KubeObject): boolean {
  if (call.info.group !== '' || call.info.resource !== 'namespaces') return false
  const spec = isJsonMap(existing.spec) ? existing.spec : {}
  return Array.isArray(spec['finalizers']) && spec['finalizers'].length > 0
}

/** Only pods have a grace period; it is 0 where nothing runs (registry/core/pod/strategy.go `CheckGracefulDelete`). */
function graceSeconds(call: ResourceCall, existing: KubeObject, options: DeleteOptions): number {
  if (call.info.group !== '' || call.info.resource !== 'pods') return 0
  const spec = isJsonMap(existing.spec) ? existing.spec : {}
  const status = isJsonMap(existing.status) ? existing.status : {}
  const own = spec['terminationGracePeriodSeconds']
  const wanted = options.gracePeriodSeconds ?? (typeof own === 'number' ? own : DEFAULT_POD_GRACE_SECONDS)
  const isIdle = (spec['nodeName'] ?? '') === '' || status['phase'] === 'Succeeded' || status['phase'] === 'Failed'
  if (isIdle) return 0
  const running = existing.metadata.deletionGracePeriodSeconds
  if (running !== undefined && existing.metadata.deletionTimestamp !== undefined) return Math.min(running, wanted)
  return Math.max(wanted, 0)
}

function finalizersFor(call: ResourceCall, existing: KubeObject, options: DeleteOptions): string[] {
  const finalizers = new Set(existing.metadata.finalizers ?? [])
  const policy = options.propagationPolicy
  const isAlready = existing.metadata.deletionTimestamp !== undefined
  if (policy !== undefined) {
    finalizers.delete(ORPHAN_FINALIZER)
    finalizers.delete(FOREGROUND_FINALIZER)
    if (policy === 'Orphan') finalizers.add(ORPHAN_FINALIZER)
    if (policy === 'Foreground') finalizers.add(FOREGROUND_FINALIZER)
  } else if (call.info.group === 'batch' && call.info.resource === 'jobs' && !isAlready)
    finalizers.add(ORPHAN_FINALIZER)
  if (isCrd(call) && !isAlready) finalizers.add(CRD_CLEANUP_FINALIZER)
  return [...finalizers]
}

function markDeleted(
  call: ResourceCall,
  existing: KubeObject,
  options: { readonly grace: number; readonly finalizers: readonly string[] }
): KubeObject {
  const { grace, finalizers } = options
  const now = call.core.clock.now()
  const before = existing.metadata
  const isAlready = before.deletionTimestamp !== undefined
  const isShorter = isAlready && grace < (before.deletionGracePeriodSeconds ?? 0)
  const sameFinalizers = finalizers.join() === (before.finalizers ?? []).join()
  if (isAlready && !isShorter && sameFinalizers) return existing
  const metadata = copyOf(before)
  if (!isAlready || isShorter) {
    metadata.deletionTimestamp = formatTimestamp(now + grace * 1000)
    metadata.deletionGracePeriodSeconds = grace
    if (before.generation !== undefined) metadata.generation = before.generation + 1
  }
  if (finalizers.length > 0) metadata.finalizers = [...finalizers]
  else delete metadata.finalizers
  return withTerminatingState(call, copyWith(existing, 'metadata', metadata), now)
}

function withTerminatingState(call: ResourceCall, object: KubeObject, now: number): KubeObject {
  const status = isJsonMap(object.status) ? object.status : {}
  if (call.info.group === '' && call.info.resource === 'namespaces') {
    return { ...object, status: { ...status, phase: 'Terminating' } }
  }
  if (!isCrd(call)) return object
  const condition = {
    type: 'Terminating',
    status: 'True' as const,
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    lastTransitionTime: formatTimestamp(now)
  }
  return { ...object, status: { ...status, conditions: withCondition(object, condition) } }
}

/**
 * Handles a DELETE of a collection: every selected object is deleted as on its own.
 * @param call - the request
 */
export function handleDeleteCollection(call: ResourceCall): ApiResponse {
  const representation = negotiate(call.request.headers?.['accept'])
  const options = readOptions(call)
  const selection = readSelection(call)
  const { storage, namespaced } = call.info
  const objects = call.core.store.list(storage.group, storage.resource, namespaced ? call.path.namespace : undefined)
  const items: KubeObject[] = []
  for (const object of objects) {
    if (!selection.matches(object)) continue
    items.push(fromStorage(call.info, deleteObject(call, object, options).object))
  }
  const metadata = { resourceVersion: String(call.core.store.revision) }
  return transformList(call, representation, { items, metadata }, call.warnings)
}
