import { DESIRED_REPLICAS, findCondition, hasProgressDeadline, withCondition } from './deployment-facts.ts'
import { syncRevision } from './deployment-revisions.ts'
import { cleanUp, recreate, rollOut, scale } from './deployment-rollout.ts'
import { syncStatus } from './deployment-status.ts'
import { type DeploymentSync, newCondition, reportOn, updateStatus } from './deployment-sync.ts'
import { claimControlled, controlledAlready } from './owners.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue } from './plan.ts'
import { selectorIsEmpty } from './selectors.ts'
import type { Deployment, DeploymentStatus, ReplicaSet } from './shapes.ts'

/**
 * Brings the ReplicaSets of one Deployment in line with it.
 * @see kubernetes/pkg/controller/deployment/deployment_controller.go syncDeployment, v1.36
 */
export function* reconcileDeployment(context: ReconcileContext, key: ObjectKey): Plan<Requeue> {
  const { view } = context
  const deployment = view.get('apps', 'deployments', key.namespace, key.name) as Deployment | undefined
  if (deployment === undefined) return DONE
  const sync: DeploymentSync = { now: context.now, lean: context.lean, deployment, staged: false, resized: false }
  if (selectorIsEmpty(deployment.spec.selector)) return yield* refuseEmptySelector(sync)
  const wanted = { group: 'apps', resource: 'replicasets', selector: deployment.spec.selector }
  const sets = (controlledAlready(view, deployment, wanted) ??
    (yield* claimControlled(context, deployment, wanted))) as readonly ReplicaSet[]
  if (deployment.metadata.deletionTimestamp !== undefined) return yield* statusOnly(sync, sets, context)
  const noted = pauseNoted(sync)
  if (noted !== undefined) yield* updateStatus(sync, noted)
  if (sync.deployment.spec.paused === true) return yield* syncScale(sync, sets, context)
  if (isScaling(sync.deployment, sets)) return yield* syncScale(sync, sets, context)
  const recreates = deployment.spec.strategy?.type === 'Recreate'
  return yield* recreates ? recreate(sync, sets, view) : rollOut(sync, sets, view)
}

function* refuseEmptySelector(sync: DeploymentSync): Plan<Requeue> {
  const message = 'This deployment is selecting all pods. A non-empty selector is required.'
  yield reportOn(sync.deployment, 'Warning', 'SelectingAll', message)
  const { generation } = sync.deployment.metadata
  if (generation !== undefined && sync.deployment.status?.observedGeneration !== generation) {
    yield* updateStatus(sync, { ...sync.deployment.status, observedGeneration: generation })
    return { again: true }
  }
  return DONE
}

/**
 * The status that notes in the Progressing condition that a rollout was paused or resumed, so that its deadline does not run
 * meanwhile; undefined where there is nothing to note.
 */
function pauseNoted(sync: DeploymentSync): DeploymentStatus | undefined {
  const { deployment } = sync
  if (!hasProgressDeadline(deployment)) return undefined
  const reason = findCondition(deployment.status, 'Progressing')?.reason
  if (reason === 'ProgressDeadlineExceeded') return undefined
  const paused = deployment.spec.paused === true
  if (paused === (reason === 'DeploymentPaused')) return undefined
  const fields = paused
    ? { reason: 'DeploymentPaused', message: 'Deployment is paused' }
    : { reason: 'DeploymentResumed', message: 'Deployment is resumed' }
  const condition = newCondition(sync, { type: 'Progressing', status: 'Unknown', ...fields })
  const conditions = withCondition(deployment.status?.conditions ?? [], condition)
  return { ...deployment.status, conditions }
}

/** Whether the size changed since the ReplicaSets were last scaled: sizes are settled before a rollout goes on. */
function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  for (const { spec, metadata } of sets) {
    const annotated = spec.replicas > 0 ? metadata.annotations?.[DESIRED_REPLICAS] : undefined
    if (annotated !== undefined && annotated !== String(deployment.spec.replicas)) return true
  }
  return false
}

function* syncScale(sync: DeploymentSync, sets: readonly ReplicaSet[], context: ReconcileContext): Plan<Requeue> {
  const split = yield* syncRevision(sync, sets, { create: false, view: context.view })
  if (split === undefined) return DONE
  const scaled = yield* scale(sync, split)
  if (sync.deployment.spec.paused === true) yield* cleanUp(sync, scaled.old)
  return yield* syncStatus(sync, scaled)
}

function* statusOnly(sync: DeploymentSync, sets: readonly ReplicaSet[], context: ReconcileContext): Plan<Requeue> {
  const split = yield* syncRevision(sync, sets, { create: false, view: context.view })
  return split === undefined ? DONE : yield* syncStatus(sync, split)
}
