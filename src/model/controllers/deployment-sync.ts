import type { KubeObject } from '../../kinds/index.ts'
import { type Instant, formatTimestamp } from '../../lib/time/index.ts'
import { DESIRED_REPLICAS, MAX_REPLICAS, maxSurge } from './deployment-facts.ts'
import { withText } from './json.ts'
import { type ControllerEffect, type Plan, report, write } from './plan.ts'
import { updateRequest } from './requests.ts'
import { labelsInclude } from './selectors.ts'
import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from './shapes.ts'

/** One run over one Deployment. `deployment` is replaced by what the API answers. */
export interface DeploymentSync {
  readonly now: Instant
  readonly lean: boolean
  deployment: Deployment
  /** The status of `deployment` is newer than the stored one. */
  staged: boolean
  /** A ReplicaSet was given another size; its status will change, which is a reason to look at this Deployment again. */
  resized: boolean
}

/** The ReplicaSets of a Deployment, as rollouts see them. */
export interface SplitSets {
  /** The set with the current template; undefined when there is none yet. */
  readonly current: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
}

/** Old sets and the current one together. */
export function allSets(sets: SplitSets): ReplicaSet[] {
  return sets.current === undefined ? [...sets.old] : [...sets.old, sets.current]
}

/** A new Progressing (or other) condition, stamped with the time of this run. */
export function newCondition(sync: DeploymentSync, fields: Omit<Condition, 'lastUpdateTime'>): Condition {
  const time = formatTimestamp(sync.now)
  return { ...fields, lastTransitionTime: fields.lastTransitionTime ?? time, lastUpdateTime: time }
}

/** Writes the status sub-resource (the revision annotation travels with it, as upstream). */
export function* updateStatus(sync: DeploymentSync, status: DeploymentStatus): Plan<void> {
  const { body } = yield write(updateRequest({ ...sync.deployment, status }, 'deployments', 'status'))
  sync.deployment = body as Deployment
  sync.staged = false
}

/** Like {@link updateStatus}, but a lean run leaves the write to the status update that ends it. */
export function* stageStatus(sync: DeploymentSync, status: DeploymentStatus): Plan<void> {
  if (!sync.lean) return yield* updateStatus(sync, status)
  sync.deployment = { ...sync.deployment, status }
  sync.staged = true
}

/** The effect of an event on the Deployment. */
export function reportOn(
  about: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string
): ControllerEffect {
  return report({ about, type, reason, message, component: 'deployment-controller' })
}

/** The annotations that let a later run see which size a ReplicaSet was scaled for. */
export function replicaAnnotations(deployment: Deployment): Record<string, string> {
  const { replicas } = deployment.spec
  return withText(
    withText(undefined, DESIRED_REPLICAS, String(replicas)),
    MAX_REPLICAS,
    String(replicas + maxSurge(deployment))
  )
}

/** Gives a ReplicaSet a size and says so; the set as stored afterwards. */
export function* scaleSet(sync: DeploymentSync, set: ReplicaSet, replicas: number): Plan<ReplicaSet> {
  const wanted = replicaAnnotations(sync.deployment)
  const annotations = set.metadata.annotations ?? {}
  const annotated = labelsInclude(annotations, wanted)
  const before = set.spec.replicas
  if (before === replicas && annotated) return set
  const { body } = yield write(
    updateRequest(
      {
        ...set,
        metadata: { ...set.metadata, annotations: { ...annotations, ...wanted } },
        spec: { ...set.spec, replicas }
      },
      'replicasets'
    )
  )
  if (before !== replicas) {
    sync.resized = true
    const direction = replicas > before ? 'up' : 'down'
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`
    yield reportOn(sync.deployment, 'Normal', 'ScalingReplicaSet', message)
  }
  return body as ReplicaSet
}
