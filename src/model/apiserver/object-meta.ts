import { badRequestStatus, isJsonMap, requiredError, type FieldError } from '../../lib/apimachinery/index.ts'
import type { KubeObject, ObjectMeta } from '../../kinds/index.ts'
import { timestamp, type ResourceCall } from './core.ts'
import { refuse, refuseInvalid } from './refusal.ts'

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX_LENGTH = 5
const GENERATED_NAME_MAX = 63

/** Metadata of a body, as a fresh object that may be changed. */
export function metadataOf(object: Record<string, unknown>): ObjectMeta {
  const metadata = object['metadata']
  return isJsonMap(metadata) ? { ...(metadata as unknown as ObjectMeta) } : ({} as ObjectMeta)
}

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
 * Brings the namespace of a body into line with the request.
 * @param call - the request
 * @param metadata - changed in place
 */
export function matchNamespace(call: ResourceCall, metadata: ObjectMeta): void {
  if (!call.info.namespaced) {
    if (metadata.namespace !== undefined && metadata.namespace !== '') {
      refuse(badRequestStatus('the namespace of the provided object does not match the namespace sent on the request'))
    }
    delete metadata.namespace
    return
  }
  const wanted = call.path.namespace ?? ''
  if (metadata.namespace === undefined || metadata.namespace === '') metadata.namespace = wanted
  else if (metadata.namespace !== wanted) {
    refuse(badRequestStatus('the namespace of the provided object does not match the namespace sent on the request'))
  }
}

/**
 * Fills in what the server sets on creation (apiserver `rest.BeforeCreate`, `rest.FillObjectMetaSystemFields`).
 * @param call - the request
 * @param object - decoded body
 */
export function prepareNewMetadata(call: ResourceCall, object: Record<string, unknown>): KubeObject {
  const metadata = metadataOf(object)
  matchNamespace(call, metadata)
  const name = metadata.name ?? ''
  if (name === '' && (metadata.generateName ?? '') !== '')
    metadata.name = generateName(metadata.generateName ?? '', call)
  else if (name === '') refuseNoName(call)
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
  delete metadata.generation
  delete metadata.resourceVersion
  const { name: finalName, generateName: base, namespace, managedFields, ...rest } = metadata
  delete rest.uid
  delete rest.creationTimestamp
  // The order of members is that of Go's ObjectMeta, which shows in messages that embed an object.
  const ordered: ObjectMeta = {
    name: finalName,
    ...(base === undefined || base === '' ? {} : { generateName: base }),
    ...(namespace === undefined ? {} : { namespace }),
    uid: call.core.newUid(),
    resourceVersion: '',
    creationTimestamp: timestamp(call.core.clock.now()),
    ...rest,
    ...(managedFields === undefined ? {} : { managedFields })
  }
  return { ...object, metadata: ordered } as KubeObject
}

function refuseNoName(call: ResourceCall): void {
  const errors: FieldError[] = [requiredError('metadata.name', 'name or generateName is required')]
  refuseInvalid({ group: call.info.group, name: call.info.kind }, '', errors)
}

/**
 * Brings the metadata of an update into line with what is stored: what clients may not change is kept.
 * @param object - candidate
 * @param existing - stored object
 */
export function prepareChangedMetadata(object: Record<string, unknown>, existing: KubeObject): KubeObject {
  const metadata = metadataOf(object)
  const kept = existing.metadata
  metadata.name = kept.name
  if (kept.namespace !== undefined) metadata.namespace = kept.namespace
  if (kept.uid !== undefined) metadata.uid = kept.uid
  for (const field of KEPT_FIELDS) {
    const value = kept[field]
    if (value === undefined) delete metadata[field]
    else Object.assign(metadata, { [field]: value })
  }
  delete metadata.selfLink
  return { ...object, metadata } as KubeObject
}

const KEPT_FIELDS = [
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'generateName'
] as const
