import {
  badRequestStatus,
  conflictStatus,
  invalidError,
  methodNotAllowedStatus,
  notFoundStatus,
  type FailureStatus,
  type FieldError
} from '../../lib/apimachinery/index.ts'
import type { ApiResponse, KubeObject } from '../../kinds/index.ts'
import { decodeBody, toStorage } from './conversion.ts'
import { isDryRun, storedObject, type ResourceCall } from './core.ts'
import { createObject } from './create.ts'
import { rulesOf } from './kind-rules.ts'
import { entriesAfterUpdate, sameExceptTimes, storedMetadata, type ManagedEntries } from './managed-fields.ts'
import { negotiate } from './media-type.ts'
import { checkNamespaceGiven, metadataOf, prepareChangedMetadata } from './object-meta.ts'
import { checkWriteOptions } from './option-validation.ts'
import { plainFailure, refuse, refuseInvalid } from './refusal.ts'
import { transformObject } from './representation.ts'
import { checkBodyType } from './request-body.ts'
import { afterCommit, beforeCommit, beforeValidation, finishDeletion } from './side-effects.ts'
import type { Warnings } from './warnings.ts'

/** Built-in kinds that an update creates where they are missing (`AllowCreateOnUpdate`). */
const CREATED_BY_UPDATE: ReadonlySet<string> = new Set([
  'Endpoints',
  'Event',
  'Lease',
  'LimitRange',
  'Node',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'Service'
])

/**
 * Handles a PUT of an object or its status.
 * @param call - the request
 */
export function handleUpdate(call: ResourceCall): ApiResponse {
  if (call.info.namespaced && call.path.namespace === undefined) refuse(methodNotAllowedStatus())
  const representation = negotiate(call.request.headers?.['accept'])
  checkWriteOptions('UpdateOptions', call.query)
  checkBodyType(call.request)
  const { warnings } = call
  const existing = storedObject(call)
  const decoded = withName(call, decodeBody(call, warnings, existing))
  if (existing === undefined) {
    if (!CREATED_BY_UPDATE.has(call.info.kind) || call.info.crd !== undefined) return refuseMissing(call)
    const created = createObject(call, decoded, warnings)
    return transformObject(call, representation, created, { code: 201, warnings })
  }
  const updated = updateObject(call, { candidate: decoded, existing, warnings, isUnconditional: false })
  return transformObject(call, representation, updated, { code: 200, warnings })
}

/** 404 for the object the call names. */
export function missingStatus(call: ResourceCall): FailureStatus {
  return notFoundStatus({ group: call.info.group, name: call.info.resource }, call.path.name ?? '')
}

/** Refuses with {@link missingStatus}. */
export function refuseMissing(call: ResourceCall): never {
  return refuse(missingStatus(call))
}

/** The body, whose name is that of the path. */
function withName(call: ResourceCall, decoded: Record<string, unknown>): Record<string, unknown> {
  const metadata = metadataOf(decoded)
  const wanted = call.path.name ?? ''
  const given = metadata.name ?? ''
  if (given === '') {
    refuse(
      badRequestStatus(`the name of the object (${wanted} based on URL) was undeterminable: name must be provided`)
    )
  }
  if (given !== wanted) {
    refuse(badRequestStatus(`the name of the object (${given}) does not match the name on the URL (${wanted})`))
  }
  checkNamespaceGiven(call, metadata)
  return decoded
}

/** One change of a stored object. */
export interface Change {
  /** New object in the served version, decoded. */
  readonly candidate: Record<string, unknown>
  readonly existing: KubeObject
  readonly warnings: Warnings
  /** Patches without resourceVersion apply to whatever is stored. */
  readonly isUnconditional: boolean
  /** Gives the managed fields of the defaulted object; default: those of an update by this client. */
  readonly managed?: (object: KubeObject) => ManagedEntries
}

/**
 * Validates and stores a change; a change that changes nothing stores nothing.
 * @param call - the request
 * @param change - candidate and stored object
 */
export function updateObject(call: ResourceCall, change: Change): KubeObject {
  const { info } = call
  const { existing, warnings } = change
  checkPreconditions(call, change)
  const rules = rulesOf(info)
  const door = call.subresource?.name
  const candidate = rules.applyDefaults(info, prepareChangedMetadata(change.candidate, existing), existing)
  const { managed } = change
  const entries = managed === undefined ? entriesAfterUpdate(call, candidate, existing) : managed(candidate)
  const completed = beforeValidation(call, toStorage(info, candidate), existing)
  let object = rules.prepareUpdate(info, completed, existing, door)
  refuseErrors(call, object, uidErrors(change), rules.validate(info, object, existing, door))
  object = beforeCommit(call, object, existing, warnings)
  object.metadata = storedMetadata(object.metadata, entries, existing.metadata.resourceVersion ?? '')
  if (isFinished(object, existing)) return isDryRun(call) ? object : finishDeletion(call, object, existing)
  if (sameExceptTimes(object, existing)) return existing
  if (isDryRun(call)) return object
  const stored = call.core.store.put(info.storage, object, existing)
  afterCommit(call, stored)
  return stored
}

function refuseErrors(
  call: ResourceCall,
  object: KubeObject,
  uidErrors: readonly FieldError[],
  errors: readonly FieldError[]
): void {
  if (uidErrors.length === 0 && errors.length === 0) return
  const { storage, kind } = call.info
  refuseInvalid({ group: storage.group, name: kind }, object.metadata.name, [...uidErrors, ...errors])
}

function checkPreconditions(call: ResourceCall, change: Change): void {
  const { existing, candidate } = change
  const metadata = metadataOf(candidate)
  if (metadata === existing.metadata) return
  const resource = { group: call.info.group, name: call.info.resource }
  const { name } = existing.metadata
  const version = metadata.resourceVersion ?? ''
  if (!/^\d*$/.test(version)) refuse(plainFailure(`strconv.ParseUint: parsing "${version}": invalid syntax`))
  if (version !== '' && version !== '0' && version !== existing.metadata.resourceVersion)
    refuse(conflictStatus(resource, name))
  if (
    !change.isUnconditional &&
    metadata.uid !== undefined &&
    metadata.uid !== '' &&
    metadata.uid !== existing.metadata.uid
  ) {
    const { storage } = call.info
    const path = [storage.group, storage.resource, existing.metadata.namespace, name].filter(
      (one) => one !== undefined && one !== ''
    )
    const place = storage.group.includes('.') || storage.group === '' ? path : path.slice(1)
    const found = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${existing.metadata.uid ?? ''}`
    const cause = `StorageError: invalid object, Code: 4, Key: /registry/${place.join('/')}, ResourceVersion: 0, AdditionalErrorMsg: ${found}`
    refuse(conflictStatus(resource, name, cause))
  }
  const isMissing = version === '' && !change.isUnconditional && call.info.crd !== undefined
  if (isMissing) {
    const error = invalidError('metadata.resourceVersion', 0, 'must be specified for an update')
    refuseInvalid(resource, name, [error])
  }
}

function uidErrors(change: Change): readonly FieldError[] {
  const uid = metadataOf(change.candidate).uid
  if (uid === undefined || uid === '' || uid === change.existing.metadata.uid) return NO_ERRORS
  const error = invalidError('metadata.uid', uid, 'field is immutable')
  return [error, error]
}

const NO_ERRORS: readonly FieldError[] = Object.freeze([])

/** A deleted object whose last finalizer goes is removed. */
function isFinished(object: KubeObject, existing: KubeObject): boolean {
  if (existing.metadata.deletionTimestamp === undefined) return false
  if ((existing.metadata.finalizers ?? []).length === 0) return false
  return (
    (object.metadata.finalizers ?? []).length === 0 &&
    (existing.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    !hasSpecFinalizers(object)
  )
}

function hasSpecFinalizers(object: KubeObject): boolean {
  const spec = object.spec as { finalizers?: unknown[] } | undefined
  return object.kind === 'Namespace' && (spec?.finalizers ?? []).length > 0
}
