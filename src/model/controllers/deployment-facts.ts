import { hashObject } from '../../lib/apimachinery/index.ts'
import { keptByText, keptOfFrozen } from '../../lib/memory/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import { parseTimestamp } from '../../lib/time/index.ts'
import { sameMembers } from './json.ts'
import { conditionOf } from './pod-facts.ts'
import type { Condition, Deployment, DeploymentStatus, IntOrPercent, PodTemplate, ReplicaSet } from './shapes.ts'

/** Annotation with the number of a rollout, on Deployments and their ReplicaSets. */
export const REVISION = 'deployment.kubernetes.io/revision'
/** Annotation with the earlier numbers of a ReplicaSet that became current again. */
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
/** Annotation with the Deployment's size when a ReplicaSet was last scaled. */
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
/** Annotation with that size plus surge. */
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
/** The label that tells the ReplicaSets of one Deployment apart. */
export const TEMPLATE_HASH = 'pod-template-hash'

/** Largest int32: as a deadline or history limit it means "none". */
const MAX_INT32 = 2_147_483_647

/** Whether the strategy is RollingUpdate (the default). */
export function isRollingUpdate(deployment: Deployment): boolean {
  return (deployment.spec.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate'
}

/** Whether progress is watched at all. */
export function hasProgressDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec.progressDeadlineSeconds
  return seconds !== undefined && seconds !== MAX_INT32
}

/** Limit of kept old ReplicaSets; undefined: unlimited. */
function historyLimit(deployment: Deployment): number | undefined {
  const limit = deployment.spec.revisionHistoryLimit
  return limit === MAX_INT32 ? undefined : limit
}

/** How many old ReplicaSets there are beyond the limit; 0 or less: none. */
export function historyExcess(deployment: Deployment, old: readonly ReplicaSet[]): number {
  const limit = historyLimit(deployment)
  if (limit === undefined || old.length <= limit) return 0
  return old.filter((set) => set.metadata.deletionTimestamp === undefined).length - limit
}

/** Most percentages that are kept. */
const PERCENTAGES_MAX = 200

const percentOf = keptByText(PERCENTAGES_MAX, (text) => Number.parseInt(text, 10))

/** Number of pods that an absolute number or percentage of `total` means. */
export function scaledValue(value: IntOrPercent, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value
  const share = (percentOf(value) * total) / 100
  return roundUp ? Math.ceil(share) : Math.floor(share)
}

/** Both bounds of a rolling update in pods; they are never both zero. */
function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const rolling = deployment.spec.strategy?.rollingUpdate
  const desired = deployment.spec.replicas
  const surge = scaledValue(rolling?.maxSurge ?? '25%', desired, true)
  const unavailable = scaledValue(rolling?.maxUnavailable ?? '25%', desired, false)
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

/** Pods a rollout may add beyond the desired ones. */
export function maxSurge(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0
}

/** Pods that may be missing during a rollout. */
export function maxUnavailable(deployment: Deployment): number {
  if (!isRollingUpdate(deployment) || deployment.spec.replicas === 0) return 0
  return Math.min(fenceposts(deployment).unavailable, deployment.spec.replicas)
}

/** Sum of the wanted pods of ReplicaSets. */
export function wantedReplicas(sets: readonly ReplicaSet[]): number {
  let sum = 0
  for (const set of sets) sum += set.spec.replicas
  return sum
}

/** Sum of the existing pods of ReplicaSets. */
export function actualReplicas(sets: readonly ReplicaSet[]): number {
  let sum = 0
  for (const set of sets) sum += set.status?.replicas ?? 0
  return sum
}

/** Sum of the available pods of ReplicaSets. */
export function availableReplicas(sets: readonly ReplicaSet[]): number {
  let sum = 0
  for (const set of sets) sum += set.status?.availableReplicas ?? 0
  return sum
}

/** ReplicaSets that want pods. */
export function activeSets(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.filter((set) => set.spec.replicas > 0)
}

/** Orders ReplicaSets oldest first, by name where they are of the same second. */
export function byAge(left: ReplicaSet, right: ReplicaSet): number {
  const a = left.metadata.creationTimestamp ?? ''
  const b = right.metadata.creationTimestamp ?? ''
  if (a !== b) return a < b ? -1 : 1
  return left.metadata.name < right.metadata.name ? -1 : 1
}

/** The revision a ReplicaSet carries; 0 without annotation. */
export function revisionOf(set: ReplicaSet): number {
  const revision = set.metadata.annotations?.[REVISION]
  return revision === undefined ? 0 : Number.parseInt(revision, 10)
}

/** The hash of a template, for the labels that tell its pods from those of others. */
export const hashOf: (template: PodTemplate) => string = keptOfFrozen((template) => hashObject(template))

/** What templates were found to be to others: stored ones are frozen and live through many runs. */
const compared = new WeakMap<PodTemplate, WeakMap<PodTemplate, boolean>>()

/** Whether two templates differ at most in their hash label. */
export function sameTemplate(left: PodTemplate, right: PodTemplate): boolean {
  let others = compared.get(left)
  if (others === undefined) compared.set(left, (others = new WeakMap()))
  const known = others.get(right)
  if (known !== undefined) return known
  const same =
    sameMembers(left, right, TEMPLATE_PARTS) &&
    sameMembers(left.metadata, right.metadata, METADATA_PARTS) &&
    sameMembers(left.metadata?.labels, right.metadata?.labels, HASH_LABEL)
  if (Object.isFrozen(left) && Object.isFrozen(right)) others.set(right, same)
  return same
}

/** Members of a template and its metadata that are compared on their own or not at all. */
const TEMPLATE_PARTS: readonly string[] = ['metadata']
const METADATA_PARTS: readonly string[] = ['labels', 'creationTimestamp']
const HASH_LABEL: readonly string[] = [TEMPLATE_HASH]

/** The oldest ReplicaSet whose template is the Deployment's. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  let oldest: ReplicaSet | undefined
  for (const set of sets) {
    if (oldest !== undefined && byAge(oldest, set) < 0) continue
    if (sameTemplate(set.spec.template, deployment.spec.template)) oldest = set
  }
  return oldest
}

/** A condition of a status by type. */
export function findCondition(status: DeploymentStatus | undefined, type: string): Condition | undefined {
  return conditionOf(status?.conditions, type)
}

/**
 * Adds or replaces a condition as deployment_util.go SetDeploymentCondition does: untouched when status and reason stay,
 * transition time kept when the status stays.
 */
export function withCondition(conditions: readonly Condition[], condition: Condition): readonly Condition[] {
  const current = conditionOf(conditions, condition.type)
  if (current?.status === condition.status && current.reason === condition.reason) return conditions
  const kept = current?.status === condition.status ? current.lastTransitionTime : condition.lastTransitionTime
  const others = conditions.filter((each) => each.type !== condition.type)
  const stays = kept === undefined || kept === condition.lastTransitionTime
  return [...others, stays ? condition : { ...condition, lastTransitionTime: kept }]
}

/** Whether every desired pod is updated and available and nothing else is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = deployment.spec.replicas
  return (
    (status.updatedReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

/** Whether the new status is nearer to completion than the stored one. */
export function isProgressing(deployment: Deployment, status: DeploymentStatus): boolean {
  const before = deployment.status ?? {}
  const oldBefore = (before.replicas ?? 0) - (before.updatedReplicas ?? 0)
  const oldNow = (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldNow < oldBefore ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

/** When a rollout that makes no progress is given up; undefined while no deadline runs. */
export function deadlineAt(deployment: Deployment, status: DeploymentStatus): Instant | undefined {
  const condition = findCondition(status, 'Progressing')
  if (!hasProgressDeadline(deployment) || condition?.lastUpdateTime === undefined) return undefined
  const from = parseTimestamp(condition.lastUpdateTime)
  if (from === undefined) return undefined
  return from + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000
}

/** Whether the deadline has passed without progress. A finished rollout that loses pods later never times out. */
export function isTimedOut(deployment: Deployment, status: DeploymentStatus, now: Instant): boolean {
  const reason = findCondition(status, 'Progressing')?.reason
  if (!hasProgressDeadline(deployment) || reason === undefined || reason === 'NewReplicaSetAvailable') return false
  if (reason === 'ProgressDeadlineExceeded') return true
  const at = deadlineAt(deployment, status)
  return at !== undefined && at < now
}
