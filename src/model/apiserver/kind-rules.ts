import {
  copyOf,
  copyWith,
  deepEqual,
  invalidError,
  isJsonMap,
  resetFieldSet,
  type FieldError,
  type FieldSet,
  type JsonMap
} from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import {
  prepareForCreate,
  prepareForUpdate,
  resetFields,
  setDefaults,
  validateBuiltin,
  validateObjectMeta,
  validateMetadataUpdate
} from './builtin/index.ts'
import type { ResourceInfo } from './resources.ts'

/** The phases of a write in which the rules of a kind take part. */
export interface KindRules {
  /** Fills in defaults of the served version; may return the argument. `old` is the stored object of an update. */
  applyDefaults(info: ResourceInfo, object: KubeObject, old?: KubeObject): KubeObject
  /** Clears what a client may not set and starts the generation. */
  prepareCreate(info: ResourceInfo, object: KubeObject): KubeObject
  /**
   * Keeps what this door may not change and raises the generation; `old` is what is stored, both in the stored version.
   * Gives a new object, whose parts may be shared. Managed fields are given to it later.
   */
  prepareUpdate(info: ResourceInfo, object: KubeObject, old: KubeObject, subresource?: string): KubeObject
  validate(info: ResourceInfo, object: KubeObject, old?: KubeObject, subresource?: string): readonly FieldError[]
  /** Fields nobody comes to own through a door. */
  resetFields(info: ResourceInfo, subresource?: string): FieldSet | undefined
}

function fields(object: KubeObject): JsonMap {
  return object
}

function objectOf(map: JsonMap): KubeObject {
  return map as unknown as KubeObject
}

/** Subresources that change the spec of an object like its main resource. */
function doorOf(subresource: string | undefined): string | undefined {
  return subresource === 'status' ? 'status' : undefined
}

const BUILTIN_RULES: KindRules = {
  applyDefaults: (info, object, old) => {
    const stored = old?.apiVersion === info.apiVersion ? fields(old) : undefined
    return objectOf(setDefaults(info.group, info.kind, fields(object), stored))
  },
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
      old: old === undefined ? undefined : fields(old),
      subresource: doorOf(subresource)
    }),
  resetFields: (info, subresource) => resetFields(info.group, info.kind, doorOf(subresource))
}

/** Members of an object that are no desired state; the status is none where it has its own door. */
const HEADER: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

function isDesiredStateChanged(info: ResourceInfo, object: KubeObject, old: KubeObject): boolean {
  const hasStatusDoor = info.subresources.has('status')
  for (const key in object)
    if (!HEADER.has(key) && !(hasStatusDoor && key === 'status') && !deepEqual(object[key], old[key])) return true
  for (const key in old)
    if (object[key] === undefined && old[key] !== undefined && !HEADER.has(key) && !(hasStatusDoor && key === 'status'))
      return true
  return false
}

const STATUS_ONLY = resetFieldSet([['status']])
const ALL_BUT_STATUS = resetFieldSet([['spec'], ['metadata']])

/** Rules of custom resources (apiextensions-apiserver `registry/customresource`). */
const CUSTOM_RULES: KindRules = {
  applyDefaults: (info, object, old) =>
    info.crd === undefined ? object : objectOf(info.crd.default(object, old) as JsonMap),
  prepareCreate: (info, object) => {
    const prepared = copyWith(object, 'metadata', copyWith(object.metadata, 'generation', 1))
    if (!info.subresources.has('status')) return prepared
    delete prepared.status
    return info.crd === undefined ? prepared : objectOf(info.crd.default(prepared) as JsonMap)
  },
  prepareUpdate: (info, object, old, subresource) => {
    if (subresource === 'status') return statusOnly(object, old)
    const prepared = copyOf(object)
    if (info.subresources.has('status') && object.status !== old.status) {
      if (old.status === undefined) delete prepared.status
      else prepared.status = old.status
    }
    const before = old.metadata.generation ?? 0
    const generation = isDesiredStateChanged(info, prepared, old) ? before + 1 : before
    if (object.metadata.generation !== generation)
      prepared.metadata = copyWith(object.metadata, 'generation', generation)
    return prepared
  },
  validate: (info, object, old, subresource) => {
    const errors = metadataErrors(object, old)
    const scale = scaleErrors(info, object)
    const early = errors.length + scale.length === 0 ? NO_ERRORS : [...errors, ...scale]
    const found = info.crd?.validate(object, old, early) ?? NO_ERRORS
    if (early.length + found.length === 0) return NO_ERRORS
    return [...early, ...(subresource === 'status' ? found.map(fromStatusDoor) : found)]
  },
  resetFields: (info, subresource) => {
    if (!info.subresources.has('status')) return undefined
    return subresource === 'status' ? ALL_BUT_STATUS : STATUS_ONLY
  }
}

const NO_ERRORS: readonly FieldError[] = Object.freeze([])
const META_RULES = { nameRule: 'subdomain', isCustom: true } as const

/** What is stored was validated when it came. */
function metadataErrors(object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  if (object.metadata === old?.metadata) return NO_ERRORS
  const metadata = object.metadata as unknown as JsonMap
  if (old === undefined) return validateObjectMeta(metadata, META_RULES)
  return validateMetadataUpdate(metadata, old.metadata as unknown as JsonMap)
}

/** Through the status door the schema of the status is applied by itself, which shows in the texts. */
function fromStatusDoor(error: FieldError): FieldError {
  const head = `${error.field} in body`
  return error.field.startsWith('status.') && error.detail.startsWith(head)
    ? { ...error, detail: error.detail.slice('status.'.length) }
    : error
}

/** Replica counts of a scale sub-resource are whole numbers from 0 (apiextensions `customResourceStrategy.validateScale`). */
function scaleErrors(info: ResourceInfo, object: KubeObject): readonly FieldError[] {
  const scale = info.crd?.scale
  if (scale === undefined) return NO_ERRORS
  return [scale.specReplicasPath, scale.statusReplicasPath].flatMap((path) => replicaErrors(object, path))
}

const REPLICAS_MAX = 2_147_483_647

function replicaErrors(object: KubeObject, path: string): FieldError[] {
  let value: unknown = object
  for (const step of path.replace(/^\./, '').split('.')) {
    if (value === undefined) return []
    if (!isJsonMap(value)) {
      const rule = `${path} accessor error: ${String(value)} is of the type ${goType(value)}, expected map[string]interface{}`
      return [invalidError(path, 0, rule)]
    }
    value = value[step]
  }
  if (value === undefined || value === null) return []
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    return [
      invalidError(path, 0, `${path} accessor error: ${String(value)} is of the type ${goType(value)}, expected int64`)
    ]
  }
  if (value < 0) return [invalidError(path, value, 'should be a non-negative integer')]
  return value > REPLICAS_MAX ? [invalidError(path, value, `should be less than or equal to ${REPLICAS_MAX}`)] : []
}

function goType(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'string' : 'map[string]interface {}'
}

/** Through the status door only the status of a custom resource changes. */
function statusOnly(object: KubeObject, old: KubeObject): KubeObject {
  const changed = copyOf(old)
  if (object.status !== undefined) changed.status = object.status
  else if (old.status !== undefined) delete changed.status
  return changed
}

/** The rules of a resource. */
export function rulesOf(info: ResourceInfo): KindRules {
  return info.crd === undefined ? BUILTIN_RULES : CUSTOM_RULES
}
