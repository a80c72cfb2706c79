import { formatTimestamp } from '../../lib/time/index.ts'
import {
  actualReplicas,
  availableReplicas,
  deadlineAt,
  findCondition,
  hasProgressDeadline,
  historyExcess,
  isComplete,
  isProgressing,
  isTimedOut,
  maxUnavailable,
  wantedReplicas,
  withCondition
} from './deployment-facts.ts'
import { type DeploymentSync, type SplitSets, allSets, newCondition, updateStatus } from './deployment-sync.ts'
import { omitZero, sameJson } from './json.ts'
import { DONE, type Plan, type Requeue } from './plan.ts'
import type { Condition, DeploymentStatus, ReplicaSet } from './shapes.ts'

/** The status that follows from the ReplicaSets. @see deployment/sync.go calculateStatus, v1.36 */
function calculateStatus(sync: DeploymentSync, sets: SplitSets): DeploymentStatus {
  const { deployment } = sync
  const all = allSets(sets)
  const available = availableReplicas(all)
  const terminating = terminatingReplicas(all)
  const collisionCount = deployment.status?.collisionCount
  const enough = available >= deployment.spec.replicas - maxUnavailable(deployment)
  const time = formatTimestamp(sync.now)
  const condition: Condition = {
    type: 'Available',
    status: enough ? 'True' : 'False',
    lastUpdateTime: time,
    lastTransitionTime: time,
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: enough ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.'
  }
  return {
    ...omitZero({
      observedGeneration: deployment.metadata.generation,
      replicas: actualReplicas(all),
      updatedReplicas: sets.current?.status?.replicas,
      readyReplicas: readyReplicas(all),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, wantedReplicas(all) - available)
    }),
    ...(terminating === undefined ? undefined : { terminatingReplicas: terminating }),
    ...(collisionCount === undefined ? undefined : { collisionCount }),
    conditions: withCondition(deployment.status?.conditions ?? [], condition)
  }
}

function readyReplicas(sets: readonly ReplicaSet[]): number {
  let sum = 0
  for (const set of sets) sum += set.status?.readyReplicas ?? 0
  return sum
}

/** In a lean run the status waits for that of the ReplicaSets just resized. */
function mayWait(sync: DeploymentSync): boolean {
  return sync.lean && sync.resized && !sync.staged
}

function terminatingReplicas(sets: readonly ReplicaSet[]): number | undefined {
  let sum = 0
  for (const set of sets) {
    if (set.status?.terminatingReplicas === undefined) return undefined
    sum += set.status.terminatingReplicas
  }
  return sum
}

/** Writes the counters and availability, leaving progress alone (paused, being scaled or deleted). */
export function* syncStatus(sync: DeploymentSync, sets: SplitSets): Plan<Requeue> {
  if (mayWait(sync)) return DONE
  const status = calculateStatus(sync, sets)
  if (sync.staged || !sameJson(sync.deployment.status, status)) yield* updateStatus(sync, status)
  return DONE
}

/** Writes the status of a rollout under way. @see deployment/progress.go syncRolloutStatus, v1.36 */
export function* syncRolloutStatus(sync: DeploymentSync, sets: SplitSets): Plan<Requeue> {
  const { deployment } = sync
  if (mayWait(sync)) return DONE
  const counted = calculateStatus(sync, sets)
  let conditions = counted.conditions ?? []
  if (!hasProgressDeadline(deployment)) conditions = conditions.filter((each) => each.type !== 'Progressing')
  const progressing = findCondition(deployment.status, 'Progressing')
  const finished =
    (counted.replicas ?? 0) === (counted.updatedReplicas ?? 0) && progressing?.reason === 'NewReplicaSetAvailable'
  if (hasProgressDeadline(deployment) && !finished) {
    conditions = withProgress(sync, sets, { ...counted, conditions })
  }
  const failure = firstFailure(sets)
  conditions =
    failure === undefined
      ? conditions.filter((each) => each.type !== 'ReplicaFailure')
      : withCondition(conditions, failure)
  const status = { ...counted, conditions }
  if (sync.staged || !sameJson(deployment.status, status)) {
    yield* updateStatus(sync, status)
    // Only a complete rollout has its history trimmed, which is for the next run to do.
    if (isComplete(sync.deployment, status) && historyExcess(sync.deployment, sets.old) > 0) return { again: true }
  }
  return requeueForDeadline(sync, status)
}

function withProgress(sync: DeploymentSync, sets: SplitSets, status: DeploymentStatus): readonly Condition[] {
  const { deployment } = sync
  const conditions = status.conditions ?? []
  const current = sets.current?.metadata.name
  const subject = current === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current}"`
  const progress = { type: 'Progressing', status: 'True' }
  if (isComplete(deployment, status)) {
    const fields = {
      ...progress,
      reason: 'NewReplicaSetAvailable',
      message: `${subject} has successfully progressed.`
    }
    return withCondition(conditions, newCondition(sync, fields))
  }
  if (isProgressing(deployment, status)) {
    const before = findCondition(deployment.status, 'Progressing')
    const kept = before?.status === 'True' ? before.lastTransitionTime : undefined
    const fields = { ...progress, reason: 'ReplicaSetUpdated', message: `${subject} is progressing.` }
    // Progress refreshes the update time, so the condition is replaced even if status and reason stay.
    const others = conditions.filter((each) => each.type !== 'Progressing')
    return [...others, newCondition(sync, kept === undefined ? fields : { ...fields, lastTransitionTime: kept })]
  }
  if (isTimedOut(deployment, status, sync.now)) {
    const message = `${subject} has timed out progressing.`
    const fields = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message }
    return withCondition(conditions, newCondition(sync, fields))
  }
  return conditions
}

/** The first failed pod creation or deletion of a set, the current one first. */
function firstFailure(sets: SplitSets): Condition | undefined {
  const ordered = sets.current === undefined ? sets.old : [sets.current, ...sets.old]
  for (const set of ordered) {
    const failure = set.status?.conditions?.find((each) => each.type === 'ReplicaFailure')
    if (failure === undefined) continue
    const time = failure.lastTransitionTime
    return typeof time === 'string' ? { ...failure, lastUpdateTime: time } : failure
  }
  return undefined
}

/** A rollout without news has to be looked at again when its deadline passes. */
function requeueForDeadline(sync: DeploymentSync, status: DeploymentStatus): Requeue {
  const { deployment } = sync
  const reason = findCondition(deployment.status, 'Progressing')?.reason
  if (isComplete(deployment, status) || reason === 'ProgressDeadlineExceeded') return DONE
  if (reason === 'NewReplicaSetAvailable') return DONE
  const at = deadlineAt(deployment, status)
  return at === undefined ? DONE : { requeueAt: at + 1000 }
}
