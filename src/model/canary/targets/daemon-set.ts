import { parseTimestamp } from '../../../lib/time/index.ts'
import type { Canary } from '../../../kinds/index.ts'
import {
  configRecord,
  configsChanged,
  createPrimaryConfigs,
  targetConfigs,
  withPrimaryConfigs,
  type TrackedConfigs
} from '../configs.ts'
import { log, now, type Plan } from '../effects.ts'
import { failureOf, StepFailed, wrapped } from '../failure.ts'
import { scaledDown } from '../go-format.ts'
import { specHash } from '../hash.ts'
import { includedByPrefix, primaryLabels, withoutToolkitKeys } from '../metadata.ts'
import {
  BACKOFF,
  controllerReference,
  createObject,
  draftOf,
  findObject,
  getObject,
  RESOURCES,
  retryOnConflict,
  updateObject
} from '../objects.ts'
import { sameJson } from '../same.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, isInitialising, namespaceOf, progressDeadlineSeconds, statusOf } from '../spec.ts'
import type { Target, TargetMetadata } from './target.ts'
import {
  discoverPorts,
  hashChanged,
  podAnnotations,
  primarySelector,
  selectorLabel,
  type PodSpec,
  type PodTemplate,
  type Workload
} from './workload.ts'

const DAEMON_SETS = RESOURCES.daemonSets
/** No node carries it, so that a DaemonSet with it has no pods. */
const SCALE_TO_ZERO_KEY = 'flagger.app/scale-to-zero'

/**
 * Operations on a DaemonSet.
 * @see fluxcd/flagger pkg/canary/daemonset_controller.go, daemonset_ready.go, daemonset_status.go 1.44.0
 */
export function daemonSetTarget(settings: ControllerSettings): Target {
  return {
    metadata: (canary) => metadata(settings, canary),
    initialise: (canary) => initialise(settings, canary),
    promote: (canary) => promote(settings, canary),
    *revision(canary) {
      const { template } = (yield* readTarget(canary)).spec
      const configs = yield* wrapped('GetConfigRefs failed: ', configsOf(settings, canary))
      return { hash: templateHash(template), configs: configRecord(settings, configs) }
    },
    *hasChanged(canary) {
      return hashChanged(canary, templateHash((yield* readTarget(canary)).spec.template))
    },
    *haveConfigsChanged(canary) {
      if (!settings.configTracking) return false
      return yield* configsChanged(settings, canary, yield* configsOf(settings, canary))
    },
    *primaryIsCurrent(canary) {
      const target = yield* readTarget(canary)
      const primary = yield* read(canary, primaryName(canary))
      const pod = withPrimaryConfigs(draftOf(target.spec.template.spec), yield* configsOf(settings, canary))
      const wanted = withSelector(pod, withoutScaleToZero(pod.nodeSelector))
      return sameJson(wanted, primary.spec.template.spec)
    },
    scaleToZero,
    scaleFromZero,
    *primaryReady(canary) {
      yield* primaryReady(canary)
    },
    canaryReady,
    *isScaledToZero(canary) {
      return (yield* readTarget(canary)).spec.template.spec.nodeSelector?.[SCALE_TO_ZERO_KEY] !== undefined
    },
    finalise: (canary) => wrapped('ScaleFromZero failed: ', scaleFromZero(canary))
  }
}

function primaryName(canary: Canary): string {
  return `${canary.spec.targetRef.name}-primary`
}

function* read(canary: Canary, name: string, text = 'get query error'): Plan<Workload> {
  const namespace = namespaceOf(canary)
  return (yield* wrapped(
    `daemonset ${name}.${namespace} ${text}: `,
    getObject(DAEMON_SETS, namespace, name)
  )) as Workload
}

function readTarget(canary: Canary): Plan<Workload> {
  return read(canary, canary.spec.targetRef.name)
}

function* configsOf(settings: ControllerSettings, canary: Canary): Plan<TrackedConfigs> {
  if (!settings.configTracking) return new Map()
  return yield* wrapped(
    'GetTargetConfigs failed: ',
    (function* () {
      const target = yield* readTarget(canary)
      return yield* targetConfigs(settings, canary, target.spec.template.spec)
    })()
  )
}

/** Hash without the scale-to-zero selector, an absent node selector counting as an empty one. */
function templateHash(template: PodTemplate): string {
  return specHash({
    ...template,
    spec: { ...template.spec, nodeSelector: withoutScaleToZero(template.spec.nodeSelector) }
  })
}

function withoutScaleToZero(selector: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const { [SCALE_TO_ZERO_KEY]: _removed, ...rest } = selector ?? {}
  return rest
}

function* metadata(settings: ControllerSettings, canary: Canary): Plan<TargetMetadata> {
  const target = yield* readTarget(canary)
  const [label, value] = selectorLabel(target, settings.selectorLabels, 'daemonset')
  const discovers = canary.spec.service.portDiscovery === true
  const ports = discovers ? discoverPorts(canary, target.spec.template.spec.containers ?? []) : {}
  return { label, value, ports }
}

function* initialise(settings: ControllerSettings, canary: Canary): Plan<void> {
  yield* wrapped('createPrimaryDaemonSet failed: ', createPrimary(settings, canary))
  if (isInitialising(canary) && canary.spec.skipAnalysis !== true) yield* primaryReady(canary)
}

function* createPrimary(settings: ControllerSettings, canary: Canary): Plan<void> {
  const namespace = namespaceOf(canary)
  const target = yield* readTarget(canary)
  const strategy = target.spec.updateStrategy?.type ?? ''
  if (strategy !== '' && strategy !== 'RollingUpdate') {
    throw new StepFailed(
      `daemonset ${target.metadata.name}.${namespace} must have RollingUpdate strategy but have ${strategy}`
    )
  }
  const [label, value] = selectorLabel(target, settings.selectorLabels, 'daemonset')
  const name = primaryName(canary)
  let existing: unknown
  const failure = yield* failureOf(
    (function* () {
      existing = yield* findObject(DAEMON_SETS, namespace, name)
    })()
  )
  if (failure !== undefined || existing !== undefined) return
  const configs = yield* configsOf(settings, canary)
  yield* wrapped('CreatePrimaryConfigs failed: ', createPrimaryConfigs(settings, canary, configs))
  const primaryValue = `${value}-primary`
  const draft = {
    metadata: {
      name,
      namespace,
      labels: primaryLabels(includedByPrefix(target.metadata.labels, settings.includeLabelPrefix), label, primaryValue),
      annotations: withoutToolkitKeys(target.metadata.annotations),
      ownerReferences: [controllerReference(canary)]
    },
    spec: {
      ...copiedFields(target),
      selector: primarySelector(settings, target, label, primaryValue),
      template: {
        metadata: {
          labels: primaryLabels(target.spec.template.metadata?.labels, label, primaryValue),
          annotations: yield* podAnnotations(target.spec.template.metadata?.annotations)
        },
        spec: withPrimaryConfigs(draftOf(target.spec.template.spec), configs)
      }
    }
  }
  yield* wrapped(`creating daemonset ${name}.${namespace} failed: `, createObject(DAEMON_SETS, namespace, draft))
  yield* log('info', `DaemonSet ${name}.${namespace} created`, fullName(canary))
}

function copiedFields(target: Workload): Record<string, unknown> {
  const { minReadySeconds, revisionHistoryLimit, updateStrategy } = target.spec
  return {
    ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    ...(revisionHistoryLimit === undefined ? {} : { revisionHistoryLimit }),
    ...(updateStrategy === undefined ? {} : { updateStrategy })
  }
}

function* promote(settings: ControllerSettings, canary: Canary): Plan<void> {
  const namespace = namespaceOf(canary)
  const name = primaryName(canary)
  yield* wrapped(
    `updating daemonset ${name}.${namespace} template spec failed: `,
    retryOnConflict(BACKOFF.retry, function* () {
      const target = yield* readTarget(canary)
      const [label, value] = selectorLabel(target, settings.selectorLabels, 'daemonset')
      const primary = yield* read(canary, name)
      const configs = yield* configsOf(settings, canary)
      yield* wrapped('CreatePrimaryConfigs failed: ', createPrimaryConfigs(settings, canary, configs))
      const labels = includedByPrefix(target.metadata.labels, settings.includeLabelPrefix)
      const pod = withPrimaryConfigs(draftOf(target.spec.template.spec), configs)
      const {
        minReadySeconds: _ready,
        revisionHistoryLimit: _history,
        updateStrategy: _strategy,
        ...kept
      } = primary.spec
      yield* updateObject(DAEMON_SETS, namespace, {
        ...primary,
        metadata: {
          ...primary.metadata,
          annotations: includedByPrefix(target.metadata.annotations, settings.includeLabelPrefix),
          labels: primaryLabels(labels, label, `${value}-primary`)
        },
        spec: {
          ...kept,
          ...copiedFields(target),
          template: {
            ...primary.spec.template,
            metadata: {
              ...primary.spec.template.metadata,
              annotations: yield* podAnnotations(target.spec.template.metadata?.annotations),
              labels: primaryLabels(target.spec.template.metadata?.labels, label, `${value}-primary`)
            },
            spec: withSelector(pod, withoutScaleToZero(pod.nodeSelector))
          }
        }
      })
    })
  )
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
  const target = yield* read(canary, canary.spec.targetRef.name, 'query error')
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
