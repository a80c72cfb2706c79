import { badRequestStatus, expiredStatus, statusFailure } from '../../lib/apimachinery/index.ts'
import type { ApiResponse, KubeObject } from '../../kinds/index.ts'
import { fromStorage } from './conversion.ts'
import { storedObject, type ResourceCall } from './core.ts'
import { negotiate } from './media-type.ts'
import { parseResourceVersion, readListOptions, type ListOptions } from './option-validation.ts'
import { refuse } from './refusal.ts'
import { transformList, transformObject } from './representation.ts'
import { readSelection } from './selection.ts'
import { refusedAnswer } from './refused-answer.ts'
import { missingStatus } from './update.ts'
import { warnDeprecation } from './warnings.ts'

/**
 * Handles a GET of one object.
 * @param call - the request
 */
export function handleGet(call: ResourceCall): ApiResponse {
  const representation = negotiate(call.request.headers?.['accept'])
  parseResourceVersion(call.query['resourceVersion'] ?? '')
  const object = storedObject(call)
  const { warnings } = call
  // No exception: controllers look for what is not there all the time.
  if (object === undefined)
    return refusedAnswer(missingStatus(call), call.request.headers?.['accept'], warnings.headers())
  warnDeprecation(call, warnings)
  return transformObject(call, representation, object, { code: 200, warnings })
}

/**
 * Handles a GET of a collection.
 * @param call - the request
 */
export function handleList(call: ResourceCall): ApiResponse {
  const representation = negotiate(call.request.headers?.['accept'])
  const options = readListOptions(call.query)
  const selection = readSelection(call)
  const page = readPage(call, options)
  const { limit } = options
  const items: KubeObject[] = []
  let last: KubeObject | undefined
  let index = page.start
  const most = limit > 0 ? limit : Number.POSITIVE_INFINITY
  for (; index < page.objects.length && items.length < most; index++) {
    const object = page.objects[index]
    if (object === undefined || !selection.matches(object)) continue
    items.push(fromStorage(call.info, object))
    last = object
  }
  const rest = limit > 0 ? page.objects.slice(index) : []
  const isMore = limit > 0 && items.length === limit && rest.length > 0 && !selection.isSingle
  const metadata: Record<string, unknown> = { resourceVersion: String(page.revision) }
  if (isMore && last !== undefined) {
    metadata['continue'] = continueToken(call, page.revision, last)
    // The number of what is left is known only where nothing is filtered.
    if (selection.isEverything) metadata['remainingItemCount'] = rest.length
  }
  const { warnings } = call
  warnDeprecation(call, warnings)
  return transformList(call, representation, { items, metadata }, warnings)
}

interface Page {
  readonly objects: readonly KubeObject[]
  readonly start: number
  readonly revision: number
}

function readPage(call: ResourceCall, options: ListOptions): Page {
  const { store } = call.core
  const { storage, namespaced } = call.info
  const namespace = namespaced ? call.path.namespace : undefined
  if (options.continueToken !== '') return continuedPage(call, options, namespace)
  const wanted = parseResourceVersion(options.resourceVersion, 'list')
  if (wanted > store.revision) refuse(tooLarge(wanted, store.revision))
  if (options.match === 'Exact') {
    if (wanted < store.compacted) refuse(expiredStatus('The resourceVersion for the provided list is too old.'))
    return { objects: store.listAt(storage, namespace, wanted), start: 0, revision: wanted }
  }
  return { objects: store.list(storage.group, storage.resource, namespace), start: 0, revision: store.revision }
}

/** Only so many seconds are spent waiting for a version; here none, since nothing lags behind. */
function tooLarge(wanted: number, current: number): ReturnType<typeof statusFailure> {
  return statusFailure(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1
  })
}

interface ContinueToken {
  readonly v: string
  readonly rv: number
  readonly start: string
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

function continueToken(call: ResourceCall, revision: number, last: KubeObject): string {
  const namespace = call.path.namespace === undefined ? '' : `${call.path.namespace}/`
  const key = keyOf(last)
  const start = namespace !== '' && key.startsWith(namespace) ? key.slice(namespace.length) : key
  const token: ContinueToken = { v: 'meta.k8s.io/v1', rv: revision, start: `${start}\u0000` }
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

function continuedPage(call: ResourceCall, options: ListOptions, namespace: string | undefined): Page {
  if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
    refuse(badRequestStatus('specifying resource version is not allowed when using continue'))
  }
  const token = parseToken(options.continueToken)
  const { store } = call.core
  if (token.rv < store.compacted) refuse(expiredContinue())
  const objects = store.listAt(call.info.storage, namespace, token.rv)
  const after = token.start.replace(/\u0000$/, '')
  const key = namespace === undefined ? after : `${namespace}/${after}`
  const found = objects.findIndex((object) => keyOf(object) > key)
  return { objects, start: found === -1 ? objects.length : found, revision: token.rv }
}

function expiredContinue(): ReturnType<typeof expiredStatus> {
  return expiredStatus(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.'
  )
}

function parseToken(text: string): ContinueToken {
  const decoded = Buffer.from(text, 'base64url')
  const invalid = (why: string): never =>
    refuse(badRequestStatus(`invalid continue token: continue key is not valid: ${why}`))
  if (!/^[A-Za-z0-9_-]*$/.test(text)) {
    return invalid(`illegal base64 data at input byte ${text.search(/[^A-Za-z0-9_-]/)}`)
  }
  const parsed = parseTokenText(decoded)
  if (typeof parsed === 'string') return invalid(parsed)
  if (parsed.v !== 'meta.k8s.io/v1') return invalid(`server does not recognize this encoded version "${parsed.v}"`)
  if (parsed.start === '') return invalid('encoded start key empty (version meta.k8s.io/v1)')
  return parsed
}

function parseTokenText(decoded: Buffer): ContinueToken | string {
  try {
    return JSON.parse(decoded.toString('utf8')) as ContinueToken
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // Go looks at bytes, not at characters.
    const byte = decoded[0] ?? 0
    const char = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\u${byte.toString(16).padStart(4, '0')}`
    return `invalid character '${char}' looking for beginning of value`
  }
}
