import type { KubeObject } from '../../kinds/index.ts'
import {
  type Condition,
  type Pod,
  type Service,
  isPodFinished,
  readyCondition,
  sameJson
} from '../../model/controllers/index.ts'

/** Whether a pod's change matters to the ReplicaSet that counts it: to size, readiness, availability or labels. */
export function movesCounts(pod: Pod, previous: Pod): boolean {
  return (
    movesLife(pod, previous) ||
    // Of one on its way out it is the number that counts.
    (!isLeaving(pod) && !sameReadiness(readyCondition(pod), readyCondition(previous))) ||
    !sameJson(pod.metadata.labels, previous.metadata.labels) ||
    !sameJson(pod.metadata.ownerReferences, previous.metadata.ownerReferences)
  )
}

/** Whether a pod is on its way out: Endpoints, unlike slices, have left it out from then on. */
export function isLeaving(pod: Pod | undefined): boolean {
  return pod?.metadata.deletionTimestamp !== undefined
}

/** Whether a pod's change matters to the endpoints of the Services that select it. */
export function movesEndpoints(pod: Pod, previous: Pod): boolean {
  return (
    movesLife(pod, previous) ||
    pod.spec.nodeName !== previous.spec.nodeName ||
    pod.status?.podIP !== previous.status?.podIP ||
    readyCondition(pod)?.status !== readyCondition(previous)?.status ||
    !sameJson(pod.metadata.labels, previous.metadata.labels)
  )
}

/** Whether endpoint slices of a Service are made of its Endpoints: of a Service without selector, which has them written by hand. */
export function mirrorsEndpoints(service: KubeObject | undefined): boolean {
  return service === undefined || (service as Service).spec.selector === undefined
}

function movesLife(pod: Pod, previous: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    isPodFinished(pod) !== isPodFinished(previous)
  )
}

function sameReadiness(left: Condition | undefined, right: Condition | undefined): boolean {
  return left === right || (left?.status === right?.status && left?.lastTransitionTime === right?.lastTransitionTime)
}
