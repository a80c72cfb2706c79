import { type Instant, parseTimestamp } from '../../lib/time/index.ts'
import { isPodReady, readySince } from './pod-facts.ts'
import type { Pod } from './shapes.ts'

const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/**
 * The pods to delete first when a ReplicaSet shrinks by `count`.
 * @param related - active pods of all ReplicaSets of the same owner: nodes that hold more of them give up theirs first
 * @see kubernetes/pkg/controller/replicaset getPodsToDelete and controller_utils.go ActivePodsWithRanks, v1.36
 */
export function podsToDelete(pods: readonly Pod[], related: readonly Pod[], count: number, now: Instant): Pod[] {
  if (count >= pods.length) return [...pods]
  const onNode = new Map<string, number>()
  for (const pod of related) {
    const node = pod.spec.nodeName ?? ''
    onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => ({ pod, rank: onNode.get(pod.spec.nodeName ?? '') ?? 0 }))
  ranked.sort((left, right) => compareForDeletion(left, right, now))
  return ranked.slice(0, count).map((entry) => entry.pod)
}

interface Ranked {
  readonly pod: Pod
  readonly rank: number
}

/** Negative when `left` is to be deleted before `right`. */
function compareForDeletion(left: Ranked, right: Ranked, now: Instant): number {
  const a = left.pod
  const b = right.pod
  const keys: readonly (readonly [number, number])[] = [
    [Number(a.spec.nodeName !== undefined), Number(b.spec.nodeName !== undefined)],
    [PHASE_ORDER[a.status?.phase ?? 'Pending'] ?? 0, PHASE_ORDER[b.status?.phase ?? 'Pending'] ?? 0],
    [Number(isPodReady(a)), Number(isPodReady(b))],
    [deletionCost(a), deletionCost(b)],
    [right.rank, left.rank]
  ]
  for (const [x, y] of keys) if (x !== y) return x - y
  return compareByAge(a, b, now)
}

function compareByAge(a: Pod, b: Pod, now: Instant): number {
  const byReady = compareYounger(readySince(a), readySince(b), a, b, now)
  if (byReady !== undefined) return byReady
  const restarts = restartsOf(b) - restartsOf(a)
  if (restarts !== 0) return restarts
  const byCreation = compareYounger(createdAt(a), createdAt(b), a, b, now)
  return byCreation ?? 0
}

/** Upstream compares ages in powers of two, equals by uid, so that the oldest pod is not always spared. */
function compareYounger(
  a: Instant | undefined,
  b: Instant | undefined,
  ...[left, right, now]: [Pod, Pod, Instant]
): number | undefined {
  if (a === b) return undefined
  if (a === undefined) return 1
  if (b === undefined) return -1
  const difference = ageRank(a, now) - ageRank(b, now)
  if (difference !== 0) return difference
  return (left.metadata.uid ?? '') < (right.metadata.uid ?? '') ? -1 : 1
}

function ageRank(time: Instant, now: Instant): number {
  return now > time ? Math.trunc(Math.log2((now - time) * 1e6)) : -1
}

function createdAt(pod: Pod): Instant | undefined {
  return pod.metadata.creationTimestamp === undefined ? undefined : parseTimestamp(pod.metadata.creationTimestamp)
}

function restartsOf(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount))
}

function deletionCost(pod: Pod): number {
  const cost = Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '0')
  return Number.isInteger(cost) ? cost : 0
}
