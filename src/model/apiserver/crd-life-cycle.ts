import { isJsonMap } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { timestamp, type Core } from './core.ts'
import { isEstablished, withCondition, type CrdCondition } from './crd-status.ts'
import { compiledCrd } from './registry.ts'
import type { ResourceInfo, StoragePlace } from './resources.ts'
import type { Warnings } from './warnings.ts'

const CRD_PLACE: StoragePlace = {
  group: 'apiextensions.k8s.io',
  resource: 'customresourcedefinitions',
  apiVersion: 'apiextensions.k8s.io/v1'
}

/** Finalizer that keeps a definition until its objects are gone. */
export const CRD_CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

/**
 * Accepts the names of a definition and establishes it at once (upstream two controllers do so a moment later).
 * @param core - the server
 * @param object - candidate
 * @param warnings - takes unrecognized formats
 */
export function prepareCrd(core: Core, object: KubeObject, warnings: Warnings): KubeObject {
  for (const warning of compiledCrd(object).warnings) warnings.add(warning)
  const now = timestamp(core.clock.now())
  const accepted: CrdCondition = {
    type: 'NamesAccepted',
    status: 'True',
    reason: 'NoConflicts',
    message: 'no conflicts found',
    lastTransitionTime: now
  }
  const established: CrdCondition = {
    type: 'Established',
    status: 'True',
    reason: 'InitialNamesAccepted',
    message: 'the initial names have been accepted',
    lastTransitionTime: now
  }
  const spec = isJsonMap(object.spec) ? object.spec : {}
  const status = isJsonMap(object.status) ? object.status : {}
  const withNames = { ...object, status: { ...status, conditions: withCondition(object, accepted) } }
  const conditions = withCondition(withNames, established)
  return {
    ...object,
    status: { ...status, conditions, acceptedNames: spec['names'], storedVersions: storedVersions(object) }
  }
}

function storedVersions(crd: KubeObject): string[] {
  const status = isJsonMap(crd.status) ? crd.status : {}
  const known = Array.isArray(status['storedVersions']) ? (status['storedVersions'] as string[]) : []
  const storage = compiledCrd(crd).versions.find((version) => version.storage)?.name
  return storage === undefined || known.includes(storage) ? known : [...known, storage]
}

/**
 * Serves what a stored definition says.
 * @param core - the server
 * @param object - stored definition
 * @param _existing - definition before
 */
export function crdChanged(core: Core, object: KubeObject, _existing: KubeObject | undefined): void {
  if (isEstablished(object)) core.registry.install(object)
}

/**
 * Begins the removal of a definition: its objects are deleted; it goes when the last of them has gone.
 * @param core - the server
 * @param crd - definition with deletionTimestamp, stored
 */
export function terminateCrd(core: Core, crd: KubeObject): void {
  const compiled = compiledCrd(crd)
  const place = { group: compiled.group, resource: compiled.names.plural, apiVersion: '' }
  for (const object of core.store.list(place.group, place.resource)) {
    if ((object.metadata.finalizers ?? []).length === 0) core.store.remove(place, object)
    else if (object.metadata.deletionTimestamp === undefined) markDeleted(core, place, object)
  }
  finishCrd(core, crd)
}

function markDeleted(core: Core, place: StoragePlace, object: KubeObject): void {
  const deleted = { deletionTimestamp: timestamp(core.clock.now()), deletionGracePeriodSeconds: 0 }
  core.store.put(place, { ...object, metadata: { ...object.metadata, ...deleted } }, object)
}

function finishCrd(core: Core, crd: KubeObject): void {
  const compiled = compiledCrd(crd)
  const left = core.store.list(compiled.group, compiled.names.plural).length
  const now = timestamp(core.clock.now())
  if (left === 0) {
    const finalizers = (crd.metadata.finalizers ?? []).filter((one) => one !== CRD_CLEANUP_FINALIZER)
    if (finalizers.length === 0) {
      core.store.remove(CRD_PLACE, crd)
      core.registry.uninstall(crd.metadata.name)
    } else core.store.put(CRD_PLACE, { ...crd, metadata: { ...crd.metadata, finalizers } }, crd)
    return
  }
  const condition: CrdCondition = {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionInProgress',
    message: 'CustomResource deletion is in progress',
    lastTransitionTime: now
  }
  const status = isJsonMap(crd.status) ? crd.status : {}
  const stored = core.store.put(
    CRD_PLACE,
    { ...crd, metadata: { ...crd.metadata }, status: { ...status, conditions: withCondition(crd, condition) } },
    crd
  )
  core.registry.install(stored)
}

/**
 * Ends the removal of a definition when its last object has gone.
 * @param core - the server
 * @param info - custom resource of which an object was removed
 */
export function removeCrdWhenEmpty(core: Core, info: ResourceInfo): void {
  const crd = core.store.get(CRD_PLACE.group, CRD_PLACE.resource, undefined, `${info.resource}.${info.group}`)
  if (crd?.metadata.deletionTimestamp === undefined) return
  if (core.store.list(info.storage.group, info.storage.resource).length === 0) finishCrd(core, crd)
}
