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
import { sameJson } from './json.ts'
import { conditionOf } from './pod-facts.ts'
import { DONE, type Plan, type Requeue } from './plan.ts'
import type { Condition, DeploymentStatus, ReplicaSet } from './shapes.ts'

/** The status that follows from the ReplicaSets. @see deployment/sync.go calculateStatus, v1.36 */
function calculateStatus(sync: DeploymentSync, sets: SplitSets): Draft {
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
  const counts = {
    replicas: actualReplicas(all),
    updated: sets.current?.status?.replicas ?? 0,
    ready: readyReplicas(all),
    unavailable: Math.max(0, wantedReplicas(all) - available)
  }
  // Go's `omitempty` leaves out numbers that are zero.
  const status: Draft = {}
  if ((deployment.metadata.generation ?? 0) !== 0) status.observedGeneration = deployment.metadata.generation ?? 0
  if (counts.replicas !== 0) status.replicas = counts.replicas
  if (counts.updated !== 0) status.updatedReplicas = counts.updated
  if (counts.ready !== 0) status.readyReplicas = counts.ready
  if (available !== 0) status.availableReplicas = available
  if (counts.unavailable !== 0) status.unavailableReplicas = counts.unavailable
  if (terminating !== undefined) status.terminatingReplicas = terminating
  if (collisionCount !== undefined) status.collisionCount = collisionCount
  status.conditions = withCondition(deployment.status?.conditions ?? [], condition)
  return status
}

/** A status that is being written. */
type Draft = { -readonly [Field in keyof DeploymentStatus]: DeploymentStatus[Field] }

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

function withoutCondition(conditions: readonly Condition[] = [], type: string): readonly Condition[] {
  return conditionOf(conditions, type) === undefined ? conditions : conditions.filter((each) => each.type !== type)
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
  const status = calculateStatus(sync, sets)
  const progressing = findCondition(deployment.status, 'Progressing')
  const finished =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && progressing?.reason === 'NewReplicaSetAvailable'
  if (!hasProgressDeadline(deployment)) status.conditions = withoutCondition(status.conditions, 'Progressing')
  else if (!finished) status.conditions = withProgress(sync, sets, status)
  const failure = firstFailure(sets)
  status.conditions =
    failure === undefined
      ? withoutCondition(status.conditions, 'ReplicaFailure')
      : withCondition(status.conditions ?? [], failure)
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
  for (const set of sets.current === undefined ? sets.old : [sets.current, ...sets.old]) {
    const failure = conditionOf(set.status?.conditions, 'ReplicaFailure')
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
