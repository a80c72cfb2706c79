import type { KubeObject, OwnerReference } from '../../kinds/index.ts'
import { DONE, type Plan, type Requeue, attempt, report } from './plan.ts'
import { deleteRequest, patchRequest } from './requests.ts'

/** An object as the collector sees it: with the resource it is served as. */
export interface CollectedObject {
  readonly resource: string
  readonly object: KubeObject
}

/** The ownership graph of the whole cluster. */
export interface OwnershipGraph {
  byUid(uid: string): CollectedObject | undefined
  dependents(uid: string): readonly CollectedObject[]
}

const FOREGROUND = 'foregroundDeletion'
const ORPHAN = 'orphan'

/**
 * Looks at one object by uid: removes it when its owners are gone, releases or awaits its dependents when it is being deleted.
 * @see kubernetes/pkg/controller/garbagecollector, v1.36
 */
export function* collectGarbage(graph: OwnershipGraph, uid: string): Plan<Requeue> {
  const entry = graph.byUid(uid)
  if (entry === undefined) return DONE
  const { metadata } = entry.object
  if (metadata.deletionTimestamp !== undefined) {
    if (metadata.finalizers?.includes(ORPHAN) === true) return yield* orphanDependents(graph, entry)
    if (metadata.finalizers?.includes(FOREGROUND) === true) return yield* awaitDependents(graph, entry)
    return DONE
  }
  return yield* checkOwners(graph, entry)
}

function* checkOwners(graph: OwnershipGraph, entry: CollectedObject): Plan<Requeue> {
  const { object, resource } = entry
  const owners = object.metadata.ownerReferences ?? []
  if (owners.length === 0) return DONE
  const solid: OwnerReference[] = []
  const waiting: OwnerReference[] = []
  for (const owner of owners) {
    const found = graph.byUid(owner.uid)
    if (found === undefined) continue
    if (isMisplaced(found.object, object)) yield* reportMisplaced(object)
    else if (isAwaiting(found.object)) waiting.push(owner)
    else solid.push(owner)
  }
  if (solid.length === owners.length) return DONE
  if (solid.length > 0) {
    yield attempt(patchRequest(object, resource, { metadata: { uid: object.metadata.uid, ownerReferences: solid } }))
    return DONE
  }
  // The owner waits for its dependents only if they in turn have dependents to wait for.
  const foreground = waiting.length > 0 && graph.dependents(object.metadata.uid ?? '').length > 0
  yield attempt(deleteRequest(object, resource, { propagation: foreground ? 'Foreground' : 'Background' }))
  return DONE
}

/** Whether every owner of an object is there to stay: then there is nothing to collect. */
export function hasSolidOwners(graph: OwnershipGraph, object: KubeObject): boolean {
  for (const { uid } of object.metadata.ownerReferences ?? []) {
    const owner = graph.byUid(uid)?.object
    if (owner === undefined || isMisplaced(owner, object) || isAwaiting(owner)) return false
  }
  return true
}

function isMisplaced(owner: KubeObject, dependent: KubeObject): boolean {
  const { namespace } = owner.metadata
  return namespace !== undefined && namespace !== dependent.metadata.namespace
}

function isAwaiting(owner: KubeObject): boolean {
  return owner.metadata.deletionTimestamp !== undefined && owner.metadata.finalizers?.includes(FOREGROUND) === true
}

function* reportMisplaced(object: KubeObject): Plan<void> {
  const owner = object.metadata.ownerReferences?.[0]
  const message =
    `ownerRef [${owner?.apiVersion ?? ''}/${owner?.kind ?? ''}, namespace: ${object.metadata.namespace ?? ''}, ` +
    `name: ${owner?.name ?? ''}, uid: ${owner?.uid ?? ''}] does not exist in namespace "${object.metadata.namespace ?? ''}"`
  yield report({
    about: object,
    type: 'Warning',
    reason: 'OwnerRefInvalidNamespace',
    message,
    component: 'garbage-collector-controller'
  })
}

function* orphanDependents(graph: OwnershipGraph, entry: CollectedObject): Plan<Requeue> {
  const { uid = '' } = entry.object.metadata
  for (const { object, resource } of graph.dependents(uid)) {
    const rest = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid)
    const ownerReferences = rest.length === 0 ? null : rest
    yield attempt(patchRequest(object, resource, { metadata: { uid: object.metadata.uid, ownerReferences } }))
  }
  yield* removeFinalizer(entry, ORPHAN)
  return DONE
}

function* awaitDependents(graph: OwnershipGraph, entry: CollectedObject): Plan<Requeue> {
  const { uid = '' } = entry.object.metadata
  for (const { object, resource } of graph.dependents(uid)) {
    if (object.metadata.deletionTimestamp !== undefined) continue
    const others = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid)
    if (others.some((owner) => graph.byUid(owner.uid) !== undefined)) continue
    const deeper = graph.dependents(object.metadata.uid ?? '').length > 0
    yield attempt(deleteRequest(object, resource, { propagation: deeper ? 'Foreground' : 'Background' }))
  }
  const blocking = graph
    .dependents(uid)
    .some(({ object }) =>
      object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion)
    )
  if (!blocking) yield* removeFinalizer(entry, FOREGROUND)
  return DONE
}

function* removeFinalizer(entry: CollectedObject, finalizer: string): Plan<void> {
  const { object, resource } = entry
  const rest = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer)
  const finalizers = rest.length === 0 ? null : rest
  yield attempt(patchRequest(object, resource, { metadata: { uid: object.metadata.uid, finalizers } }))
}
