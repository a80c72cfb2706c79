import { deepEqual, isJsonMap, type FieldError } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceInfo } from './resources.ts'

/** Built-in kinds that have no `metadata.generation`. */
const WITHOUT_GENERATION: ReadonlySet<string> = new Set([
  'ConfigMap',
  'Secret',
  'Service',
  'ServiceAccount',
  'Endpoints',
  'Event',
  'Namespace',
  'Node',
  'Lease',
  'HorizontalPodAutoscaler',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'ControllerRevision',
  'LimitRange',
  'ResourceQuota',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PodTemplate',
  'StorageClass'
])

/** Kinds whose first part of the status survives creation (the node's kubelet writes its own). */
const STATUS_ON_CREATE: ReadonlySet<string> = new Set(['Node'])

/** Whether objects of a kind count the changes of their spec. */
export function hasGeneration(info: ResourceInfo): boolean {
  return info.crd !== undefined || !WITHOUT_GENERATION.has(info.kind)
}

/** Whether `status` may only be written through the status sub-resource. */
export function hasStatusSubresource(info: ResourceInfo): boolean {
  return info.subresources.has('status')
}

/** Removes what a client may not set on creation. */
export function resetOnCreate(info: ResourceInfo, object: KubeObject): void {
  if (hasStatusSubresource(info) && !STATUS_ON_CREATE.has(info.kind)) delete object.status
  if (hasGeneration(info)) object.metadata.generation = 1
}

/** Fields that count as metadata or status, not as desired state. */
const NOT_SPEC: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status'])

/** Whether a change raises `metadata.generation`. */
export function changesGeneration(info: ResourceInfo, object: KubeObject, existing: KubeObject): boolean {
  if (info.crd === undefined) {
    if (!deepEqual(object.spec, existing.spec)) return true
    // A Deployment's generation also follows its annotations (registry/apps/deployment/strategy.go).
    if (info.kind === 'Deployment') return !deepEqual(object.metadata.annotations, existing.metadata.annotations)
    return info.kind === 'EndpointSlice' && !sameContent(object, existing, NOT_SPEC)
  }
  const ignored = hasStatusSubresource(info) ? NOT_SPEC : new Set([...NOT_SPEC].filter((field) => field !== 'status'))
  return !sameContent(object, existing, ignored)
}

function sameContent(left: KubeObject, right: KubeObject, ignored: ReadonlySet<string>): boolean {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...keys].every((key) => ignored.has(key) || deepEqual(left[key], right[key]))
}

/** The phases of a write in which rules of kinds take part. */
export interface KindRules {
  /** Fills in defaults; may return the argument. */
  applyDefaults(info: ResourceInfo, object: KubeObject): KubeObject
  validateCreate(info: ResourceInfo, object: KubeObject): FieldError[]
  validateUpdate(info: ResourceInfo, object: KubeObject, existing: KubeObject, subresource?: string): FieldError[]
}

/** Rules of custom resources: the schema of their definition. */
export const CUSTOM_RULES: KindRules = {
  applyDefaults(info, object) {
    if (info.crd === undefined) return object
    const filled = info.crd.default(object)
    return isJsonMap(filled) ? (filled as unknown as KubeObject) : object
  },
  validateCreate: (info, object) => info.crd?.validate(object) ?? [],
  validateUpdate: (info, object, existing) => info.crd?.validate(object, existing) ?? []
}

/** Rules of built-in kinds. */
export const BUILTIN_RULES: KindRules = {
  applyDefaults: (_info, object) => object,
  validateCreate: () => [],
  validateUpdate: () => []
}

/** The rules of a resource. */
export function rulesOf(info: ResourceInfo): KindRules {
  return info.crd === undefined ? BUILTIN_RULES : CUSTOM_RULES
}
