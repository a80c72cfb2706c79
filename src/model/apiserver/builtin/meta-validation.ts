import {
  deepEqual,
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  fieldPath,
  forbiddenError,
  indexPath,
  invalidError,
  labelKeyProblems,
  labelValueProblems,
  qualifiedNameProblems,
  requiredError,
  tooLongError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { mapAt, mapsAt, textAt } from './draft.ts'

/** Rule for `metadata.name`. */
export type NameRule = 'subdomain' | 'label' | 'label-1035' | 'path-segment'

const MAX_ANNOTATIONS_BYTES = 256 * 1024

/** Finalizers without a domain that Kubernetes itself uses. */
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

/**
 * Problems of a name under a rule.
 * @param rule - which
 * @param name - the name
 */
export function nameProblems(rule: NameRule, name: string): string[] {
  switch (rule) {
    case 'label':
      return dns1123LabelProblems(name)
    case 'label-1035':
      return dns1035LabelProblems(name)
    case 'path-segment':
      return pathSegmentProblems(name)
    case 'subdomain':
      return dns1123SubdomainProblems(name)
  }
}

function pathSegmentProblems(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter((char) => name.includes(char)).map((char) => `may not contain '${char}'`)
}

/** What {@link validateObjectMeta} needs to know of the kind. */
export interface MetaRules {
  readonly nameRule: NameRule
  /** Finalizers of built-in kinds need a domain; those of custom resources do not. Default false. */
  readonly isCustom?: boolean
}

/**
 * Validates `metadata` (apimachinery `ValidateObjectMeta` of 1.36).
 * @param metadata - of the object
 * @param rules - of the kind
 */
export function validateObjectMeta(metadata: JsonMap, rules: MetaRules): FieldError[] {
  return [
    ...nameErrors(metadata, rules.nameRule),
    ...validateLabels(mapAt(metadata, 'labels'), 'metadata.labels'),
    ...validateAnnotations(mapAt(metadata, 'annotations'), 'metadata.annotations'),
    ...ownerReferenceErrors(mapsAt(metadata, 'ownerReferences')),
    ...finalizerErrors(metadata),
    ...(rules.isCustom === true ? [] : kubeFinalizerErrors(metadata))
  ]
}

function nameErrors(metadata: JsonMap, rule: NameRule): FieldError[] {
  const name = textAt(metadata, 'name')
  const prefix = textAt(metadata, 'generateName')
  const errors: FieldError[] = []
  if (prefix !== '') {
    const masked = prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix
    errors.push(...nameProblems(rule, masked).map((problem) => invalidError('metadata.generateName', prefix, problem)))
  }
  if (name === '') errors.push(requiredError('metadata.name', 'name or generateName is required'))
  else errors.push(...nameProblems(rule, name).map((problem) => invalidError('metadata.name', name, problem)))
  return errors
}

/**
 * Validates labels.
 * @param labels - name to value
 * @param path - where they are
 */
export function validateLabels(labels: JsonMap, path: string): FieldError[] {
  return Object.keys(labels)
    .sort()
    .flatMap((key) => {
      const value = String(labels[key])
      return [
        ...labelKeyProblems(key).map((problem) => invalidError(path, key, problem)),
        ...labelValueProblems(value).map((problem) => invalidError(path, value, problem))
      ]
    })
}

/**
 * Validates annotations: keys are compared in lower case, all together are limited to 256 KiB.
 * @param annotations - name to value
 * @param path - where they are
 */
export function validateAnnotations(annotations: JsonMap, path: string): FieldError[] {
  const keys = Object.keys(annotations).sort()
  const errors = keys.flatMap((key) =>
    labelKeyProblems(key.toLowerCase()).map((problem) => invalidError(path, key, problem))
  )
  const size = keys.reduce(
    (total, key) => total + Buffer.byteLength(key) + Buffer.byteLength(String(annotations[key])),
    0
  )
  if (size > MAX_ANNOTATIONS_BYTES) errors.push(tooLongError(path, MAX_ANNOTATIONS_BYTES))
  return errors
}

function ownerReferenceErrors(references: readonly JsonMap[]): FieldError[] {
  const path = 'metadata.ownerReferences'
  const errors = references.flatMap((reference) => {
    const version = textAt(reference, 'apiVersion').split('/').at(-1) ?? ''
    const found: FieldError[] = []
    if (version === '')
      found.push(invalidError(`${path}.apiVersion`, textAt(reference, 'apiVersion'), 'version must not be empty'))
    for (const field of ['kind', 'name', 'uid']) {
      if (textAt(reference, field) === '') found.push(invalidError(`${path}.${field}`, '', 'must not be empty'))
    }
    if (textAt(reference, 'apiVersion') === 'v1' && reference['kind'] === 'Event') {
      found.push(invalidError(path, reference, '/v1, Kind=Event is disallowed from being an owner'))
    }
    return found
  })
  const controllers = references.filter((reference) => reference['controller'] === true)
  const [first, second] = controllers
  if (first !== undefined && second !== undefined) {
    const text = `Only one reference can have Controller set to true. Found "true" in references for ${textAt(first, 'name')} and ${textAt(second, 'name')}`
    errors.push(invalidError(path, references, text))
  }
  return errors
}

function finalizersOf(metadata: JsonMap): string[] {
  const list = metadata['finalizers']
  return Array.isArray(list) ? list.map(String) : []
}

function finalizerErrors(metadata: JsonMap): FieldError[] {
  const path = 'metadata.finalizers'
  const finalizers = finalizersOf(metadata)
  const errors = finalizers.flatMap((name) =>
    qualifiedNameProblems(name).map((problem) => invalidError(path, name, problem))
  )
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalidError(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  return errors
}

/** Finalizers of built-in kinds need a domain. */
function kubeFinalizerErrors(metadata: JsonMap): FieldError[] {
  return finalizersOf(metadata).flatMap((name, index) => {
    if (name.includes('/') || STANDARD_FINALIZERS.has(name)) return []
    const problem = 'name is neither a standard finalizer name nor is it fully qualified'
    return [invalidError(indexPath('metadata.finalizers', index), name, problem)]
  })
}

const IMMUTABLE: readonly string[] = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds'
]

const CHECKED_FIELDS = ['generateName', 'labels', 'annotations', 'ownerReferences', 'finalizers'] as const
const GENERIC_RULES: MetaRules = { nameRule: 'path-segment', isCustom: true }

/** How the check of a kind looks at the metadata of an update, besides what the server does for all. */
export type MetaUpdateCheck = 'none' | 'full' | 'update' | 'update-and-full'

/**
 * Validates `metadata` of an update as the server and then the kind do it, one after the other, so that most findings come several
 * times (apiserver `rest.BeforeUpdate`).
 * @param metadata - new
 * @param old - stored
 * @param check - of the kind; default: that of custom resources
 */
export function validateMetadataUpdate(metadata: JsonMap, old: JsonMap, check?: MetaUpdateCheck): FieldError[] {
  const update = validateObjectMetaUpdate(metadata, old)
  // What is stored was validated when it came.
  const isNew = CHECKED_FIELDS.some((field) => metadata[field] !== old[field])
  const full = isNew ? validateObjectMeta(metadata, GENERIC_RULES) : []
  const kube = check === undefined ? [] : kubeFinalizerErrors(metadata)
  const own = check === undefined || check.startsWith('update') ? [...update, ...kube] : []
  const whole = check?.endsWith('full') === true ? [...full, ...kube] : []
  return [...full, ...update, ...own, ...whole]
}

/**
 * Validates `metadata` of an update: what may not change, labels, annotations and owners.
 * @param metadata - new
 * @param old - stored
 */
export function validateObjectMetaUpdate(metadata: JsonMap, old: JsonMap): FieldError[] {
  const errors: FieldError[] = []
  if (typeof old['deletionTimestamp'] === 'string') {
    const added = finalizersOf(metadata).filter((name) => !finalizersOf(old).includes(name))
    if (added.length > 0) {
      const list = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`
      const text = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`
      errors.push(forbiddenError('metadata.finalizers', text))
    }
  }
  const generation = Number(metadata['generation'] ?? 0)
  if (generation < Number(old['generation'] ?? 0))
    errors.push(invalidError('metadata.generation', generation, 'must not be decremented'))
  for (const field of IMMUTABLE) {
    if (metadata[field] !== old[field] && !deepEqual(metadata[field] ?? null, old[field] ?? null)) {
      errors.push(invalidError(fieldPath('metadata', field), metadata[field] ?? null, 'field is immutable'))
    }
  }
  // What is stored was validated when it came.
  const isNew = (field: string): boolean => metadata[field] !== undefined && metadata[field] !== old[field]
  if (isNew('labels')) errors.push(...validateLabels(mapAt(metadata, 'labels'), 'metadata.labels'))
  if (isNew('annotations')) errors.push(...validateAnnotations(mapAt(metadata, 'annotations'), 'metadata.annotations'))
  if (isNew('ownerReferences')) errors.push(...ownerReferenceErrors(mapsAt(metadata, 'ownerReferences')))
  return errors
}

/**
 * An error when a value differs from the stored one.
 * @param value - new value
 * @param old - stored value
 * @param path - where it is
 */
export function immutableErrors(value: unknown, old: unknown, path: string): FieldError[] {
  return deepEqual(value ?? null, old ?? null) ? [] : [invalidError(path, value ?? null, 'field is immutable')]
}

/**
 * An error when a number is negative.
 * @param value - absent values are fine
 * @param path - where it is
 */
export function nonNegativeErrors(value: unknown, path: string): FieldError[] {
  return typeof value === 'number' && value < 0 ? [invalidError(path, value, 'must be greater than or equal to 0')] : []
}
