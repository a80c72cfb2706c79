import type { KubeObject, OwnerReference } from '../../kinds/index.ts'
import { type ClusterView, DONE, type Plan, type ReconcileContext, write } from './plan.ts'
import { patchRequest } from './requests.ts'
import { selectorMatches } from './selectors.ts'
import type { LabelSelector } from './shapes.ts'

/** The reference that makes `owner` the controller of what carries it (meta/v1 NewControllerRef). */
export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true
  }
}

/** The controlling owner of an object, if it has one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  const { ownerReferences } = object.metadata
  if (ownerReferences === undefined) return undefined
  for (let index = 0; index < ownerReferences.length; index++)
    if (ownerReferences[index]?.controller === true) return ownerReferences[index]
  return undefined
}

/**
 * Objects a workload controls: releases those its selector no longer matches, adopts matching ones without controller.
 * @see kubernetes/pkg/controller/controller_ref_manager.go, v1.36
 */
export function* claimControlled(
  context: ReconcileContext,
  owner: KubeObject,
  wanted: { readonly group: string; readonly resource: string; readonly selector: LabelSelector }
): Plan<readonly KubeObject[]> {
  const { view } = context
  const { group, resource, selector } = wanted
  const claimed: KubeObject[] = []
  for (const object of view.controlledBy(group, resource, owner.metadata.uid ?? '')) {
    if (selectorMatches(selector, object.metadata.labels)) claimed.push(object)
    else yield* release(object, owner, resource)
  }
  if (owner.metadata.deletionTimestamp !== undefined) return claimed
  for (const object of view.orphans(group, resource, owner.metadata.namespace ?? '')) {
    if (object.metadata.deletionTimestamp !== undefined) continue
    if (!selectorMatches(selector, object.metadata.labels)) continue
    claimed.push(yield* adopt(object, owner, resource))
  }
  return claimed
}

/** What a workload controls where there is nothing to release or to adopt, which is nearly always; else undefined. */
export function controlledAlready(
  view: ClusterView,
  owner: KubeObject,
  wanted: { readonly group: string; readonly resource: string; readonly selector: LabelSelector }
): readonly KubeObject[] | undefined {
  const { group, resource, selector } = wanted
  if (view.orphans(group, resource, owner.metadata.namespace ?? '').length > 0) return undefined
  const controlled = view.controlledBy(group, resource, owner.metadata.uid ?? '')
  for (const object of controlled) if (!selectorMatches(selector, object.metadata.labels)) return undefined
  return controlled
}

function* adopt(object: KubeObject, owner: KubeObject, resource: string): Plan<KubeObject> {
  const ownerReferences = [...(object.metadata.ownerReferences ?? []), controllerReference(owner)]
  const { body } = yield write(
    patchRequest(object, resource, { metadata: { uid: object.metadata.uid, ownerReferences } })
  )
  return body as KubeObject
}

function* release(object: KubeObject, owner: KubeObject, resource: string): Plan<typeof DONE> {
  const rest = (object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== owner.metadata.uid)
  const ownerReferences = rest.length === 0 ? null : rest
  yield write(patchRequest(object, resource, { metadata: { uid: object.metadata.uid, ownerReferences } }))
  return DONE
}
