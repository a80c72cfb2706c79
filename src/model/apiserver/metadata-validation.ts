import {
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  invalidError,
  labelKeyProblems,
  labelValueProblems,
  qualifiedNameProblems,
  tooLongError,
  type FieldError
} from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceInfo } from './resources.ts'

const TOTAL_ANNOTATION_BYTES = 256 * 1024
const DNS_LABEL_NAMES: ReadonlySet<string> = new Set(['Namespace'])
const DNS_1035_NAMES: ReadonlySet<string> = new Set([])
/** Kinds whose names are path segments only (rbac). */
const PATH_SEGMENT_NAMES: ReadonlySet<string> = new Set(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'])

function nameProblems(info: ResourceInfo, name: string): readonly string[] {
  if (PATH_SEGMENT_NAMES.has(info.kind)) return pathSegmentProblems(name)
  if (DNS_LABEL_NAMES.has(info.kind)) return dns1123LabelProblems(name)
  if (info.kind === 'Service') return dns1035LabelProblems(name)
  return DNS_1035_NAMES.has(info.kind) ? dns1035LabelProblems(name) : dns1123SubdomainProblems(name)
}

function pathSegmentProblems(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter((char) => name.includes(char)).map((char) => `may not contain '${char}'`)
}

/**
 * Checks what every object has (apimachinery `validation.ValidateObjectMeta`).
 * @param info - resource
 * @param object - new object
 */
export function validateMetadata(info: ResourceInfo, object: KubeObject): FieldError[] {
  const { name, generateName } = object.metadata
  const errors: FieldError[] = []
  if (generateName !== undefined && generateName !== '') {
    const probe = generateName.endsWith('-') ? `${generateName.slice(0, -1)}a` : generateName
    for (const problem of nameProblems(info, probe))
      errors.push(invalidError('metadata.generateName', generateName, problem))
  }
  for (const problem of nameProblems(info, name)) errors.push(invalidError('metadata.name', name, problem))
  return [...errors, ...validateLabelsAndOthers(object)]
}

/**
 * Checks labels, annotations, finalizers and owners of a changed object (apimachinery `validation.ValidateObjectMetaUpdate`).
 * @param object - candidate
 */
export function validateChangedMetadata(object: KubeObject): FieldError[] {
  return validateLabelsAndOthers(object)
}

function validateLabelsAndOthers(object: KubeObject): FieldError[] {
  const { labels, annotations, finalizers } = object.metadata
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const problem of labelKeyProblems(key)) errors.push(invalidError('metadata.labels', key, problem))
    for (const problem of labelValueProblems(value)) errors.push(invalidError('metadata.labels', value, problem))
  }
  let bytes = 0
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const problem of qualifiedNameProblems(key.toLowerCase()))
      errors.push(invalidError('metadata.annotations', key, problem))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value))
  }
  if (bytes > TOTAL_ANNOTATION_BYTES) errors.push(tooLongError('metadata.annotations', TOTAL_ANNOTATION_BYTES))
  for (const finalizer of finalizers ?? []) {
    for (const problem of qualifiedNameProblems(finalizer))
      errors.push(invalidError('metadata.finalizers', finalizer, problem))
  }
  return errors
}
