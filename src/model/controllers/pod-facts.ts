import { type Instant, parseTimestamp } from '../../lib/time/index.ts'
import type { Condition, Pod } from './shapes.ts'

/** Where kubelets put the Ready condition. */
const READY_PLACE = 2

/** The Ready condition of a pod. */
export function readyCondition(pod: Pod): Condition | undefined {
  const conditions = pod.status?.conditions
  const there = conditions?.[READY_PLACE]
  return there?.type === 'Ready' ? there : conditionOf(conditions, 'Ready')
}

/** A condition by type. V8 goes through frozen lists, as stored ones are, fast by index alone: this is asked all the time. */
export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  if (conditions === undefined) return undefined
  for (let index = 0; index < conditions.length; index++) if (conditions[index]?.type === type) return conditions[index]
  return undefined
}

/** Whether the Ready condition is True. */
export function isPodReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True'
}

/** When the pod became ready; undefined while it is not. */
export function readySince(pod: Pod): Instant | undefined {
  const ready = readyCondition(pod)
  if (ready?.status !== 'True' || typeof ready.lastTransitionTime !== 'string') return undefined
  return parseTimestamp(ready.lastTransitionTime)
}

/** When the pod is or will be available: `minReadySeconds` after it became ready; undefined while not ready. */
export function availableAt(pod: Pod, minReadySeconds: number): Instant | undefined {
  const since = readySince(pod)
  return since === undefined ? undefined : since + minReadySeconds * 1000
}

/** Whether a pod has been ready for `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: Instant): boolean {
  if (!isPodReady(pod)) return false
  if (minReadySeconds === 0) return true
  const at = availableAt(pod, minReadySeconds)
  return at !== undefined && at <= now
}

/** Whether a pod has ended for good. */
export function isPodFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Whether a pod counts as one of its controller's: neither finished nor being deleted. */
export function isPodActive(pod: Pod): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined
}

/** Whether a pod is being deleted and has not finished yet. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp !== undefined
}
