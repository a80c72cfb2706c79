import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { pure, StepFailed, wrapped } from '../failure.ts'
import { specHash } from '../hash.ts'
import { includedByPrefix } from '../metadata.ts'
import {
  BACKOFF,
  controllerReference,
  createObject,
  findObject,
  getObject,
  RESOURCES,
  retryOnConflict,
  updateObject,
  type Draft
} from '../objects.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, namespaceOf } from '../spec.ts'
import type { Target } from './target.ts'
import { hashChanged } from './workload.ts'

const SERVICES = RESOURCES.services
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * Operations on a Service target: copies named after the target, no pods, always ready.
 * @see fluxcd/flagger pkg/canary/service_controller.go 1.44.0
 */
export function serviceTarget(settings: ControllerSettings): Target {
  const nothing = (): Plan<void> => pure(() => {})
  return {
    metadata: () => pure(() => ({ label: '', value: '', ports: {} })),
    initialise: (canary) => initialise(settings, canary),
    promote: (canary) => promote(settings, canary),
    *revision(canary) {
      return { hash: specHash((yield* read(canary, canary.spec.targetRef.name)).spec), configs: undefined }
    },
    *hasChanged(canary) {
      return hashChanged(canary, specHash((yield* read(canary, canary.spec.targetRef.name)).spec))
    },
    haveConfigsChanged: () => pure(() => false),
    primaryIsCurrent: () => pure(() => true),
    scaleToZero: nothing,
    scaleFromZero: nothing,
    primaryReady: nothing,
    canaryReady: nothing,
    isScaledToZero: () => pure(() => false),
    finalise: nothing
  }
}

function read(canary: Canary, name: string): Plan<KubeObject> {
  const namespace = namespaceOf(canary)
  return getObject(SERVICES, namespace, name, `service ${name}.${namespace} get query error: `)
}

function* initialise(settings: ControllerSettings, canary: Canary): Plan<void> {
  const namespace = namespaceOf(canary)
  const { name } = canary.spec.targetRef
  // The error names the primary, as upstream.
  const source = yield* getObject(SERVICES, namespace, name, `service ${name}-primary.${namespace} get query error: `)
  yield* wrapped('reconcileCanaryService failed: ', reconcileCopy(settings, canary, source, 'canary'))
  yield* wrapped('reconcilePrimaryService failed: ', reconcileCopy(settings, canary, source, 'primary'))
}

/** Creates a copy; the canary's copy is written again on every tick. */
function* reconcileCopy(
  settings: ControllerSettings,
  canary: Canary,
  source: KubeObject,
  role: 'canary' | 'primary'
): Plan<void> {
  const namespace = namespaceOf(canary)
  const name = `${canary.spec.targetRef.name}-${role}`
  const existing = yield* findObject(SERVICES, namespace, name, `service ${name}.${namespace} get query error: `)
  if (existing === undefined) return yield* createCopy(settings, canary, source, name)
  if (role === 'primary') return
  const copy = copyOf(canary, source, name)
  const spec = copy['spec'] as Record<string, unknown>
  const clusterIP = (existing.spec as Record<string, unknown>)['clusterIP']
  const { uid, resourceVersion } = existing.metadata
  const draft: Draft = {
    ...copy,
    metadata: {
      ...copy.metadata,
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion })
    },
    spec: isClusterIp(spec) ? { ...spec, clusterIP } : spec
  }
  yield* wrapped(`updating service ${name}.${namespace} failed: `, updateObject(SERVICES, namespace, draft))
  yield* log('info', `Service ${name}.${namespace} updated`, fullName(canary))
}

function* createCopy(settings: ControllerSettings, canary: Canary, source: KubeObject, name: string): Plan<void> {
  const namespace = namespaceOf(canary)
  const copy = copyOf(canary, source, name)
  const { resourceVersion: _version, ...metadata } = copy.metadata
  const { clusterIP, ...rest } = copy['spec'] as Record<string, unknown>
  const { clusterIPs: _addresses, ...withoutAddresses } = rest
  const cleared = settings.quirks['service-target-keeps-cluster-ips'] ? rest : withoutAddresses
  const spec = isClusterIp(rest) ? cleared : { ...rest, ...(clusterIP === undefined ? {} : { clusterIP }) }
  // The error names the canary object, as upstream.
  const creating = createObject(SERVICES, namespace, { ...copy, metadata, spec })
  yield* wrapped(`creating service ${fullName(canary)} query error: `, creating)
  yield* log('info', `Service ${name}.${namespace} created`, fullName(canary))
}

function copyOf(canary: Canary, source: KubeObject, name: string): Draft {
  const { [LAST_APPLIED]: _applied, ...annotations } = source.metadata.annotations ?? {}
  const { trafficDistribution } = canary.spec.service
  const { annotations: _annotations, ...metadata } = source.metadata
  return {
    ...source,
    metadata: {
      ...metadata,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      name,
      namespace: namespaceOf(canary),
      ownerReferences: [controllerReference(canary)]
    },
    spec: { ...(source.spec as object), ...(trafficDistribution ? { trafficDistribution } : {}) }
  }
}

function isClusterIp(spec: Readonly<Record<string, unknown>>): boolean {
  return spec['type'] === 'ClusterIP'
}

function* promote(settings: ControllerSettings, canary: Canary): Plan<void> {
  const namespace = namespaceOf(canary)
  const name = `${canary.spec.targetRef.name}-primary`
  yield* wrapped(
    `updating service ${name}.${namespace} spec failed: `,
    retryOnConflict(BACKOFF.retry, function* () {
      const source = yield* read(canary, canary.spec.targetRef.name)
      const primary = yield* read(canary, name)
      if (source.spec === undefined) throw new StepFailed(`service ${source.metadata.name} has no spec`)
      const spec = source.spec as Record<string, unknown>
      const clusterIP = (primary.spec as Record<string, unknown>)['clusterIP']
      const { uid, resourceVersion, ownerReferences } = primary.metadata
      const { ownerReferences: targetOwners, ...metadata } = source.metadata
      const owners = settings.quirks['service-promotion-drops-owner'] ? targetOwners : ownerReferences
      yield* updateObject(SERVICES, namespace, {
        ...source,
        metadata: {
          ...metadata,
          name,
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
          ...(owners === undefined ? {} : { ownerReferences: owners }),
          annotations: includedByPrefix(source.metadata.annotations, settings.includeLabelPrefix),
          labels: includedByPrefix(source.metadata.labels, settings.includeLabelPrefix)
        },
        spec: isClusterIp(spec) ? { ...spec, clusterIP } : spec
      })
    })
  )
}
