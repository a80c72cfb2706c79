import { hashObject } from '../../lib/apimachinery/index.ts'
import type { ApiResponse, KubeStatus } from '../../kinds/index.ts'
import {
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  TEMPLATE_HASH,
  findCondition,
  findNewSet,
  hasProgressDeadline,
  isRollingUpdate,
  maxSurge,
  hashOf,
  revisionOf,
  sameTemplate,
  wantedReplicas,
  withCondition
} from './deployment-facts.ts'
import {
  type DeploymentSync,
  type SplitSets,
  newCondition,
  replicaAnnotations,
  reportOn,
  stageStatus,
  updateStatus
} from './deployment-sync.ts'
import { withText } from './json.ts'
import { controllerOf, controllerReference } from './owners.ts'
import { type ClusterView, type Plan, attempt, write } from './plan.ts'
import { createRequest, updateRequest } from './requests.ts'
import type { Deployment, PodTemplate, ReplicaSet } from './shapes.ts'

/** Annotations of a Deployment that its ReplicaSets do not get. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to'
])

/** Longest value of the revision history annotation upstream keeps. */
const MAX_HISTORY_LENGTH = 2000

/** The outcome of looking for the current ReplicaSet: undefined ends the run, which a new change starts again. */
export type RevisionOutcome = SplitSets | undefined

/**
 * Splits ReplicaSets into the current one and old ones, keeps revision numbers and, if asked, creates the current one.
 * @see kubernetes/pkg/controller/deployment/sync.go getAllReplicaSetsAndSyncRevision, v1.36
 */
export function* syncRevision(
  sync: DeploymentSync,
  sets: readonly ReplicaSet[],
  options: { readonly create: boolean; readonly view: ClusterView }
): Plan<RevisionOutcome> {
  const existing = findNewSet(sync.deployment, sets)
  const old = existing === undefined ? sets : sets.filter((set) => set !== existing)
  let newest = 0
  for (const set of old) newest = Math.max(newest, revisionOf(set))
  const revision = String(newest + 1)
  if (existing !== undefined) return { current: yield* keepExisting(sync, existing, revision), old }
  if (!options.create) return { current: undefined, old }
  const created = yield* createSet(sync, old, { revision, view: options.view })
  return created === undefined ? undefined : { current: created, old }
}

function* keepExisting(sync: DeploymentSync, existing: ReplicaSet, revision: string): Plan<ReplicaSet> {
  const { deployment } = sync
  const annotations = newAnnotations(deployment, existing.metadata.annotations ?? {}, revision)
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0
  if (annotations !== undefined || (existing.spec.minReadySeconds ?? 0) !== minReadySeconds) {
    const { body } = yield write(
      updateRequest(
        {
          ...existing,
          metadata: { ...existing.metadata, annotations: annotations ?? existing.metadata.annotations ?? {} },
          spec: { ...existing.spec, minReadySeconds }
        },
        'replicasets'
      )
    )
    return body as ReplicaSet
  }
  const numbered = setRevision(sync, existing.metadata.annotations?.[REVISION] ?? revision)
  let conditions = deployment.status?.conditions ?? []
  const unseen = hasProgressDeadline(deployment) && findCondition(deployment.status, 'Progressing') === undefined
  if (unseen) {
    const message = `Found new replica set "${existing.metadata.name}"`
    const found = { type: 'Progressing', status: 'True', reason: 'FoundNewReplicaSet', message }
    conditions = withCondition(conditions, newCondition(sync, found))
  }
  if (numbered || unseen) yield* updateStatus(sync, { ...deployment.status, conditions })
  return existing
}

/** The annotations a set needs for that revision; undefined when it has them. */
function newAnnotations(
  deployment: Deployment,
  current: Readonly<Record<string, string>>,
  revision: string
): Record<string, string> | undefined {
  const wanted = deployment.metadata.annotations ?? {}
  const before = current[REVISION]
  const raised = Number.parseInt(before ?? '0', 10) < Number.parseInt(revision, 10)
  if (!raised && !lacksAny(wanted, current)) return undefined
  const next: Record<string, string> = { ...current }
  for (const key in wanted) if (!NOT_COPIED.has(key)) next[key] = wanted[key] ?? ''
  if (!raised) return next
  next[REVISION] = revision
  if (before !== undefined) next[REVISION_HISTORY] = extendHistory(current[REVISION_HISTORY], before)
  return next
}

/** Whether a set has yet to get one of its Deployment's annotations. */
function lacksAny(wanted: Readonly<Record<string, string>>, current: Readonly<Record<string, string>>): boolean {
  for (const key in wanted) if (current[key] !== wanted[key] && !NOT_COPIED.has(key)) return true
  return false
}

function extendHistory(history: string | undefined, revision: string): string {
  const revisions = history === undefined || history === '' ? [] : history.split(',')
  revisions.push(revision)
  while (revisions.length > 1 && revisions.join(',').length > MAX_HISTORY_LENGTH) revisions.shift()
  return revisions.join(',')
}

/** Puts the revision on the Deployment in memory; it is stored with the next status update. */
function setRevision(sync: DeploymentSync, revision: string): boolean {
  const { deployment } = sync
  if (deployment.metadata.annotations?.[REVISION] === revision) return false
  const annotations = withText(deployment.metadata.annotations, REVISION, revision)
  sync.deployment = { ...deployment, metadata: { ...deployment.metadata, annotations } }
  return true
}

/** Size of a set that is about to become current. */
export function newSetReplicas(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const desired = deployment.spec.replicas
  if (!isRollingUpdate(deployment)) return desired
  const room = desired + maxSurge(deployment) - wantedReplicas(all)
  if (room <= 0) return current
  return current + Math.min(room, desired - current)
}

/** The hash that names a template: it changes with the collision count when a name is taken by something else. */
export function templateHash(template: PodTemplate, collisionCount: number | undefined): string {
  return collisionCount === undefined ? hashOf(template) : hashObject({ template, collisionCount })
}

function* createSet(
  sync: DeploymentSync,
  old: readonly ReplicaSet[],
  options: { readonly revision: string; readonly view: ClusterView }
): Plan<ReplicaSet | undefined> {
  const { deployment } = sync
  const set = draftSet(deployment, old, options.revision)
  const place = { apiVersion: 'apps/v1', resource: 'replicasets', namespace: deployment.metadata.namespace }
  const response = yield attempt(createRequest(set, place))
  let created = response.body as ReplicaSet
  if (response.code === 409) {
    const taken = options.view.get('apps', 'replicasets', deployment.metadata.namespace, set.metadata.name)
    if (!isOurs(taken as ReplicaSet | undefined, deployment)) {
      const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
      yield* updateStatus(sync, { ...deployment.status, collisionCount })
      return undefined
    }
    created = taken as ReplicaSet
  } else if (response.code >= 400) {
    return yield* reportFailure(sync, set, response)
  } else if (set.spec.replicas > 0) {
    const message = `Scaled up replica set ${created.metadata.name} from 0 to ${set.spec.replicas}`
    yield reportOn(deployment, 'Normal', 'ScalingReplicaSet', message)
  }
  yield* recordCreation(sync, created, { revision: options.revision, existed: response.code === 409 })
  return created
}

function* recordCreation(
  sync: DeploymentSync,
  created: ReplicaSet,
  options: { readonly revision: string; readonly existed: boolean }
): Plan<void> {
  const numbered = setRevision(sync, options.revision)
  const { deployment } = sync
  const announce = !options.existed && hasProgressDeadline(deployment)
  if (!numbered && !announce) return
  const message = `Created new replica set "${created.metadata.name}"`
  const news = newCondition(sync, { type: 'Progressing', status: 'True', reason: 'NewReplicaSetCreated', message })
  const before = deployment.status?.conditions ?? []
  yield* stageStatus(sync, { ...deployment.status, conditions: announce ? withCondition(before, news) : before })
}

function isOurs(set: ReplicaSet | undefined, deployment: Deployment): boolean {
  if (set === undefined) return false
  return controllerOf(set)?.uid === deployment.metadata.uid && sameTemplate(set.spec.template, deployment.spec.template)
}

function draftSet(deployment: Deployment, old: readonly ReplicaSet[], revision: string): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec
  const hash = templateHash(template, deployment.status?.collisionCount)
  const labels = withText(template.metadata?.labels, TEMPLATE_HASH, hash)
  const annotations = newAnnotations(deployment, {}, revision)
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels,
      annotations: { ...annotations, ...replicaAnnotations(deployment) },
      ownerReferences: [controllerReference(deployment)]
    },
    spec: {
      replicas: newSetReplicas(deployment, old, 0),
      ...(minReadySeconds === undefined || minReadySeconds === 0 ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: withText(selector.matchLabels, TEMPLATE_HASH, hash) },
      template: { ...template, metadata: { ...template.metadata, labels } }
    }
  }
}

function* reportFailure(sync: DeploymentSync, set: ReplicaSet, response: ApiResponse): Plan<undefined> {
  const status = response.body as KubeStatus
  if (status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')) return undefined
  const { deployment } = sync
  const message = `Failed to create new replica set "${set.metadata.name}": ${status.message ?? ''}`
  const fields = { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message }
  if (hasProgressDeadline(deployment)) {
    const conditions = withCondition(deployment.status?.conditions ?? [], newCondition(sync, fields))
    yield* updateStatus(sync, { ...deployment.status, conditions })
  }
  yield reportOn(deployment, 'Warning', 'ReplicaSetCreateError', message)
  return undefined
}
