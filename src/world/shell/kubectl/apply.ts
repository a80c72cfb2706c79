import { parseAllDocuments } from 'yaml'
import { stableStringify } from '../../../lib/apimachinery/index.ts'
import type { JsonObject, JsonValue, KubeObject } from '../../../kinds/index.ts'
import { type KubeClient, KubectlError, printedName, type ResourceKind, statusError } from './client.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Most documents of one manifest, and most YAML aliases of one document. */
const DOCUMENTS_MAX = 1000
const ALIASES_MAX = 100

/** What applying one object did. */
export interface Applied {
  readonly printed: string
  readonly outcome: 'created' | 'configured' | 'unchanged'
}

/** Reads the objects of a manifest, `List`s opened. */
export function readManifest(text: string): readonly KubeObject[] {
  const objects: KubeObject[] = []
  for (const document of parseAllDocuments(text).slice(0, DOCUMENTS_MAX)) {
    const problem = document.errors[0]
    if (problem !== undefined) throw new KubectlError(`error: error parsing STDIN: ${problem.message}`)
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX })
    if (value === null || value === undefined) continue
    const object = value as KubeObject & { readonly items?: readonly KubeObject[] }
    if (object.kind === 'List' && Array.isArray(object.items)) objects.push(...object.items)
    else objects.push(object)
  }
  return objects
}

/**
 * Applies an object as `kubectl apply` does (client side): a three-way merge between the object last applied, the given
 * one and the one that is there. Lists are replaced as a whole, which after defaulting gives what the strategic merge
 * gives for lists the given object writes out.
 * @throws KubectlError with the server's refusal
 */
export function applyObject(client: KubeClient, given: KubeObject, defaultNamespace: string): Applied {
  const kind = kindOf(client, given)
  const namespace = kind.namespaced ? (given.metadata.namespace ?? defaultNamespace) : undefined
  const object: KubeObject = namespace === undefined ? given : { ...given, metadata: { ...given.metadata, namespace } }
  const modified = withLastApplied(object)
  const path = client.path(kind, namespace, object.metadata.name)
  const current = client.send({ method: 'GET', path })
  const printed = printedName(kind, object.metadata.name)
  if (current.code === 404) {
    const created = client.send({
      method: 'POST',
      path: client.path(kind, namespace),
      query: { fieldManager: 'kubectl-client-side-apply', fieldValidation: 'Strict' },
      body: modified
    })
    if (created.code >= 400) throw statusError(created)
    return { printed, outcome: 'created' }
  }
  if (current.code >= 400) throw statusError(current)
  const existing = current.body as KubeObject
  const before = existing.metadata.annotations?.[LAST_APPLIED]
  const original = before === undefined ? {} : (JSON.parse(before) as JsonObject)
  const patch = threeWayMergePatch(original, asJson(modified), asJson(existing))
  if (Object.keys(patch).length === 0) return { printed, outcome: 'unchanged' }
  const patched = client.send({
    method: 'PATCH',
    path,
    query: { fieldManager: 'kubectl-client-side-apply', fieldValidation: 'Strict' },
    headers: { 'content-type': 'application/merge-patch+json' },
    body: patch
  })
  if (patched.code >= 400) throw statusError(patched)
  const same = (patched.body as KubeObject).metadata.resourceVersion === existing.metadata.resourceVersion
  return { printed, outcome: same ? 'unchanged' : 'configured' }
}

/** The resource of an object, or kubectl's complaint that there is none. */
export function kindOf(client: KubeClient, object: KubeObject): ResourceKind {
  if (typeof object.kind !== 'string' || typeof object.apiVersion !== 'string') {
    throw new KubectlError('error: error validating data: [apiVersion not set, kind not set]')
  }
  const kind = client.resourceOfObject(object.apiVersion, object.kind)
  if (kind === undefined) {
    throw new KubectlError(
      `error: resource mapping not found for name: "${object.metadata?.name ?? ''}" namespace: "${object.metadata?.namespace ?? ''}": no matches for kind "${object.kind}" in version "${object.apiVersion}"\nensure CRDs are installed first`
    )
  }
  return kind
}

function withLastApplied(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object
  const annotations = { ...object.metadata.annotations }
  delete annotations[LAST_APPLIED]
  const bare = { ...rest, metadata: { ...object.metadata, annotations } }
  return {
    ...bare,
    metadata: { ...bare.metadata, annotations: { ...annotations, [LAST_APPLIED]: `${stableStringify(bare)}\n` } }
  }
}

function asJson(object: KubeObject): JsonObject {
  return JSON.parse(JSON.stringify(object)) as JsonObject
}

/** A JSON merge patch that makes `current` hold what `modified` says and drops what only `original` said. */
export function threeWayMergePatch(original: JsonObject, modified: JsonObject, current: JsonObject): JsonObject {
  const patch: JsonObject = {}
  for (const [field, value] of Object.entries(modified)) {
    const there = current[field]
    if (isObject(value) && isObject(there)) {
      const before = original[field]
      const inner = threeWayMergePatch(isObject(before) ? before : {}, value, there)
      if (Object.keys(inner).length > 0) patch[field] = inner
    } else if (!covers(there, value)) patch[field] = value
  }
  for (const field of Object.keys(original)) {
    if (!(field in modified) && field in current) patch[field] = null
  }
  return patch
}

/** Whether what is there already says what is wanted; fields the server filled in inside lists do not count. */
function covers(there: JsonValue | undefined, wanted: JsonValue): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((item, index) => covers(there[index], item))
    )
  }
  if (isObject(wanted)) {
    return isObject(there) && Object.entries(wanted).every(([field, value]) => covers(there[field], value))
  }
  return there === wanted || (wanted === null && there === undefined)
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
