import { isJsonMap, type JsonMap } from '../../../lib/apimachinery/index.ts'
import { filled, mapAt, mapOf, mapsOf, textOf, withEach, withMap, withoutMember, withPresent } from './draft.ts'
import { kindKey } from './kind-key.ts'
import { isExternallyAccessible } from './service-shapes.ts'
import { defaultPod, defaultPodTemplate } from './pod-defaults.ts'

/** Gives the completed object; the object itself, and each of its parts, where nothing is missing. */
type Defaulter = (object: JsonMap) => JsonMap

/** Defaults of kinds of which only the `spec` has any, by {@link kindKey}, after the `defaults.go` files of Kubernetes 1.36. */
const SPEC_DEFAULTERS: ReadonlyMap<string, Defaulter> = new Map(
  Object.entries<Defaulter>({
    '/Pod': defaultPod,
    '/Service': defaultService,
    '/ReplicationController': (spec) => defaultReplicated(spec, ONE_REPLICA),
    'apps/Deployment': defaultDeployment,
    'apps/ReplicaSet': (spec) => defaultReplicated(spec, ONE_REPLICA),
    'apps/DaemonSet': defaultDaemonSet,
    'apps/StatefulSet': defaultStatefulSet,
    'batch/CronJob': defaultCronJob,
    'networking.k8s.io/NetworkPolicy': defaultNetworkPolicy,
    'apiextensions.k8s.io/CustomResourceDefinition': defaultCrd
  })
)

/** Defaults of other kinds; versions are told apart inside. */
const DEFAULTERS: ReadonlyMap<string, Defaulter> = new Map(
  Object.entries<Defaulter>({
    '/PodTemplate': (object) => withMap(object, 'template', defaultPodTemplate),
    '/Secret': defaultSecret,
    '/Namespace': defaultNamespace,
    '/Endpoints': defaultEndpoints,
    '/PersistentVolumeClaim': defaultVolumeClaim,
    '/LimitRange': defaultLimitRange,
    'autoscaling/HorizontalPodAutoscaler': defaultAutoscaler,
    'batch/Job': defaultJob,
    'discovery.k8s.io/EndpointSlice': (object) => withEach(object, 'ports', (port) => filled(port, SLICE_PORT)),
    'rbac.authorization.k8s.io/RoleBinding': defaultBinding,
    'rbac.authorization.k8s.io/ClusterRoleBinding': defaultBinding,
    'scheduling.k8s.io/PriorityClass': (object) => filled(object, { preemptionPolicy: 'PreemptLowerPriority' })
  })
)

/**
 * Fills in what an object of a built-in kind leaves out.
 * @param group - API group, `''` for core
 * @param kind - e.g. `Deployment`
 * @param object - not changed
 * @param stored - the object that it replaces, in the same version: what came from it is complete
 * @returns the completed object, which shares everything that was complete
 */
export function setDefaults<T extends JsonMap>(group: string, kind: string, object: T, stored?: JsonMap): T {
  const key = kindKey(group, kind)
  const specDefaulter = SPEC_DEFAULTERS.get(key)
  if (specDefaulter !== undefined) {
    const isComplete = isJsonMap(object['spec']) && object['spec'] === stored?.['spec']
    return isComplete ? object : (withMap(object, 'spec', specDefaulter) as T)
  }
  const defaulter = DEFAULTERS.get(key)
  return defaulter === undefined ? object : (defaulter(object) as T)
}

const TCP: JsonMap = { protocol: 'TCP' }
const SLICE_PORT: JsonMap = { name: '', protocol: 'TCP' }

const ONE_REPLICA: JsonMap = { replicas: 1 }

function defaultReplicated(spec: JsonMap, defaults: JsonMap): JsonMap {
  return withMap(filled(spec, defaults), 'template', defaultPodTemplate)
}

const DEPLOYMENT: JsonMap = {
  replicas: 1,
  revisionHistoryLimit: 10,
  progressDeadlineSeconds: 600,
  strategy: Object.freeze({})
}
const QUARTERS: JsonMap = { maxUnavailable: '25%', maxSurge: '25%' }

function defaultDeployment(spec: JsonMap): JsonMap {
  return defaultStrategy(defaultReplicated(spec, DEPLOYMENT), 'strategy', QUARTERS)
}

function defaultDaemonSet(spec: JsonMap): JsonMap {
  const limited = filled(spec, { revisionHistoryLimit: 10 })
  const rolling = defaultStrategy(limited, 'updateStrategy', { maxUnavailable: 1, maxSurge: 0 })
  return withMap(rolling, 'template', defaultPodTemplate)
}

function defaultStrategy(spec: JsonMap, field: string, rollingUpdate: JsonMap): JsonMap {
  return withMap(spec, field, (given) => {
    const strategy = filled(given, { type: 'RollingUpdate' })
    if (strategy['type'] !== 'RollingUpdate') return strategy
    return withMap(strategy, 'rollingUpdate', (rolling) => filled(rolling, rollingUpdate))
  })
}

const STATEFUL_SET: JsonMap = { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' }

function defaultStatefulSet(spec: JsonMap): JsonMap {
  const replicated = defaultReplicated(spec, STATEFUL_SET)
  const rolling = defaultStrategy(replicated, 'updateStrategy', { partition: 0 })
  const kept = withMap(rolling, 'persistentVolumeClaimRetentionPolicy', (policy) =>
    filled(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' })
  )
  return withEach(kept, 'volumeClaimTemplates', (claim) =>
    defaultVolumeClaim({ ...claim, apiVersion: 'v1', kind: 'PersistentVolumeClaim' })
  )
}

function defaultVolumeClaim(claim: JsonMap): JsonMap {
  const specified = withMap(claim, 'spec', (spec) => filled(spec, { volumeMode: 'Filesystem' }))
  return withMap(specified, 'status', (status) => filled(status, { phase: 'Pending' }))
}

function defaultJob(job: JsonMap): JsonMap {
  const specified = withMap(job, 'spec', (given) => {
    const isOne = given['completions'] === undefined && given['parallelism'] === undefined
    const spec = isOne ? { ...given, completions: 1 } : given
    const completed = filled(spec, {
      parallelism: 1,
      backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : 2_147_483_647,
      completionMode: 'NonIndexed',
      manualSelector: false,
      suspend: false,
      podReplacementPolicy: spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed'
    })
    return withMap(completed, 'template', defaultPodTemplate)
  })
  const labels = mapOf(mapOf(mapOf(mapOf(specified['spec'])['template'])['metadata'])['labels'])
  return withMap(specified, 'metadata', (metadata) => {
    const hasLabels = Object.keys(mapOf(metadata['labels'])).length > 0
    return hasLabels || Object.keys(labels).length === 0 ? metadata : { ...metadata, labels: { ...labels } }
  })
}

const CRON_JOB: JsonMap = {
  concurrencyPolicy: 'Allow',
  suspend: false,
  successfulJobsHistoryLimit: 3,
  failedJobsHistoryLimit: 1
}

function defaultCronJob(spec: JsonMap): JsonMap {
  return withMap(filled(spec, CRON_JOB), 'jobTemplate', (job) =>
    withMap(filled(job, { metadata: {} }), 'spec', (inner) => withMap(inner, 'template', defaultPodTemplate))
  )
}

/** Types whose address clients inside the cluster use. */
const INTERNAL_TYPES: ReadonlySet<string> = new Set(['ClusterIP', 'NodePort', 'LoadBalancer'])
const SERVICE: JsonMap = { sessionAffinity: 'None', type: 'ClusterIP' }

function defaultService(given: JsonMap): JsonMap {
  let spec = filled(given, SERVICE)
  const type = textOf(spec['type'])
  if (spec['sessionAffinity'] === 'None') spec = withoutMember(spec, 'sessionAffinityConfig')
  if (spec['sessionAffinity'] === 'ClientIP') {
    const seconds = mapOf(mapOf(spec['sessionAffinityConfig'])['clientIP'])['timeoutSeconds']
    if (seconds === undefined) spec = { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } }
  }
  spec = withEach(spec, 'ports', (given) => {
    const port = filled(given, TCP)
    const target = port['targetPort']
    const isUnset = target === undefined || target === 0 || target === ''
    return isUnset ? { ...port, targetPort: port['port'] ?? 0 } : port
  })
  if (isExternallyAccessible(spec)) spec = filled(spec, { externalTrafficPolicy: 'Cluster' })
  if (type === 'LoadBalancer') spec = filled(spec, { allocateLoadBalancerNodePorts: true })
  return INTERNAL_TYPES.has(type) ? filled(spec, { internalTrafficPolicy: 'Cluster' }) : spec
}

function defaultSecret(secret: JsonMap): JsonMap {
  const typed = textOf(secret['type']) === '' ? { ...secret, type: 'Opaque' } : secret
  const texts = Object.entries(mapOf(typed['stringData']))
  const encoded = Object.fromEntries(
    texts.map(([key, text]) => [key, Buffer.from(String(text), 'utf8').toString('base64')])
  )
  const full = texts.length === 0 ? typed : withMap(typed, 'data', (data) => ({ ...data, ...encoded }))
  return withoutMember(full, 'stringData')
}

function defaultNamespace(namespace: JsonMap): JsonMap {
  const labelled = withMap(namespace, 'metadata', (metadata) => {
    const name = textOf(metadata['name'])
    // The label exists for selectors; a generated name is not known yet.
    if (name === '') return metadata
    return withMap(metadata, 'labels', (labels) => filled(labels, { 'kubernetes.io/metadata.name': name }))
  })
  return withMap(labelled, 'status', (status) => filled(status, { phase: 'Active' }))
}

function defaultEndpoints(endpoints: JsonMap): JsonMap {
  return withEach(endpoints, 'subsets', (subset) => withEach(subset, 'ports', (port) => filled(port, TCP)))
}

function defaultLimitRange(range: JsonMap): JsonMap {
  return withPresent(range, 'spec', (spec) =>
    withEach(spec, 'limits', (given) => {
      if (given['type'] !== 'Container') return given
      let limit = given
      const copy = (from: string, to: string): void => {
        const source = mapAt(limit, from)
        if (limit[from] !== undefined) limit = withMap(limit, to, (amounts) => filled(amounts, source))
      }
      copy('max', 'default')
      copy('default', 'defaultRequest')
      copy('min', 'defaultRequest')
      return limit
    })
  )
}

function defaultNetworkPolicy(given: JsonMap): JsonMap {
  const rule = (one: JsonMap): JsonMap => withEach(one, 'ports', (port) => filled(port, TCP))
  const spec = withEach(withEach(given, 'ingress', rule), 'egress', rule)
  const hasEgress = mapsOf(spec['egress']).length > 0
  return filled(spec, { policyTypes: hasEgress ? ['Ingress', 'Egress'] : ['Ingress'] })
}

const RBAC = 'rbac.authorization.k8s.io'

function defaultBinding(binding: JsonMap): JsonMap {
  const grouped = (one: JsonMap): JsonMap => (textOf(one['apiGroup']) === '' ? { ...one, apiGroup: RBAC } : one)
  return withEach(withMap(binding, 'roleRef', grouped), 'subjects', (subject) =>
    subject['kind'] === 'User' || subject['kind'] === 'Group' ? grouped(subject) : subject
  )
}

function defaultCrd(spec: JsonMap): JsonMap {
  const named = withMap(spec, 'names', (given) => {
    const kind = textOf(given['kind'])
    const names = textOf(given['singular']) === '' ? { ...given, singular: kind.toLowerCase() } : given
    return textOf(names['listKind']) === '' && kind !== '' ? { ...names, listKind: `${kind}List` } : names
  })
  return withMap(named, 'conversion', (conversion) => filled(conversion, { strategy: 'None' }))
}

const SCALE_UP: JsonMap = {
  selectPolicy: 'Max',
  stabilizationWindowSeconds: 0,
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 }
  ]
}

const SCALE_DOWN: JsonMap = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }

function defaultAutoscaler(autoscaler: JsonMap): JsonMap {
  return withMap(autoscaler, 'spec', (given) => {
    const spec = filled(given, { minReplicas: 1 })
    if (autoscaler['apiVersion'] === 'autoscaling/v1') {
      const annotations = mapOf(mapOf(autoscaler['metadata'])['annotations'])
      const hasOthers = annotations['autoscaling.alpha.kubernetes.io/metrics'] !== undefined
      return hasOthers ? spec : filled(spec, { targetCPUUtilizationPercentage: 80 })
    }
    const target = { type: 'Utilization', averageUtilization: 80 }
    const hasMetrics = mapsOf(spec['metrics']).length > 0
    const measured = hasMetrics ? spec : { ...spec, metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }] }
    return withPresent(measured, 'behavior', (behavior) =>
      withMap(
        withMap(behavior, 'scaleUp', (rules) => filled(rules, SCALE_UP)),
        'scaleDown',
        (rules) => filled(rules, SCALE_DOWN)
      )
    )
  })
}
