import {
  copyOf,
  deepEqual,
  deepFreeze,
  isJsonMap,
  resetFieldSet,
  withoutMembers,
  type FieldSet,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { mapAt, mapOf, mapsOf, textOf } from './draft.ts'
import { kindKey } from './kind-key.ts'
import { withoutForeignFields } from './service-strategy.ts'

/** Kinds whose `metadata.generation` counts changes of the desired state. */
const WITH_GENERATION: ReadonlySet<string> = new Set([
  '/Pod',
  '/ReplicationController',
  'apps/Deployment',
  'apps/ReplicaSet',
  'apps/DaemonSet',
  'apps/StatefulSet',
  'batch/Job',
  'batch/CronJob',
  'networking.k8s.io/Ingress',
  'networking.k8s.io/NetworkPolicy',
  'networking.k8s.io/IngressClass',
  'policy/PodDisruptionBudget',
  'discovery.k8s.io/EndpointSlice',
  'scheduling.k8s.io/PriorityClass',
  'apiextensions.k8s.io/CustomResourceDefinition'
])

/** Kinds with a status sub-resource: the main resource cannot change their status. */
const WITH_STATUS: ReadonlySet<string> = new Set([
  '/Pod',
  '/Namespace',
  '/Node',
  '/Service',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  '/ReplicationController',
  '/ResourceQuota',
  'apps/Deployment',
  'apps/ReplicaSet',
  'apps/DaemonSet',
  'apps/StatefulSet',
  'autoscaling/HorizontalPodAutoscaler',
  'batch/Job',
  'batch/CronJob',
  'networking.k8s.io/Ingress',
  'policy/PodDisruptionBudget',
  'apiextensions.k8s.io/CustomResourceDefinition'
])

/** Status of a new object where it is not empty; numbers a struct always writes. */
const INITIAL_STATUS: Readonly<Record<string, JsonMap>> = deepFreeze({
  '/Namespace': { phase: 'Active' },
  '/Service': { loadBalancer: {} },
  '/PersistentVolumeClaim': { phase: 'Pending' },
  '/ReplicationController': { replicas: 0 },
  'apps/ReplicaSet': { replicas: 0 },
  'apps/DaemonSet': { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  'apps/StatefulSet': { availableReplicas: 0, replicas: 0 },
  'autoscaling/HorizontalPodAutoscaler': { currentMetrics: null, desiredReplicas: 0 },
  'networking.k8s.io/Ingress': { loadBalancer: {} },
  'policy/PodDisruptionBudget': { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
})

const NO_STATUS: JsonMap = Object.freeze({})

/** Status of a new pod by its quality of service. */
const NEW_PODS: Readonly<Record<'Guaranteed' | 'Burstable' | 'BestEffort', JsonMap>> = deepFreeze({
  Guaranteed: { phase: 'Pending', qosClass: 'Guaranteed' },
  Burstable: { phase: 'Pending', qosClass: 'Burstable' },
  BestEffort: { phase: 'Pending', qosClass: 'BestEffort' }
})

const CRD = 'apiextensions.k8s.io/CustomResourceDefinition'

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

/**
 * Makes an object ready for its first storage: clears what a client may not set, starts the generation, generates a Job's selector.
 * Name, uid and creation time must be set before.
 * @param group - API group, `''` for core
 * @param kind - e.g. `Deployment`
 * @param object - defaulted; not changed
 */
export function prepareForCreate<T extends JsonMap>(group: string, kind: string, object: T): T {
  const key = kindKey(group, kind)
  const draft: JsonMap = copyOf(object)
  const metadata = copyOf(withValue(mapOf(object['metadata']), 'generation', undefined))
  draft['metadata'] = metadata
  if (WITH_GENERATION.has(key)) metadata['generation'] = 1
  // Nodes and bare claims keep what their agents report.
  if (WITH_STATUS.has(key) && key !== '/Node') draft['status'] = INITIAL_STATUS[key] ?? NO_STATUS
  if (key === '/Pod') draft['status'] = NEW_PODS[qualityOfService(mapOf(draft['spec']))]
  if (key === '/Namespace') prepareNamespace(draft)
  if (key === 'apps/DaemonSet') annotateTemplateGeneration(draft, Math.max(1, givenTemplateGeneration(draft)))
  if (key === 'batch/Job') generateJobSelector(draft)
  if (key === CRD) storeVersions(draft, [])
  return draft as T
}

function prepareNamespace(draft: JsonMap): void {
  const spec = { ...mapOf(draft['spec']) }
  const finalizers = Array.isArray(spec['finalizers']) ? spec['finalizers'].map(String) : []
  draft['spec'] = {
    ...spec,
    finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes']
  }
}

/** The storage version joins those that objects may be stored in. */
function storeVersions(draft: JsonMap, before: unknown): void {
  const stored = Array.isArray(before) ? before.map(String) : []
  const current = mapsOf(mapOf(draft['spec'])['versions']).find((version) => version['storage'] === true)
  const name = current === undefined ? '' : textOf(current['name'])
  const storedVersions = name === '' || stored.includes(name) ? stored : [...stored, name]
  draft['status'] = { ...mapOf(draft['status']), ...(storedVersions.length === 0 ? {} : { storedVersions }) }
}

/** A copy of a DaemonSet goes on counting where its original is. */
function givenTemplateGeneration(draft: JsonMap): number {
  const text = annotationsOf(draft)[TEMPLATE_GENERATION]
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : 0
}

function annotateTemplateGeneration(draft: JsonMap, generation: number): void {
  const metadata = mapOf(draft['metadata'])
  const annotations = { ...mapOf(metadata['annotations']), [TEMPLATE_GENERATION]: String(generation) }
  draft['metadata'] = withValue(metadata, 'annotations', annotations)
}

/** Jobs select their pods by their own uid unless told otherwise. */
function generateJobSelector(draft: JsonMap): void {
  const spec = { ...mapOf(draft['spec']) }
  if (spec['manualSelector'] === true) return
  const { uid, name } = mapOf(draft['metadata'])
  const template = { ...mapOf(spec['template']) }
  const metadata = { ...mapOf(template['metadata']) }
  metadata['labels'] = {
    ...mapOf(metadata['labels']),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name
  }
  const selector = mapOf(spec['selector'])
  const matchLabels = { ...mapOf(selector['matchLabels']), 'batch.kubernetes.io/controller-uid': uid }
  draft['spec'] = { ...spec, selector: { ...selector, matchLabels }, template: { ...template, metadata } }
  // Defaults run again when a stored job is read: one without labels shows those of its template.
  const own = mapOf(draft['metadata'])
  if (Object.keys(mapOf(own['labels'])).length === 0) draft['metadata'] = { ...own, labels: metadata['labels'] }
}

/**
 * Makes an update ready: keeps what this door may not change and raises the generation where the desired state changed.
 * @param key - group and kind
 * @param object - defaulted; not changed
 * @param old - stored object
 * @param subresource - `status`, or undefined for the main resource
 */
export function prepareForUpdate<T extends JsonMap>(
  key: { readonly group: string; readonly kind: string },
  object: T,
  old: JsonMap,
  subresource?: string
): T {
  const name = kindKey(key.group, key.kind)
  const before = mapOf(old['metadata'])
  const metadata = withValue(mapOf(object['metadata']), 'generation', before['generation'])
  if (subresource === 'status') {
    const hasOwnLabels = name === '/Pod' || name === '/Node'
    const draft: JsonMap = copyOf(object)
    draft['metadata'] = withValue(metadata, 'labels', hasOwnLabels ? metadata['labels'] : before['labels'])
    if (old['spec'] !== undefined) draft['spec'] = old['spec']
    return draft as T
  }
  const draft: JsonMap = copyOf(WITH_STATUS.has(name) ? withValue(object, 'status', old['status']) : object)
  draft['metadata'] = metadata
  if (name === '/Service') draft['spec'] = withoutForeignFields(mapOf(draft['spec']), mapOf(old['spec']))
  if (name === 'apps/DaemonSet') keepTemplateGeneration(draft, old)
  if (name === CRD) storeVersions(draft, mapOf(old['status'])['storedVersions'])
  if (WITH_GENERATION.has(name) && isDesiredStateChanged(name, draft, old))
    draft['metadata'] = withValue(mapOf(draft['metadata']), 'generation', Number(before['generation'] ?? 0) + 1)
  return draft as T
}

/** The map with a member set, or without it where the value is undefined; the map itself where it is so already. */
function withValue(map: JsonMap, key: string, value: unknown): JsonMap {
  if (map[key] === value && (value !== undefined || !Object.hasOwn(map, key))) return map
  if (value === undefined) return withoutMembers(map, [key])
  const copy = copyOf(map)
  copy[key] = value
  return copy
}

/** What an EndpointSlice says of its service. */
const SLICE_CONTENT: readonly string[] = ['endpoints', 'ports', 'addressType']

function isDesiredStateChanged(name: string, object: JsonMap, old: JsonMap): boolean {
  if (name === 'discovery.k8s.io/EndpointSlice')
    return SLICE_CONTENT.some((field) => isChanged(object[field], old[field]))
  if (name === 'scheduling.k8s.io/PriorityClass') return false
  if (isChanged(object['spec'], old['spec'])) return true
  // Deployments hand their annotations on to ReplicaSets, so a change counts.
  return name === 'apps/Deployment' && isChanged(annotationsOf(object), annotationsOf(old))
}

function isChanged(value: unknown, old: unknown): boolean {
  return value !== old && !deepEqual(value ?? null, old ?? null)
}

function annotationsOf(object: JsonMap): JsonMap {
  return mapOf(mapOf(object['metadata'])['annotations'])
}

function keepTemplateGeneration(draft: JsonMap, old: JsonMap): void {
  const before = Number(annotationsOf(old)[TEMPLATE_GENERATION] ?? 1)
  const changed = !deepEqual(mapOf(draft['spec'])['template'] ?? null, mapOf(old['spec'])['template'] ?? null)
  annotateTemplateGeneration(draft, changed ? before + 1 : before)
}

/**
 * Fields that a door of a kind resets, so that nobody comes to own them through it.
 * @param group - API group, `''` for core
 * @param kind - e.g. `Deployment`
 * @param subresource - `status`, or undefined for the main resource
 */
export function resetFields(group: string, kind: string, subresource?: string): FieldSet | undefined {
  if (!WITH_STATUS.has(kindKey(group, kind))) return undefined
  return subresource === 'status' ? RESET_BY_STATUS : RESET_BY_MAIN
}

const RESET_BY_STATUS: FieldSet = resetFieldSet([['spec'], ['metadata', 'labels']])
const RESET_BY_MAIN: FieldSet = resetFieldSet([['status']])

/**
 * Quality of service class of a pod.
 * @param spec - PodSpec
 */
export function qualityOfService(spec: JsonMap): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  if (!hasAmounts(mapsOf(spec['containers'])) && !hasAmounts(mapsOf(spec['initContainers']))) return 'BestEffort'
  const containers = [...mapsOf(spec['containers']), ...mapsOf(spec['initContainers'])]
  const counted = ['cpu', 'memory']
  const amounts = (container: JsonMap, list: string): JsonMap => mapAt(mapOf(container['resources']), list)
  const states = (container: JsonMap): boolean =>
    ['limits', 'requests'].some((list) => counted.some((name) => isSet(amounts(container, list)[name])))
  if (!containers.some(states)) return 'BestEffort'
  const isGuaranteed = containers.every((container) =>
    counted.every((name) => {
      const limit = amounts(container, 'limits')[name]
      return isSet(limit) && deepEqual(amounts(container, 'requests')[name] ?? limit, limit)
    })
  )
  return isGuaranteed ? 'Guaranteed' : 'Burstable'
}

/** Whether a container limits or requests anything at all, which few do. */
function hasAmounts(containers: readonly JsonMap[]): boolean {
  for (const { resources } of containers)
    if (isJsonMap(resources) && (resources['limits'] !== undefined || resources['requests'] !== undefined)) return true
  return false
}

function isSet(amount: unknown): boolean {
  return amount !== undefined && amount !== null && amount !== '0' && amount !== 0
}
