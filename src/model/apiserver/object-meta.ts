import { badRequestStatus, copyWith, isJsonMap } from '../../lib/apimachinery/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import type { KubeObject, ObjectMeta } from '../../kinds/index.ts'
import type { ResourceCall } from './core.ts'
import { refuse } from './refusal.ts'

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const GENERATED_NAME_MAX = 63

/** Metadata of a body as it came; empty where there is none. */
export function metadataOf(object: Record<string, unknown>): Readonly<Partial<ObjectMeta>> {
  const metadata = object['metadata']
  return isJsonMap(metadata) ? metadata : NO_METADATA
}

const NO_METADATA: Readonly<Partial<ObjectMeta>> = Object.freeze({})

/**
 * A name from `generateName` (apiserver `names.SimpleNameGenerator`).
 * @param base - prefix
 * @param call - gives the random stream
 */
export function generateName(base: string, call: ResourceCall): string {
  const prefix = base.slice(0, GENERATED_NAME_MAX - SUFFIX_LENGTH)
  let suffix = ''
  for (let index = 0; index < SUFFIX_LENGTH; index++) {
    suffix += SUFFIX_ALPHABET.charAt(call.core.random.integer(SUFFIX_ALPHABET.length))
  }
  return prefix + suffix
}

/**
 * Refuses a body whose namespace is not that of the request.
 * @param call - the request
 * @param metadata - of the body
 */
export function checkNamespaceGiven(call: ResourceCall, metadata: Readonly<Partial<ObjectMeta>>): void {
  const { namespace = '' } = metadata
  if (namespace === '' || namespace === namespaceOf(call)) return
  refuse(badRequestStatus('the namespace of the provided object does not match the namespace sent on the request'))
}

/** Namespace of the objects a call is about; undefined for cluster-scoped ones. */
function namespaceOf(call: ResourceCall): string | undefined {
  return call.info.namespaced ? (call.path.namespace ?? '') : undefined
}

/** Members of metadata that a client cannot set on creation, or that have their place in the order below. */
const PLACED: ReadonlySet<string> = new Set([
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
  'generation',
  'managedFields'
])

/**
 * Fills in what the server sets on creation (apiserver `rest.BeforeCreate`, `rest.FillObjectMetaSystemFields`).
 * @param call - the request
 * @param object - decoded body
 */
export function prepareNewMetadata(call: ResourceCall, object: Record<string, unknown>): KubeObject {
  const given = metadataOf(object)
  checkNamespaceGiven(call, given)
  const { name = '', generateName: base = '', managedFields } = given
  const ordered = systemMetadata(call, name === '' && base !== '' ? generateName(base, call) : name, base)
  const members = ordered as unknown as Record<string, unknown>
  for (const field in given) if (!PLACED.has(field)) members[field] = given[field as keyof ObjectMeta]
  if (managedFields !== undefined) ordered.managedFields = managedFields
  return copyWith(object, 'metadata', ordered) as KubeObject
}

/**
 * What the server sets. The order of members is that of Go's ObjectMeta, which shows in messages that embed an object. An
 * object that is to grow begins empty: one that was written out with some of its members takes three times as long to copy.
 */
function systemMetadata(call: ResourceCall, name: string, base: string): ObjectMeta {
  const namespace = namespaceOf(call)
  const metadata = {} as ObjectMeta
  metadata.name = name
  if (base !== '') metadata.generateName = base
  if (namespace !== undefined) metadata.namespace = namespace
  metadata.uid = call.core.newUid()
  metadata.resourceVersion = ''
  metadata.creationTimestamp = formatTimestamp(call.core.clock.now())
  return metadata
}

/**
 * Brings the metadata of an update into line with what is stored: what clients may not change is kept.
 * @param object - candidate
 * @param existing - stored object
 */
export function prepareChangedMetadata(object: Record<string, unknown>, existing: KubeObject): KubeObject {
  const kept = existing.metadata
  const given = metadataOf(object)
  if (given === kept || isKept(given, kept)) return object as KubeObject
  const metadata = copyWith(given, 'name', kept.name) as ObjectMeta
  if (kept.namespace !== undefined) metadata.namespace = kept.namespace
  if (kept.uid !== undefined) metadata.uid = kept.uid
  if (kept.creationTimestamp !== undefined) metadata.creationTimestamp = kept.creationTimestamp
  if (kept.deletionTimestamp !== undefined) metadata.deletionTimestamp = kept.deletionTimestamp
  if (kept.deletionGracePeriodSeconds !== undefined)
    metadata.deletionGracePeriodSeconds ??= kept.deletionGracePeriodSeconds
  if (kept.generation !== undefined) metadata.generation = kept.generation
  else if (metadata.generation !== undefined) delete metadata.generation
  if (metadata.selfLink !== undefined) delete metadata.selfLink
  return copyWith(object, 'metadata', metadata) as KubeObject
}

/** Whether nothing that clients may not change is changed. */
function isKept(given: Readonly<Partial<ObjectMeta>>, kept: ObjectMeta): boolean {
  if (given.name !== kept.name || given.namespace !== kept.namespace || given.uid !== kept.uid) return false
  if (given.selfLink !== undefined) return false
  for (const field of KEPT_FIELDS) if (given[field] !== kept[field]) return false
  return true
}

const KEPT_FIELDS = ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'] as const
