import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { ControllerPanic, wrapped } from '../failure.ts'
import { includedByPrefix, withoutToolkitKeys } from '../metadata.ts'
import {
  BACKOFF,
  controllerReference,
  createObject,
  draftOf,
  findObject,
  getObject,
  inMemory,
  RESOURCES,
  retryOnConflict,
  updateObject
} from '../objects.ts'
import { sameJson } from '../same.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, namespaceOf } from '../spec.ts'
import type { Scaler } from './scaler.ts'

const SCALED_OBJECTS = RESOURCES.scaledObjects
const PAUSED = 'autoscaling.keda.sh/paused-replicas'

interface ScaledObjectSpec {
  scaleTargetRef?: { name?: string; kind?: string; apiVersion?: string; envSourceContainerName?: string }
  pollingInterval?: number
  cooldownPeriod?: number
  idleReplicaCount?: number
  minReplicaCount?: number
  maxReplicaCount?: number
  advanced?: { horizontalPodAutoscalerConfig?: { name?: string } & Record<string, unknown> } & Record<string, unknown>
  triggers?: { name?: string; metadata?: Record<string, string> }[]
  fallback?: unknown
}

/**
 * KEDA ScaledObject.
 * @see fluxcd/flagger pkg/canary/scaled_object_reconciler.go 1.44.0
 */
export function kedaScaler(settings: ControllerSettings): Scaler {
  return {
    reconcilePrimary: (canary, mode) => reconcilePrimary(settings, canary, mode),
    pauseTarget: (canary) => annotateTarget(canary, (annotations) => ({ ...annotations, [PAUSED]: '0' })),
    resumeTarget: (canary) => annotateTarget(canary, ({ [PAUSED]: _removed, ...annotations }) => annotations)
  }
}

function* readTarget(canary: Canary): Plan<KubeObject> {
  const name = canary.spec.autoscalerRef?.name ?? ''
  const namespace = namespaceOf(canary)
  return yield* getObject(SCALED_OBJECTS, namespace, name, `Keda ScaledObject ${name}.${namespace} get query error: `)
}

function* reconcilePrimary(settings: ControllerSettings, canary: Canary, mode: 'create' | 'update'): Plan<void> {
  const namespace = namespaceOf(canary)
  const source = yield* readTarget(canary)
  const spec = primarySpec(canary, draftOf(source.spec as ScaledObjectSpec))
  const name = `${source.metadata.name}-primary`
  const existing = yield* findObject(SCALED_OBJECTS, namespace, name, 'Keda ScaledObject . get query failed: ')
  if (existing === undefined) {
    const metadata = {
      name,
      namespace,
      labels: withoutToolkitKeys(source.metadata.labels),
      annotations: withoutToolkitKeys(source.metadata.annotations),
      ownerReferences: [controllerReference(canary)]
    }
    const creating = createObject(SCALED_OBJECTS, namespace, { metadata, spec })
    yield* wrapped(`creating Keda ScaledObject ${name}.${namespace} failed: `, creating)
    yield* log('info', `Keda ScaledObject ${name}.${namespace} created`, fullName(canary))
    return
  }
  if (mode === 'create' || sameJson(inMemory(SCALED_OBJECTS, spec), existing.spec)) return
  yield* wrapped(
    `updating ScaledObject ${name}.${namespace} failed: `,
    retryOnConflict(BACKOFF.default, function* () {
      const current = yield* getObject(SCALED_OBJECTS, namespace, name)
      const annotations = includedByPrefix(current.metadata.annotations, settings.includeLabelPrefix)
      const labels = includedByPrefix(current.metadata.labels, settings.includeLabelPrefix)
      yield* updateObject(SCALED_OBJECTS, namespace, {
        ...current,
        metadata: { ...current.metadata, annotations, labels },
        spec
      })
    })
  )
}

function primarySpec(canary: Canary, source: ScaledObjectSpec): ScaledObjectSpec {
  const overrides = canary.spec.autoscalerRef?.primaryScalerReplicas ?? {}
  const hpa = source.advanced?.horizontalPodAutoscalerConfig ?? {}
  return {
    ...source,
    scaleTargetRef: { ...source.scaleTargetRef, name: `${canary.spec.targetRef.name}-primary` },
    ...(overrides.minReplicas === undefined ? {} : { minReplicaCount: overrides.minReplicas }),
    ...(overrides.maxReplicas === undefined ? {} : { maxReplicaCount: overrides.maxReplicas }),
    advanced: {
      ...source.advanced,
      horizontalPodAutoscalerConfig: { ...hpa, ...(hpa.name ? { name: `${hpa.name}-primary` } : {}) }
    },
    triggers: (source.triggers ?? []).map((trigger) => primaryTrigger(canary, trigger))
  }
}

/** Queries ask for the primary: named ones are replaced, otherwise the target's name is. */
function primaryTrigger<Trigger extends { name?: string; metadata?: Record<string, string> }>(
  canary: Canary,
  trigger: Trigger
): Trigger {
  const queries = canary.spec.autoscalerRef?.primaryScalerQueries
  const present = trigger.metadata?.['query']
  const query =
    queries === undefined ? present && primaryQuery(canary, present) : (queries[trigger.name ?? ''] ?? present)
  if (query === undefined) return trigger
  if (trigger.metadata === undefined) throw new ControllerPanic('assignment to entry in nil map')
  return { ...trigger, metadata: { ...trigger.metadata, query } }
}

function primaryQuery(canary: Canary, query: string): string {
  const target = canary.spec.targetRef.name
  const parts = query.split(`${target}-canary`).map((part) => part.replaceAll(target, `${target}-primary`))
  return parts.join(`${target}-primary`)
}

function* annotateTarget(
  canary: Canary,
  change: (annotations: Record<string, string>) => Record<string, string>
): Plan<void> {
  yield* retryOnConflict(BACKOFF.default, function* () {
    const source = yield* readTarget(canary)
    const annotations = change({ ...source.metadata.annotations })
    const { annotations: _replaced, ...metadata } = source.metadata
    const draft = {
      ...source,
      metadata: { ...metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) }
    }
    yield* updateObject(SCALED_OBJECTS, namespaceOf(canary), draft)
  })
}
