import type { KubeObject } from '../../kinds/index.ts'
import { crdChanged, crdRemoved, prepareCrd, removeCrdWhenEmpty } from './crd-life-cycle.ts'
import type { ResourceCall } from './core.ts'
import { completeEvent } from './event-conversion.ts'
import { allocateService } from './service-addresses.ts'
import type { Warnings } from './warnings.ts'

/**
 * What the server itself decides about some kinds before an object is validated: the addresses of Services.
 * @param call - the request
 * @param object - candidate in the version of the storage
 * @param existing - stored object; undefined on creation
 */
export function beforeValidation(call: ResourceCall, object: KubeObject, existing: KubeObject | undefined): KubeObject {
  const isMain = call.info.groupResource === '/services' && call.subresource?.name !== 'status'
  return isMain ? allocateService(call.core, object, existing) : object
}

/**
 * What the server itself decides about some kinds right before an object is stored: phases, conditions.
 * @param call - the request
 * @param object - validated candidate in the version of the storage
 * @param existing - stored object; undefined on creation
 * @param warnings - takes what should be told the client
 */
export function beforeCommit(
  call: ResourceCall,
  object: KubeObject,
  existing: KubeObject | undefined,
  warnings: Warnings
): KubeObject {
  switch (call.info.groupResource) {
    case '/events':
    case 'events.k8s.io/events':
      return completeEvent(object)
    case 'networking.k8s.io/ingresses':
      if (existing === undefined && object.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) {
        warnings.add(
          `annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`
        )
      }
      return object
    case 'apiextensions.k8s.io/customresourcedefinitions':
      return prepareCrd(object, existing, warnings)
    default:
      return object
  }
}

/**
 * What follows a stored change.
 * @param call - the request
 * @param object - stored object
 */
export function afterCommit(call: ResourceCall, object: KubeObject): void {
  if (call.info.groupResource === 'apiextensions.k8s.io/customresourcedefinitions') crdChanged(call.core, object)
}

/**
 * Removes a deleted object whose finalizers are gone.
 * @param call - the request
 * @param object - its last state
 * @param existing - stored object
 */
export function finishDeletion(call: ResourceCall, object: KubeObject, existing: KubeObject): KubeObject {
  const { core, info } = call
  const removed = core.store.remove(info.storage, { ...object, metadata: { ...object.metadata } })
  if (info.groupResource === 'apiextensions.k8s.io/customresourcedefinitions') crdRemoved(core, existing.metadata.name)
  if (info.crd !== undefined) removeCrdWhenEmpty(core, info)
  return removed
}
