import {
  deepEqual,
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  fieldPath,
  forbiddenError,
  indexPath,
  invalidError,
  isJsonMap,
  labelKeyProblems,
  labelValueProblems,
  qualifiedNameProblems,
  requiredError,
  tooLongError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { mapsOf, textAt, textOf } from './draft.ts'
import { errorsOfEach, joined, NO_ERRORS, problemErrors, type Findings } from './findings.ts'

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
export function nameProblems(rule: NameRule, name: string): readonly string[] {
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
export function validateObjectMeta(metadata: JsonMap, rules: MetaRules): Findings {
  const hasFinalizers = metadata['finalizers'] !== undefined
  return joined(
    nameErrors(metadata, rules.nameRule),
    validateLabels(metadata['labels'], 'metadata.labels'),
    validateAnnotations(metadata['annotations'], 'metadata.annotations'),
    ownerReferenceErrors(mapsOf(metadata['ownerReferences'])),
    hasFinalizers ? finalizerErrors(metadata) : NO_ERRORS,
    hasFinalizers && rules.isCustom !== true ? kubeFinalizerErrors(metadata) : NO_ERRORS
  )
}

function nameErrors(metadata: JsonMap, rule: NameRule): Findings {
  const name = textOf(metadata['name'])
  const prefix = textOf(metadata['generateName'])
  const own =
    name === ''
      ? [requiredError('metadata.name', 'name or generateName is required')]
      : problemErrors('metadata.name', name, nameProblems(rule, name))
  if (prefix === '') return own
  const masked = prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix
  return joined(problemErrors('metadata.generateName', prefix, nameProblems(rule, masked)), own)
}

/**
 * Validates labels.
 * @param labels - name to value
 * @param path - where they are
 */
export function validateLabels(labels: unknown, path: string): Findings {
  if (!isJsonMap(labels)) return NO_ERRORS
  let isSound = true
  for (const key in labels)
    isSound &&= labelKeyProblems(key).length === 0 && labelValueProblems(String(labels[key])).length === 0
  if (isSound) return NO_ERRORS
  return errorsOfEach(Object.keys(labels).sort(), (key) => {
    const value = String(labels[key])
    return joined(
      problemErrors(path, key, labelKeyProblems(key)),
      problemErrors(path, value, labelValueProblems(value))
    )
  })
}

/**
 * Validates annotations: keys are compared in lower case, all together are limited to 256 KiB.
 * @param annotations - name to value
 * @param path - where they are
 */
export function validateAnnotations(annotations: unknown, path: string): Findings {
  if (!isJsonMap(annotations)) return NO_ERRORS
  let isSound = true
  let length = 0
  for (const key in annotations) {
    isSound &&= labelKeyProblems(key.toLowerCase()).length === 0
    length += key.length + String(annotations[key]).length
  }
  // No character takes more than three bytes per unit of its length.
  if (isSound && length * 3 <= MAX_ANNOTATIONS_BYTES) return NO_ERRORS
  const keys = Object.keys(annotations).sort()
  const errors = errorsOfEach(keys, (key) => problemErrors(path, key, labelKeyProblems(key.toLowerCase())))
  const size = keys.reduce(
    (total, key) => total + Buffer.byteLength(key) + Buffer.byteLength(String(annotations[key])),
    0
  )
  return size > MAX_ANNOTATIONS_BYTES ? [...errors, tooLongError(path, MAX_ANNOTATIONS_BYTES)] : errors
}

function ownerReferenceErrors(references: readonly JsonMap[]): Findings {
  if (references.length === 0) return NO_ERRORS
  const path = 'metadata.ownerReferences'
  const errors = errorsOfEach(references, (reference) => {
    const version = textOf(reference['apiVersion'])
    const found: FieldError[] = []
    if (version === '' || version.endsWith('/'))
      found.push(invalidError(`${path}.apiVersion`, textOf(reference['apiVersion']), 'version must not be empty'))
    if (!isNamed(reference)) {
      for (const field of NAMED_BY)
        if (textAt(reference, field) === '') found.push(invalidError(`${path}.${field}`, '', 'must not be empty'))
    }
    if (textOf(reference['apiVersion']) === 'v1' && reference['kind'] === 'Event') {
      found.push(invalidError(path, reference, '/v1, Kind=Event is disallowed from being an owner'))
    }
    return found
  })
  if (references.length === 1) return errors
  const controllers = references.filter((reference) => reference['controller'] === true)
  const [first, second] = controllers
  if (first !== undefined && second !== undefined) {
    const text = `Only one reference can have Controller set to true. Found "true" in references for ${textOf(first['name'])} and ${textOf(second['name'])}`
    return [...errors, invalidError(path, references, text)]
  }
  return errors
}

/** What every owner reference must have besides its version. */
const NAMED_BY: readonly string[] = ['kind', 'name', 'uid']

function isNamed(reference: JsonMap): boolean {
  return textOf(reference['kind']) !== '' && textOf(reference['name']) !== '' && textOf(reference['uid']) !== ''
}

function finalizersOf(metadata: JsonMap): string[] {
  const list = metadata['finalizers']
  return Array.isArray(list) ? list.map(String) : []
}

function finalizerErrors(metadata: JsonMap): Findings {
  const path = 'metadata.finalizers'
  const finalizers = finalizersOf(metadata)
  const errors: FieldError[] = finalizers.flatMap((name) => problemErrors(path, name, qualifiedNameProblems(name)))
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalidError(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  return errors
}

/** Finalizers of built-in kinds need a domain. */
function kubeFinalizerErrors(metadata: JsonMap): Findings {
  return errorsOfEach(finalizersOf(metadata), (name, index) => {
    if (name.includes('/') || STANDARD_FINALIZERS.has(name)) return NO_ERRORS
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
export function validateMetadataUpdate(metadata: JsonMap, old: JsonMap, check?: MetaUpdateCheck): Findings {
  if (metadata === old) return NO_ERRORS
  const update = validateObjectMetaUpdate(metadata, old)
  // What is stored was validated when it came.
  const isChecked =
    metadata['generateName'] === old['generateName'] &&
    metadata['labels'] === old['labels'] &&
    metadata['annotations'] === old['annotations'] &&
    metadata['ownerReferences'] === old['ownerReferences'] &&
    metadata['finalizers'] === old['finalizers']
  const full = isChecked ? NO_ERRORS : validateObjectMeta(metadata, GENERIC_RULES)
  const kube = check === undefined || metadata['finalizers'] === undefined ? NO_ERRORS : kubeFinalizerErrors(metadata)
  const own = check === undefined || check.startsWith('update') ? joined(update, kube) : NO_ERRORS
  return joined(full, update, own, check?.endsWith('full') === true ? joined(full, kube) : NO_ERRORS)
}

/**
 * Validates `metadata` of an update: what may not change, labels, annotations and owners.
 * @param metadata - new
 * @param old - stored
 */
export function validateObjectMetaUpdate(metadata: JsonMap, old: JsonMap): Findings {
  const { labels, annotations, ownerReferences } = metadata
  return joined(
    fixedErrors(metadata, old),
    // What is stored was validated when it came.
    labels === old['labels'] ? NO_ERRORS : validateLabels(labels, 'metadata.labels'),
    annotations === old['annotations'] ? NO_ERRORS : validateAnnotations(annotations, 'metadata.annotations'),
    ownerReferences === old['ownerReferences'] ? NO_ERRORS : ownerReferenceErrors(mapsOf(ownerReferences))
  )
}

function fixedErrors(metadata: JsonMap, old: JsonMap): Findings {
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
  if (hasFixed(metadata, old)) return errors
  for (const field of IMMUTABLE) {
    if (metadata[field] !== old[field] && !deepEqual(metadata[field] ?? null, old[field] ?? null)) {
      errors.push(invalidError(fieldPath('metadata', field), metadata[field] ?? null, 'field is immutable'))
    }
  }
  return errors
}

/** Whether all that may not change is the same, as in nearly all updates: members are read by name, which takes a tenth. */
function hasFixed(metadata: JsonMap, old: JsonMap): boolean {
  return (
    metadata['name'] === old['name'] &&
    metadata['namespace'] === old['namespace'] &&
    metadata['uid'] === old['uid'] &&
    metadata['creationTimestamp'] === old['creationTimestamp'] &&
    metadata['deletionTimestamp'] === old['deletionTimestamp'] &&
    metadata['deletionGracePeriodSeconds'] === old['deletionGracePeriodSeconds']
  )
}

/**
 * An error when a value differs from the stored one.
 * @param value - new value
 * @param old - stored value
 * @param path - where it is
 */
export function immutableErrors(value: unknown, old: unknown, path: string): Findings {
  return value === old || deepEqual(value ?? null, old ?? null)
    ? NO_ERRORS
    : [invalidError(path, value ?? null, 'field is immutable')]
}

/**
 * An error when a number is negative.
 * @param value - absent values are fine
 * @param path - where it is
 */
export function nonNegativeErrors(value: unknown, path: string): Findings {
  return typeof value === 'number' && value < 0
    ? [invalidError(path, value, 'must be greater than or equal to 0')]
    : NO_ERRORS
}
