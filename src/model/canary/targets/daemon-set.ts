import { keptOfFrozen } from '../../../lib/memory/index.ts'
import { parseTimestamp } from '../../../lib/time/index.ts'
import type { Canary } from '../../../kinds/index.ts'
import { withPrimaryConfigs, type TrackedConfigs } from '../configs.ts'
import { now, type Plan } from '../effects.ts'
import { failureOf, StepFailed, wrapped } from '../failure.ts'
import { scaledDown } from '../go-format.ts'
import { specHash } from '../hash.ts'
import { draftOf, RESOURCES, updateObject, type Failing } from '../objects.ts'
import type { ControllerSettings } from '../settings.ts'
import { namespaceOf, progressDeadlineSeconds, statusOf } from '../spec.ts'
import { podTarget, primaryName, readWorkload } from './pod-target.ts'
import type { Target } from './target.ts'
import type { PodSpec, PodTemplate, Workload } from './workload.ts'

const DAEMON_SETS = RESOURCES.daemonSets
const KIND = { resource: DAEMON_SETS, word: 'daemonset' } as const
/** No node carries it, so that a DaemonSet with it has no pods. */
const SCALE_TO_ZERO_KEY = 'flagger.app/scale-to-zero'

/**
 * Operations on a DaemonSet.
 * @see fluxcd/flagger pkg/canary/daemonset_controller.go, daemonset_ready.go, daemonset_status.go 1.44.0
 */
export function daemonSetTarget(settings: ControllerSettings): Target {
  return {
    ...podTarget(settings, {
      ...KIND,
      copied: ['minReadySeconds', 'revisionHistoryLimit', 'updateStrategy'],
      requireCopyable: requireRollingUpdate,
      templateHash,
      primaryPod,
      primaryReady
    }),
    scaleToZero,
    scaleFromZero,
    primaryReady,
    canaryReady,
    *isScaledToZero(canary) {
      return (yield* readTarget(canary)).spec.template.spec.nodeSelector?.[SCALE_TO_ZERO_KEY] !== undefined
    },
    finalise: (canary) => wrapped('ScaleFromZero failed: ', scaleFromZero(canary))
  }
}

const UNSCALABLE: Failing = (name, namespace) => `daemonset ${name}.${namespace} query error: `

function read(canary: Canary, name: string): Plan<Workload> {
  return readWorkload(KIND, canary, name)
}

function readTarget(canary: Canary): Plan<Workload> {
  return read(canary, canary.spec.targetRef.name)
}

function requireRollingUpdate({ metadata, spec }: Workload): void {
  const strategy = spec.updateStrategy?.type ?? ''
  if (strategy === '' || strategy === 'RollingUpdate') return
  const { name, namespace = '' } = metadata
  throw new StepFailed(`daemonset ${name}.${namespace} must have RollingUpdate strategy but have ${strategy}`)
}

/** A primary that is created takes over the selector that keeps pods away, a promoted one does not. */
function primaryPod(target: Workload, configs: TrackedConfigs, moment?: 'creation'): PodSpec {
  const pod = withPrimaryConfigs(draftOf(target.spec.template.spec), configs)
  return moment === 'creation' ? pod : withSelector(pod, withoutScaleToZero(pod.nodeSelector))
}

/** Hash without the scale-to-zero selector, an absent node selector counting as an empty one. */
const templateHash = keptOfFrozen((template: PodTemplate) => {
  const nodeSelector = withoutScaleToZero(template.spec.nodeSelector)
  return specHash({ ...template, spec: { ...template.spec, nodeSelector } })
})

function withoutScaleToZero(selector: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const { [SCALE_TO_ZERO_KEY]: _removed, ...rest } = selector ?? {}
  return rest
}

function* scaleToZero(canary: Canary): Plan<void> {
  const target = yield* readTarget(canary)
  const nodeSelector = { ...target.spec.template.spec.nodeSelector, [SCALE_TO_ZERO_KEY]: 'true' }
  const { name } = target.metadata
  yield* wrapped(
    `updating daemonset ${name}.${namespaceOf(canary)} failed: `,
    putSelector(canary, target, nodeSelector)
  )
}

function* scaleFromZero(canary: Canary): Plan<void> {
  const target = yield* readWorkload(KIND, canary, canary.spec.targetRef.name, UNSCALABLE)
  const nodeSelector = withoutScaleToZero(target.spec.template.spec.nodeSelector)
  const { name } = target.metadata
  yield* wrapped(
    `scaling up daemonset ${name}.${namespaceOf(canary)} failed: `,
    putSelector(canary, target, nodeSelector)
  )
}

function putSelector(canary: Canary, target: Workload, nodeSelector: Record<string, string>): Plan<unknown> {
  const template = { ...target.spec.template, spec: withSelector(target.spec.template.spec, nodeSelector) }
  return updateObject(DAEMON_SETS, namespaceOf(canary), { ...target, spec: { ...target.spec, template } })
}

function withSelector(pod: PodSpec, nodeSelector: Record<string, string>): PodSpec {
  const { nodeSelector: _replaced, ...rest } = pod
  return Object.keys(nodeSelector).length === 0 ? rest : { ...rest, nodeSelector }
}

function* primaryReady(canary: Canary): Plan<void> {
  const name = primaryName(canary)
  const primary = yield* read(canary, name)
  const checking = daemonSetReady(canary, primary, canary.spec.analysis.primaryReadyThreshold ?? 100)
  yield* wrapped(`primary daemonset ${name}.${namespaceOf(canary)} not ready: `, checking)
}

function* canaryReady(canary: Canary): Plan<void> {
  const target = yield* readTarget(canary)
  const failure = yield* failureOf(daemonSetReady(canary, target, canary.spec.analysis.canaryReadyThreshold ?? 100))
  if (failure === undefined) return
  const { name } = canary.spec.targetRef
  // The misspelt word is upstream's.
  const prefix = `canary damonset ${name}.${namespaceOf(canary)} not ready with retryable ${failure.retriable}: `
  throw new StepFailed(`${prefix}${failure.message}`, { retriable: failure.retriable })
}

/** Fails while the rollout is not finished; the deadline counts from the canary's last transition. */
function* daemonSetReady(canary: Canary, daemonSet: Workload, threshold: number): Plan<void> {
  const status = daemonSet.status ?? {}
  if ((daemonSet.metadata.generation ?? 0) > (status.observedGeneration ?? 0)) {
    throw new StepFailed('waiting for rollout to finish: observed daemonset generation less than desired generation')
  }
  const { updatedNumberScheduled = 0, desiredNumberScheduled = 0, numberAvailable = 0 } = status
  const enough = scaledDown(desiredNumberScheduled, threshold)
  const outdated = updatedNumberScheduled < desiredNumberScheduled
  if (!outdated && numberAvailable >= enough) return
  const deadline = progressDeadlineSeconds(canary)
  const since = parseTimestamp(statusOf(canary).lastTransitionTime ?? '') ?? 0
  if (since + deadline * 1000 < (yield* now())) {
    throw new StepFailed(`exceeded its progressDeadlineSeconds: ${deadline}`, { retriable: false })
  }
  const text = outdated
    ? `${updatedNumberScheduled} out of ${desiredNumberScheduled} new pods have been updated`
    : `${numberAvailable} of ${enough} (readyThreshold ${threshold}%) updated pods are available`
  throw new StepFailed(`waiting for rollout to finish: ${text}`)
}
