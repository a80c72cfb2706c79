import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { pure, StepFailed, wrapped } from '../failure.ts'
import { withoutToolkitKeys } from '../metadata.ts'
import {
  BACKOFF,
  controllerReference,
  createObject,
  findObject,
  getObject,
  RESOURCES,
  retryOnConflict,
  updateObject
} from '../objects.ts'
import { sameButEmpty, sameJson } from '../same.ts'
import { fullName, namespaceOf } from '../spec.ts'
import type { Scaler } from './scaler.ts'

const HPAS = RESOURCES.horizontalPodAutoscalers

interface HpaSpec {
  scaleTargetRef?: { kind?: string; name?: string; apiVersion?: string }
  minReplicas?: number
  maxReplicas?: number
  metrics?: unknown
  behavior?: unknown
}

/**
 * HorizontalPodAutoscaler; a target at zero replicas needs no pausing.
 * @see fluxcd/flagger pkg/canary/hpa_reconciler.go 1.44.0
 */
export function hpaScaler(): Scaler {
  const nothing = (): Plan<void> => pure(() => {})
  return { reconcilePrimary, pauseTarget: nothing, resumeTarget: nothing }
}

function* reconcilePrimary(canary: Canary, mode: 'create' | 'update'): Plan<void> {
  const scaler = canary.spec.autoscalerRef
  if (scaler === undefined) return
  const namespace = namespaceOf(canary)
  const source = yield* getObject(
    HPAS,
    namespace,
    scaler.name,
    `HorizontalPodAutoscaler ${scaler.name}.${namespace} get query error: `
  )
  const spec = primarySpec(canary, source)
  const name = `${scaler.name}-primary`
  const existing = yield* findObject(HPAS, namespace, name, 'HorizontalPodAutoscaler v2 . get query failed: ')
  if (existing === undefined) {
    const metadata = {
      name,
      namespace,
      labels: withoutToolkitKeys(source.metadata.labels),
      ownerReferences: [controllerReference(canary)]
    }
    const creating = createObject(HPAS, namespace, { metadata, spec })
    yield* wrapped(`creating HorizontalPodAutoscaler v2 ${name}.${namespace} failed: `, creating)
    yield* log('info', `HorizontalPodAutoscaler v2 ${name}.${namespace} created`, fullName(canary))
    return
  }
  if (mode === 'create' || !changed(source, spec, existing)) return
  yield* wrapped(
    `updating HorizontalPodAutoscaler v2 ${name}.${namespace} failed: `,
    retryOnConflict(BACKOFF.retry, function* () {
      const current = yield* getObject(HPAS, namespace, name)
      const { minReplicas: _min, metrics: _metrics, behavior: _behavior, ...kept } = current.spec as HpaSpec
      const { scaleTargetRef: _target, ...taken } = spec
      yield* updateObject(HPAS, namespace, { ...current, spec: { ...kept, ...taken } })
    })
  )
  yield* log('info', `HorizontalPodAutoscaler v2 ${name}.${namespace} updated`, fullName(canary))
}

function primarySpec(canary: Canary, source: KubeObject): HpaSpec {
  const { scaleTargetRef = {}, minReplicas, maxReplicas, metrics, behavior } = source.spec as HpaSpec
  const overrides = canary.spec.autoscalerRef?.primaryScalerReplicas ?? {}
  const minimum = overrides.minReplicas ?? minReplicas
  const maximum = overrides.maxReplicas ?? maxReplicas
  if (maximum === undefined) throw new StepFailed(`HorizontalPodAutoscaler ${source.metadata.name} has no maxReplicas`)
  const { kind, apiVersion } = scaleTargetRef
  return {
    scaleTargetRef: {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(kind === undefined ? {} : { kind }),
      name: `${canary.spec.targetRef.name}-primary`
    },
    ...(minimum === undefined ? {} : { minReplicas: minimum }),
    maxReplicas: maximum,
    ...(metrics === undefined ? {} : { metrics }),
    ...(behavior === undefined ? {} : { behavior })
  }
}

/** Labels and annotations count as changes although an update never writes them, as upstream. */
function changed(source: KubeObject, wanted: HpaSpec, existing: KubeObject): boolean {
  const present = existing.spec as HpaSpec
  return !(
    sameJson(wanted.metrics, present.metrics) &&
    sameJson(wanted.behavior, present.behavior) &&
    sameButEmpty(source.metadata.labels, existing.metadata.labels) &&
    sameButEmpty(source.metadata.annotations, existing.metadata.annotations) &&
    (wanted.minReplicas ?? 1) === (present.minReplicas ?? 1) &&
    wanted.maxReplicas === present.maxReplicas
  )
}
