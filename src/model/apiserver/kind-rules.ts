import { deepEqual, resetFieldSet, type FieldError, type FieldSet, type JsonMap } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import {
  prepareForCreate,
  prepareForUpdate,
  resetFields,
  setDefaults,
  validateBuiltin,
  validateObjectMeta,
  validateObjectMetaUpdate
} from './builtin/index.ts'
import type { ResourceInfo } from './resources.ts'

/** The phases of a write in which the rules of a kind take part. */
export interface KindRules {
  /** Fills in defaults of the served version; may return the argument. */
  applyDefaults(info: ResourceInfo, object: KubeObject): KubeObject
  /** Clears what a client may not set and starts the generation. */
  prepareCreate(info: ResourceInfo, object: KubeObject): KubeObject
  /** Keeps what this door may not change and raises the generation; `old` is what is stored, both in the stored version. */
  prepareUpdate(info: ResourceInfo, object: KubeObject, old: KubeObject, subresource?: string): KubeObject
  validate(info: ResourceInfo, object: KubeObject, old?: KubeObject, subresource?: string): FieldError[]
  /** Fields nobody comes to own through a door. */
  resetFields(info: ResourceInfo, subresource?: string): FieldSet | undefined
}

function fields(object: KubeObject): JsonMap {
  return object as unknown as JsonMap
}

function objectOf(map: JsonMap): KubeObject {
  return map as unknown as KubeObject
}

/** Subresources that change the spec of an object like its main resource. */
function doorOf(subresource: string | undefined): string | undefined {
  return subresource === 'status' ? 'status' : undefined
}

const BUILTIN_RULES: KindRules = {
  applyDefaults: (info, object) => objectOf(setDefaults(info.group, info.kind, fields(object))),
  prepareCreate: (info, object) => objectOf(prepareForCreate(info.group, info.kind, fields(object))),
  prepareUpdate: (info, object, old, subresource) =>
    objectOf(
      prepareForUpdate({ group: info.group, kind: info.kind }, fields(object), fields(old), doorOf(subresource))
    ),
  validate: (info, object, old, subresource) =>
    validateBuiltin({
      group: info.group,
      kind: info.kind,
      object: fields(object),
      ...(old === undefined ? {} : { old: fields(old) }),
      ...(doorOf(subresource) === undefined ? {} : { subresource: 'status' })
    }),
  resetFields: (info, subresource) => resetFields(info.group, info.kind, doorOf(subresource))
}

/** Members of an object that are neither desired state nor, where it has its own door, status. */
function ignoredMembers(info: ResourceInfo): ReadonlySet<string> {
  const names = ['apiVersion', 'kind', 'metadata']
  return new Set(info.subresources.has('status') ? [...names, 'status'] : names)
}

function isDesiredStateChanged(info: ResourceInfo, object: KubeObject, old: KubeObject): boolean {
  const ignored = ignoredMembers(info)
  const keys = new Set([...Object.keys(object), ...Object.keys(old)])
  return [...keys].some((key) => !ignored.has(key) && !deepEqual(object[key], old[key]))
}

const STATUS_ONLY = resetFieldSet([['status']])
const ALL_BUT_STATUS = resetFieldSet([['spec'], ['metadata']])

/** Rules of custom resources (apiextensions-apiserver `registry/customresource`). */
const CUSTOM_RULES: KindRules = {
  applyDefaults: (info, object) => (info.crd === undefined ? object : objectOf(info.crd.default(object) as JsonMap)),
  prepareCreate: (info, object) => {
    const prepared: KubeObject = { ...object, metadata: { ...object.metadata, generation: 1 } }
    if (info.subresources.has('status')) delete prepared.status
    return prepared
  },
  prepareUpdate: (info, object, old, subresource) => {
    if (subresource === 'status') return statusOnly(object, old)
    const prepared: KubeObject = { ...object, metadata: { ...object.metadata } }
    if (info.subresources.has('status')) {
      if (old.status === undefined) delete prepared.status
      else prepared.status = old.status
    }
    const generation = old.metadata.generation ?? 0
    prepared.metadata.generation = isDesiredStateChanged(info, prepared, old) ? generation + 1 : generation
    return prepared
  },
  validate: (info, object, old) => {
    const metadata = object.metadata as unknown as JsonMap
    const before = old?.metadata as unknown as JsonMap | undefined
    const fixed = before === undefined ? [] : validateObjectMetaUpdate(metadata, before)
    const errors = [...fixed, ...validateObjectMeta(metadata, { nameRule: 'subdomain' })]
    return [...errors, ...(info.crd?.validate(object, old) ?? [])]
  },
  resetFields: (info, subresource) => {
    if (!info.subresources.has('status')) return undefined
    return subresource === 'status' ? ALL_BUT_STATUS : STATUS_ONLY
  }
}

/** Through the status door only the status of a custom resource changes, and who owns it. */
function statusOnly(object: KubeObject, old: KubeObject): KubeObject {
  const { managedFields } = object.metadata
  const metadata = { ...old.metadata }
  delete metadata.managedFields
  if (managedFields !== undefined) metadata.managedFields = managedFields
  const changed: KubeObject = { ...old, metadata }
  if (object.status === undefined) delete changed.status
  else changed.status = object.status
  return changed
}

/** The rules of a resource. */
export function rulesOf(info: ResourceInfo): KindRules {
  return info.crd === undefined ? BUILTIN_RULES : CUSTOM_RULES
}
