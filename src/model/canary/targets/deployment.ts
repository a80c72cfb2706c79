import { parseTimestamp } from '../../../lib/time/index.ts'
import type { Canary } from '../../../kinds/index.ts'
import { withPrimaryConfigs, type TrackedConfigs } from '../configs.ts'
import { now, type Plan } from '../effects.ts'
import { failureOf, outcomeOf, StepFailed, wrapped } from '../failure.ts'
import { quoteGo, scaledDown } from '../go-format.ts'
import { specHash } from '../hash.ts'
import { draftOf, findObject, getObject, mergePatch, RESOURCES } from '../objects.ts'
import type { ControllerSettings } from '../settings.ts'
import { namespaceOf, progressDeadlineSeconds } from '../spec.ts'
import { podTarget, primaryName, readWorkload } from './pod-target.ts'
import type { Target } from './target.ts'
import type { LabelSelector, PodSpec, Workload } from './workload.ts'

const DEPLOYMENTS = RESOURCES.deployments
const KIND = { resource: DEPLOYMENTS, word: 'deployment' } as const

/**
 * Operations on a Deployment.
 * @see fluxcd/flagger pkg/canary/deployment_controller.go, deployment_ready.go, deployment_status.go 1.44.0
 */
export function deploymentTarget(settings: ControllerSettings): Target {
  return {
    ...podTarget(settings, {
      ...KIND,
      copied: ['progressDeadlineSeconds', 'minReadySeconds', 'revisionHistoryLimit', 'strategy'],
      requireCopyable: () => {},
      templateHash: specHash,
      primaryPod: (target, configs) => primaryPodSpec(settings, target, configs),
      replicas: (canary, target, primary) => primaryReplicas(settings, canary, target, primary),
      primaryReady
    }),
    scaleToZero,
    scaleFromZero,
    primaryReady,
    *canaryReady(canary) {
      const target = yield* readTarget(canary)
      yield* wrapped(
        `canary deployment ${canary.spec.targetRef.name}.${namespaceOf(canary)} not ready: `,
        deploymentReady(target, progressDeadlineSeconds(canary), canary.spec.analysis.canaryReadyThreshold ?? 100)
      )
    },
    *isScaledToZero(canary) {
      return (yield* readTarget(canary)).spec.replicas === 0
    },
    finalise
  }
}

function read(canary: Canary, name: string): Plan<Workload> {
  return readWorkload(KIND, canary, name)
}

function readTarget(canary: Canary): Plan<Workload> {
  return read(canary, canary.spec.targetRef.name)
}

/** A new primary has the target's replicas, at least one; a promoted one has them unless an autoscaler decides. */
function primaryReplicas(
  settings: ControllerSettings,
  canary: Canary,
  target: Workload,
  primary: Workload | undefined
): number | undefined {
  const { replicas } = target.spec
  if (primary === undefined) return (replicas ?? 0) > 0 ? replicas : 1
  const keepsOwn = replicas === 0 && !settings.quirks['promotion-copies-zero-replicas']
  return canary.spec.autoscalerRef === undefined && !keepsOwn ? replicas : primary.spec.replicas
}

/** The target's pod spec with renamed configs, and spread and anti-affinity over the primary's own pods. */
function primaryPodSpec(settings: ControllerSettings, target: Workload, configs: TrackedConfigs): PodSpec {
  const pod = withPrimaryConfigs(draftOf(target.spec.template.spec), configs)
  const antiAffinity = pod.affinity?.podAntiAffinity
  const selectors: (LabelSelector | undefined)[] = [
    ...(pod.topologySpreadConstraints ?? []).map((constraint) => constraint.labelSelector),
    ...(antiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (term) => term.podAffinityTerm.labelSelector
    ),
    ...(antiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.labelSelector)
  ]
  for (const selector of selectors) if (selector !== undefined) selectPrimary(selector, target.metadata.name, settings)
  return pod
}

/** Values equal to the Deployment's name under a selector label get the suffix; in an expression only the first. */
function selectPrimary(selector: LabelSelector, name: string, settings: ControllerSettings): void {
  for (const expression of selector.matchExpressions ?? []) {
    if (!settings.selectorLabels.includes(expression.key)) continue
    const index = (expression.values ?? []).indexOf(name)
    if (index >= 0 && expression.values !== undefined) expression.values[index] = `${name}-primary`
  }
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const isOwn = settings.selectorLabels.includes(key) && value === name
    if (isOwn && selector.matchLabels !== undefined) selector.matchLabels[key] = `${name}-primary`
  }
}

function* scaleToZero(canary: Canary): Plan<void> {
  yield* readTarget(canary)
  const { name } = canary.spec.targetRef
  const namespace = namespaceOf(canary)
  yield* wrapped(`deployment ${name}.${namespace} patch query error: `, patchReplicas(canary, 0))
}

function* scaleFromZero(canary: Canary): Plan<void> {
  const target = yield* readTarget(canary)
  const replicas = (target.spec.replicas ?? 0) > 0 ? (target.spec.replicas ?? 1) : yield* replicasFromZero(canary)
  const failure = yield* failureOf(patchReplicas(canary, replicas))
  if (failure !== undefined) {
    throw new StepFailed(
      `scaling up ${target.metadata.name}.${namespaceOf(canary)} to ${replicas} failed: ${failure.message}`
    )
  }
}

/** The primary's replicas, or what the autoscaler would begin with. */
function* replicasFromZero(canary: Canary): Plan<number> {
  const scaler = canary.spec.autoscalerRef
  if (scaler === undefined) {
    const { replicas = 0 } = (yield* read(canary, primaryName(canary))).spec
    return replicas > 0 ? replicas : 1
  }
  const [resource, field] =
    scaler.kind === 'ScaledObject'
      ? ([RESOURCES.scaledObjects, 'minReplicaCount'] as const)
      : ([RESOURCES.horizontalPodAutoscalers, 'minReplicas'] as const)
  if (scaler.kind !== 'ScaledObject' && scaler.kind !== 'HorizontalPodAutoscaler') return 1
  const object = yield* outcomeOf(getObject(resource, namespaceOf(canary), scaler.name))
  if (object instanceof StepFailed) return 1
  return Math.max(1, Number((object.spec as Record<string, unknown> | undefined)?.[field] ?? 1))
}

function patchReplicas(canary: Canary, replicas: number): Plan<unknown> {
  return mergePatch(DEPLOYMENTS, namespaceOf(canary), canary.spec.targetRef.name, { spec: { replicas } })
}

function* primaryReady(canary: Canary): Plan<void> {
  const name = primaryName(canary)
  const primary = yield* read(canary, name)
  const threshold = canary.spec.analysis.primaryReadyThreshold ?? 100
  const checking = deploymentReady(primary, progressDeadlineSeconds(canary), threshold)
  yield* wrapped(`${name}.${namespaceOf(canary)} not ready: `, checking)
}

/**
 * Fails while a Deployment's rollout is not finished.
 * @see fluxcd/flagger pkg/canary/deployment_ready.go isDeploymentReady 1.44.0
 */
function* deploymentReady(deployment: Workload, deadlineSeconds: number, threshold: number): Plan<void> {
  const status = deployment.status ?? {}
  if ((deployment.metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    throw new StepFailed('waiting for rollout to finish: observed deployment generation less than desired generation')
  }
  const progressing = status.conditions?.find((condition) => condition.type === 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    const text = `deployment ${quoteGo(deployment.metadata.name)} exceeded its progress deadline`
    throw new StepFailed(text, { retriable: false })
  }
  const waitingFor = unfinishedRollout(deployment, threshold)
  if (waitingFor === undefined) return
  const retriable = progressing === undefined || !(yield* unavailableForTooLong(deployment, deadlineSeconds))
  throw new StepFailed(`waiting for rollout to finish: ${waitingFor}`, { retriable })
}

function unfinishedRollout(deployment: Workload, threshold: number): string | undefined {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {}
  const wanted = deployment.spec.replicas
  if (wanted !== undefined && updatedReplicas < wanted) {
    return `${updatedReplicas} out of ${wanted} new replicas have been updated`
  }
  if (replicas > updatedReplicas) return `${replicas - updatedReplicas} old replicas are pending termination`
  const enough = scaledDown(updatedReplicas, threshold)
  if (availableReplicas >= enough) return undefined
  return `${availableReplicas} of ${enough} (readyThreshold ${threshold}%) updated replicas are available`
}

function* unavailableForTooLong(deployment: Workload, deadlineSeconds: number): Plan<boolean> {
  const available = deployment.status?.conditions?.find((condition) => condition.type === 'Available')
  if (available?.status !== 'False' || available.reason !== 'MinimumReplicasUnavailable') return false
  const since = parseTimestamp(available.lastUpdateTime ?? '') ?? 0
  return since + deadlineSeconds * 1000 < (yield* now())
}

function* finalise(canary: Canary): Plan<void> {
  const namespace = namespaceOf(canary)
  const { name } = canary.spec.targetRef
  // The misspelt word is upstream's.
  yield* getObject(DEPLOYMENTS, namespace, name, `deplyoment ${name}.${namespace} get query error: `)
  const primary = yield* findObject(
    DEPLOYMENTS,
    namespace,
    primaryName(canary),
    `deplyoment ${primaryName(canary)}.${namespace} get query error: `
  )
  if (primary === undefined) {
    yield* wrapped('ScaleFromZero failed: ', scaleFromZero(canary))
    return
  }
  // Upstream compares two pointers, which always differ: the target is patched in any case.
  const replicas = (primary as Workload).spec.replicas ?? 1
  yield* wrapped(`scale failed: scaling ${name}.${namespace} to ${replicas} failed: `, patchReplicas(canary, replicas))
}
