import type { Canary } from '../../../kinds/index.ts'
import { configRecord, configsChanged, createPrimaryConfigs, targetConfigs, type TrackedConfigs } from '../configs.ts'
import { log, type Plan } from '../effects.ts'
import { outcomeOf, wrapped } from '../failure.ts'
import { includedByPrefix, primaryLabels, withoutToolkitKeys } from '../metadata.ts'
import {
  BACKOFF,
  controllerReference,
  createObject,
  findObject,
  getObject,
  retryOnConflict,
  updateObject,
  type Failing,
  type Resource
} from '../objects.ts'
import { sameJson } from '../same.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, isInitialising, namespaceOf } from '../spec.ts'
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

/** What Deployments and DaemonSets do not have in common. */
export interface PodTargetKind {
  readonly resource: Resource
  /** The kind as most texts spell it. */
  readonly word: 'deployment' | 'daemonset'
  /** Fields of the spec that a primary takes over as they are. */
  readonly copied: readonly string[]
  /** @throws StepFailed for a target that cannot have a primary */
  readonly requireCopyable: (target: Workload) => void
  readonly templateHash: (template: PodTemplate) => string
  /** The target's pod spec for a primary that is created or (default) promoted. */
  readonly primaryPod: (target: Workload, configs: TrackedConfigs, moment?: 'creation') => PodSpec
  /** Replicas of a primary; absent: the kind has none. */
  readonly replicas?: (canary: Canary, target: Workload, primary: Workload | undefined) => number | undefined
  /** Fails while the primary is not ready. */
  readonly primaryReady: (canary: Canary) => Plan<void>
}

/** The operations that are the same for every kind of target with pods. */
export type PodTarget = Pick<
  Target,
  'metadata' | 'initialise' | 'promote' | 'revision' | 'hasChanged' | 'haveConfigsChanged' | 'primaryIsCurrent'
>

/** Name of the copy that serves. */
export function primaryName(canary: Canary): string {
  return `${canary.spec.targetRef.name}-primary`
}

/** Reads target or primary. @param failing - stands before the error */
export function readWorkload(
  { resource, word }: Pick<PodTargetKind, 'resource' | 'word'>,
  canary: Canary,
  name: string,
  failing: Failing = UNREADABLE[word]
): Plan<Workload> {
  return getObject(resource, namespaceOf(canary), name, failing) as Plan<Workload>
}

const UNREADABLE: Readonly<Record<PodTargetKind['word'], Failing>> = {
  deployment: (name, namespace) => `deployment ${name}.${namespace} get query error: `,
  daemonset: (name, namespace) => `daemonset ${name}.${namespace} get query error: `
}

/** Of a target whose ports are not to be found out. */
const NO_PORTS: TargetMetadata['ports'] = {}

/**
 * Operations on a target whose primary is a copy of it with pods of its own.
 * @see fluxcd/flagger pkg/canary/deployment_controller.go, daemonset_controller.go 1.44.0
 */
export function podTarget(settings: ControllerSettings, kind: PodTargetKind): PodTarget {
  const readTarget = (canary: Canary): Plan<Workload> => readWorkload(kind, canary, canary.spec.targetRef.name)
  return {
    *metadata(canary) {
      const target = yield* readTarget(canary)
      const [label, value] = selectorLabel(target, settings.selectorLabels, kind.word)
      const discovers = canary.spec.service.portDiscovery === true
      const ports = discovers ? discoverPorts(canary, target.spec.template.spec.containers ?? []) : NO_PORTS
      return { label, value, ports }
    },
    *initialise(canary) {
      const { kind: name } = kind.resource
      yield* wrapped(`createPrimary${name} failed: `, createPrimary(settings, kind, canary))
      if (isInitialising(canary) && canary.spec.skipAnalysis !== true) yield* kind.primaryReady(canary)
    },
    promote(canary) {
      const place = `${kind.word} ${primaryName(canary)}.${namespaceOf(canary)}`
      const promoting = retryOnConflict(BACKOFF.retry, () => promoteOnce(settings, kind, canary))
      return wrapped(`updating ${place} template spec failed: `, promoting)
    },
    *revision(canary) {
      const { template } = (yield* readTarget(canary)).spec
      const configs = yield* wrapped('GetConfigRefs failed: ', configsOf(settings, kind, canary))
      return { hash: kind.templateHash(template), configs: configRecord(settings, configs) }
    },
    *hasChanged(canary) {
      return hashChanged(canary, kind.templateHash((yield* readTarget(canary)).spec.template))
    },
    *haveConfigsChanged(canary) {
      if (!settings.configTracking) return false
      return yield* configsChanged(settings, canary, yield* configsOf(settings, kind, canary))
    },
    *primaryIsCurrent(canary) {
      const target = yield* readTarget(canary)
      const primary = yield* readWorkload(kind, canary, primaryName(canary))
      const wanted = kind.primaryPod(target, yield* configsOf(settings, kind, canary))
      return sameJson(wanted, primary.spec.template.spec)
    }
  }
}

function* configsOf(settings: ControllerSettings, kind: PodTargetKind, canary: Canary): Plan<TrackedConfigs> {
  if (!settings.configTracking) return new Map()
  return yield* wrapped('GetTargetConfigs failed: ', readConfigs(settings, kind, canary))
}

function* readConfigs(settings: ControllerSettings, kind: PodTargetKind, canary: Canary): Plan<TrackedConfigs> {
  const target = yield* readWorkload(kind, canary, canary.spec.targetRef.name)
  return yield* targetConfigs(settings, canary, target.spec.template.spec)
}

function* createPrimary(settings: ControllerSettings, kind: PodTargetKind, canary: Canary): Plan<void> {
  const { resource, word } = kind
  const namespace = namespaceOf(canary)
  const name = primaryName(canary)
  const target = yield* readWorkload(kind, canary, canary.spec.targetRef.name)
  kind.requireCopyable(target)
  const [label, value] = selectorLabel(target, settings.selectorLabels, word)
  const primaryValue = `${value}-primary`
  if (yield* countsAsPresent(kind, canary)) return
  const configs = yield* configsOf(settings, kind, canary)
  yield* wrapped('CreatePrimaryConfigs failed: ', createPrimaryConfigs(settings, canary, configs))
  const labels = includedByPrefix(target.metadata.labels, settings.includeLabelPrefix)
  const pods = target.spec.template.metadata
  const draft = {
    metadata: {
      name,
      namespace,
      labels: primaryLabels(labels, label, primaryValue),
      annotations: withoutToolkitKeys(target.metadata.annotations),
      ownerReferences: [controllerReference(canary)]
    },
    spec: {
      ...copiedSpec(kind, { canary, target, primary: undefined }),
      selector: primarySelector(settings, target, label, primaryValue),
      template: {
        metadata: {
          labels: primaryLabels(pods?.labels, label, primaryValue),
          annotations: yield* podAnnotations(pods?.annotations)
        },
        spec: kind.primaryPod(target, configs, 'creation')
      }
    }
  }
  yield* wrapped(`creating ${word} ${name}.${namespace} failed: `, createObject(resource, namespace, draft))
  yield* log('info', `${resource.kind} ${name}.${namespace} created`, fullName(canary))
}

/** Any other error than NotFound is ignored upstream: an unreadable primary counts as present. */
function* countsAsPresent({ resource }: PodTargetKind, canary: Canary): Plan<boolean> {
  return (yield* outcomeOf(findObject(resource, namespaceOf(canary), primaryName(canary)))) !== undefined
}

interface Copying {
  readonly canary: Canary
  readonly target: Workload
  readonly primary: Workload | undefined
}

/** The primary's spec with what it takes over from the target, but for its pods. */
function copiedSpec(kind: PodTargetKind, copying: Copying): Record<string, unknown> {
  const { canary, target, primary } = copying
  const replaced = new Set([...kind.copied, ...(kind.replicas === undefined ? [] : ['replicas'])])
  const replicas = kind.replicas?.(canary, target, primary)
  const kept = Object.entries(primary?.spec ?? {}).filter(([field]) => !replaced.has(field))
  const copied = kind.copied.flatMap((field) => {
    const value = target.spec[field]
    return value === undefined ? [] : [[field, value] as const]
  })
  return { ...Object.fromEntries([...kept, ...copied]), ...(replicas === undefined ? {} : { replicas }) }
}

function* promoteOnce(settings: ControllerSettings, kind: PodTargetKind, canary: Canary): Plan<void> {
  const { includeLabelPrefix, selectorLabels } = settings
  const target = yield* readWorkload(kind, canary, canary.spec.targetRef.name)
  const [label, value] = selectorLabel(target, selectorLabels, kind.word)
  const primary = yield* readWorkload(kind, canary, primaryName(canary))
  const configs = yield* configsOf(settings, kind, canary)
  yield* wrapped('CreatePrimaryConfigs failed: ', createPrimaryConfigs(settings, canary, configs))
  const labels = includedByPrefix(target.metadata.labels, includeLabelPrefix)
  const pods = target.spec.template.metadata
  yield* updateObject(kind.resource, namespaceOf(canary), {
    ...primary,
    metadata: {
      ...primary.metadata,
      annotations: includedByPrefix(target.metadata.annotations, includeLabelPrefix),
      labels: primaryLabels(labels, label, `${value}-primary`)
    },
    spec: {
      ...copiedSpec(kind, { canary, target, primary }),
      template: {
        ...primary.spec.template,
        metadata: {
          ...primary.spec.template.metadata,
          annotations: yield* podAnnotations(pods?.annotations),
          labels: primaryLabels(pods?.labels, label, `${value}-primary`)
        },
        spec: kind.primaryPod(target, configs)
      }
    }
  })
}
