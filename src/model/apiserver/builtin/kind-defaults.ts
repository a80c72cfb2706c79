import { deepCopy, type JsonMap } from '../../../lib/apimachinery/index.ts'
import { ensureMap, fill, mapAt, mapsAt, textAt } from './draft.ts'
import { defaultPod, defaultPodTemplate } from './pod-defaults.ts'

type Defaulter = (draft: JsonMap) => void

/** Defaults by `group/Kind` (`/Kind` for core), after the `defaults.go` files of Kubernetes 1.36; versions are told apart inside. */
const DEFAULTERS: Readonly<Record<string, Defaulter>> = {
  '/Pod': defaultPod,
  '/PodTemplate': (draft) => defaultPodTemplate(ensureMap(draft, 'template')),
  '/Service': defaultService,
  '/Secret': defaultSecret,
  '/Namespace': defaultNamespace,
  '/Endpoints': defaultEndpoints,
  '/PersistentVolumeClaim': defaultVolumeClaim,
  '/LimitRange': defaultLimitRange,
  '/ReplicationController': (draft) => defaultReplicated(draft, {}),
  'apps/Deployment': defaultDeployment,
  'apps/ReplicaSet': (draft) => defaultReplicated(draft, {}),
  'apps/DaemonSet': defaultDaemonSet,
  'apps/StatefulSet': defaultStatefulSet,
  'autoscaling/HorizontalPodAutoscaler': defaultAutoscaler,
  'batch/Job': defaultJob,
  'batch/CronJob': defaultCronJob,
  'discovery.k8s.io/EndpointSlice': defaultEndpointSlice,
  'networking.k8s.io/NetworkPolicy': defaultNetworkPolicy,
  'rbac.authorization.k8s.io/RoleBinding': defaultBinding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': defaultBinding,
  'scheduling.k8s.io/PriorityClass': (draft) => fill(draft, { preemptionPolicy: 'PreemptLowerPriority' }),
  'apiextensions.k8s.io/CustomResourceDefinition': defaultCrd
}

/**
 * Fills in what an object of a built-in kind leaves out.
 * @param group - API group, `''` for core
 * @param kind - e.g. `Deployment`
 * @param object - not changed
 * @returns a completed copy, or the object itself for kinds without defaults
 */
export function setDefaults<T extends JsonMap>(group: string, kind: string, object: T): T {
  const defaulter = DEFAULTERS[`${group}/${kind}`]
  if (defaulter === undefined) return object
  const draft = deepCopy(object)
  defaulter(draft)
  return draft
}

function defaultReplicated(draft: JsonMap, defaults: JsonMap): void {
  const spec = ensureMap(draft, 'spec')
  fill(spec, { replicas: 1, ...defaults })
  defaultPodTemplate(ensureMap(spec, 'template'))
}

function defaultDeployment(draft: JsonMap): void {
  defaultReplicated(draft, { revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {} })
  const strategy = ensureMap(mapAt(draft, 'spec'), 'strategy')
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy['type'] === 'RollingUpdate')
    fill(ensureMap(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' })
}

function defaultDaemonSet(draft: JsonMap): void {
  const spec = ensureMap(draft, 'spec')
  fill(spec, { revisionHistoryLimit: 10 })
  const strategy = ensureMap(spec, 'updateStrategy')
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy['type'] === 'RollingUpdate')
    fill(ensureMap(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 })
  defaultPodTemplate(ensureMap(spec, 'template'))
}

function defaultStatefulSet(draft: JsonMap): void {
  defaultReplicated(draft, { revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' })
  const spec = mapAt(draft, 'spec')
  const strategy = ensureMap(spec, 'updateStrategy')
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy['type'] === 'RollingUpdate') fill(ensureMap(strategy, 'rollingUpdate'), { partition: 0 })
  fill(ensureMap(spec, 'persistentVolumeClaimRetentionPolicy'), { whenDeleted: 'Retain', whenScaled: 'Retain' })
  for (const claim of mapsAt(spec, 'volumeClaimTemplates')) {
    Object.assign(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' })
    defaultVolumeClaim(claim)
  }
}

function defaultVolumeClaim(draft: JsonMap): void {
  fill(ensureMap(draft, 'spec'), { volumeMode: 'Filesystem' })
  fill(ensureMap(draft, 'status'), { phase: 'Pending' })
}

function defaultJob(draft: JsonMap): void {
  const spec = ensureMap(draft, 'spec')
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) spec['completions'] = 1
  const replacement = spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed'
  const backoffLimit = spec['backoffLimitPerIndex'] === undefined ? 6 : 2_147_483_647
  fill(spec, {
    parallelism: 1,
    backoffLimit,
    completionMode: 'NonIndexed',
    manualSelector: false,
    suspend: false,
    podReplacementPolicy: replacement
  })
  const template = ensureMap(spec, 'template')
  defaultPodTemplate(template)
  const labels = mapAt(mapAt(template, 'metadata'), 'labels')
  const metadata = ensureMap(draft, 'metadata')
  const hasLabels = Object.keys(mapAt(metadata, 'labels')).length > 0
  if (!hasLabels && Object.keys(labels).length > 0) metadata['labels'] = { ...labels }
}

function defaultCronJob(draft: JsonMap): void {
  const spec = ensureMap(draft, 'spec')
  fill(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
  const job = ensureMap(spec, 'jobTemplate')
  ensureMap(job, 'metadata')
  defaultPodTemplate(ensureMap(ensureMap(job, 'spec'), 'template'))
}

/** Types whose address clients inside the cluster use. */
const INTERNAL_TYPES: ReadonlySet<string> = new Set(['ClusterIP', 'NodePort', 'LoadBalancer'])

function defaultService(draft: JsonMap): void {
  const spec = ensureMap(draft, 'spec')
  fill(spec, { sessionAffinity: 'None', type: 'ClusterIP' })
  const type = textAt(spec, 'type')
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig']
  if (spec['sessionAffinity'] === 'ClientIP') {
    fill(ensureMap(ensureMap(spec, 'sessionAffinityConfig'), 'clientIP'), { timeoutSeconds: 10_800 })
  }
  for (const port of mapsAt(spec, 'ports')) {
    fill(port, { protocol: 'TCP' })
    const target = port['targetPort']
    if (target === undefined || target === 0 || target === '') port['targetPort'] = port['port']
  }
  if (type === 'NodePort' || type === 'LoadBalancer') fill(spec, { externalTrafficPolicy: 'Cluster' })
  if (type === 'LoadBalancer') fill(spec, { allocateLoadBalancerNodePorts: true })
  if (INTERNAL_TYPES.has(type)) fill(spec, { internalTrafficPolicy: 'Cluster' })
}

function defaultSecret(draft: JsonMap): void {
  if (textAt(draft, 'type') === '') draft['type'] = 'Opaque'
  const texts = Object.entries(mapAt(draft, 'stringData'))
  if (texts.length > 0) {
    const data = ensureMap(draft, 'data')
    for (const [key, text] of texts) data[key] = Buffer.from(String(text), 'utf8').toString('base64')
  }
  delete draft['stringData']
}

function defaultNamespace(draft: JsonMap): void {
  const metadata = ensureMap(draft, 'metadata')
  const name = textAt(metadata, 'name')
  // The label exists for selectors; a generated name is not known yet.
  if (name !== '') fill(ensureMap(metadata, 'labels'), { 'kubernetes.io/metadata.name': name })
  fill(ensureMap(draft, 'status'), { phase: 'Active' })
}

function defaultEndpoints(draft: JsonMap): void {
  for (const subset of mapsAt(draft, 'subsets'))
    for (const port of mapsAt(subset, 'ports')) fill(port, { protocol: 'TCP' })
}

function defaultEndpointSlice(draft: JsonMap): void {
  for (const port of mapsAt(draft, 'ports')) fill(port, { name: '', protocol: 'TCP' })
}

function defaultLimitRange(draft: JsonMap): void {
  for (const limit of mapsAt(mapAt(draft, 'spec'), 'limits')) {
    if (limit['type'] !== 'Container') continue
    if (limit['max'] !== undefined) fill(ensureMap(limit, 'default'), mapAt(limit, 'max'))
    if (limit['default'] !== undefined) fill(ensureMap(limit, 'defaultRequest'), mapAt(limit, 'default'))
    if (limit['min'] !== undefined) fill(ensureMap(limit, 'defaultRequest'), mapAt(limit, 'min'))
  }
}

function defaultNetworkPolicy(draft: JsonMap): void {
  const spec = ensureMap(draft, 'spec')
  for (const rule of [...mapsAt(spec, 'ingress'), ...mapsAt(spec, 'egress')]) {
    for (const port of mapsAt(rule, 'ports')) fill(port, { protocol: 'TCP' })
  }
  const hasEgress = mapsAt(spec, 'egress').length > 0
  fill(spec, { policyTypes: hasEgress ? ['Ingress', 'Egress'] : ['Ingress'] })
}

const RBAC = 'rbac.authorization.k8s.io'

function defaultBinding(draft: JsonMap): void {
  const role = ensureMap(draft, 'roleRef')
  if (textAt(role, 'apiGroup') === '') role['apiGroup'] = RBAC
  for (const subject of mapsAt(draft, 'subjects')) {
    const isNamed = subject['kind'] === 'User' || subject['kind'] === 'Group'
    if (isNamed && textAt(subject, 'apiGroup') === '') subject['apiGroup'] = RBAC
  }
}

function defaultCrd(draft: JsonMap): void {
  const spec = ensureMap(draft, 'spec')
  const names = ensureMap(spec, 'names')
  const kind = textAt(names, 'kind')
  if (textAt(names, 'singular') === '') names['singular'] = kind.toLowerCase()
  if (textAt(names, 'listKind') === '' && kind !== '') names['listKind'] = `${kind}List`
  fill(ensureMap(spec, 'conversion'), { strategy: 'None' })
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

function defaultAutoscaler(draft: JsonMap): void {
  const spec = ensureMap(draft, 'spec')
  fill(spec, { minReplicas: 1 })
  if (draft['apiVersion'] === 'autoscaling/v1') {
    const annotations = mapAt(mapAt(draft, 'metadata'), 'annotations')
    const hasOthers = annotations['autoscaling.alpha.kubernetes.io/metrics'] !== undefined
    if (!hasOthers) fill(spec, { targetCPUUtilizationPercentage: 80 })
    return
  }
  if (mapsAt(spec, 'metrics').length === 0) {
    const target = { type: 'Utilization', averageUtilization: 80 }
    spec['metrics'] = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  }
  if (spec['behavior'] === undefined) return
  const behavior = mapAt(spec, 'behavior')
  fill(ensureMap(behavior, 'scaleUp'), SCALE_UP)
  fill(ensureMap(behavior, 'scaleDown'), SCALE_DOWN)
}
