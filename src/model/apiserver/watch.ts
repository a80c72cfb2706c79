import { expiredStatus } from '../../lib/apimachinery/index.ts'
import type { ApiChange, ApiResponse, KubeObject } from '../../kinds/index.ts'
import { fromStorage } from './conversion.ts'
import type { ResourceCall } from './core.ts'
import { negotiate, type Representation } from './media-type.ts'
import { parseResourceVersion, readListOptions, type ListOptions } from './option-validation.ts'
import { answerHeaders, transformedObject } from './representation.ts'
import { readSelection, type Selection } from './selection.ts'
import { warnDeprecation } from './warnings.ts'

/** One event of a watch stream. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: unknown
}

/** An open watch. */
export interface OpenWatch {
  /** Ends the stream. */
  close(): void
  /** Seconds after which the client wants it to end; undefined: never. */
  readonly timeoutSeconds?: number
  /** Headers of the answer: content type and warnings. */
  readonly headers: NonNullable<ApiResponse['headers']>
  /** Sends a bookmark with the newest version, where the client takes bookmarks; a world calls it now and then. */
  bookmark(): void
}

interface Stream {
  readonly call: ResourceCall
  readonly representation: Representation
  readonly selection: Selection
  readonly emit: (event: WatchEvent, resourceVersion: string) => void
  isFirst: boolean
}

/** Called with each event and the resource version of its object. */
export type OnWatchEvent = (event: WatchEvent, resourceVersion: string) => void

/**
 * Opens a watch: replays what happened since the given version, then follows.
 * @param call - the request
 * @param onEvent - called synchronously, during this call for what is replayed
 * @throws Refusal for invalid options
 */
export function openWatch(call: ResourceCall, onEvent: OnWatchEvent): OpenWatch {
  const representation = negotiate(call.request.headers?.['accept'])
  const options = readListOptions({ ...call.query, watch: '1' })
  const selection = readSelection(call)
  const since = parseResourceVersion(options.resourceVersion)
  const { warnings } = call
  warnDeprecation(call, warnings)
  const { store } = call.core
  const stream: Stream = { call, representation, selection, emit: onEvent, isFirst: true }
  // Changes made by a listener during the replay must come after it.
  const waiting: ApiChange[] = []
  let isReplaying = true
  let isClosed = false
  const unsubscribe = store.subscribe((change) => {
    if (isClosed) return
    if (isReplaying) waiting.push(change)
    else deliver(stream, change)
  }, call.info.storage)
  const isExpired = replay(stream, options, since)
  isReplaying = false
  for (const change of waiting) deliver(stream, change)
  const close = (): void => {
    isClosed = true
    unsubscribe()
  }
  if (isExpired) close()
  return {
    close,
    headers: answerHeaders(representation, warnings),
    bookmark: () => {
      if (!isClosed && options.allowBookmarks) sendBookmark(stream, false)
    },
    ...(options.timeoutSeconds === undefined ? {} : { timeoutSeconds: options.timeoutSeconds })
  }
}

/** Sends what the client has not seen; true when that is no longer known. */
function replay(stream: Stream, options: ListOptions, since: number): boolean {
  const { store } = stream.call.core
  const startsWithState = options.sendInitialEvents ?? since === 0
  if (startsWithState) {
    sendState(stream)
    if (options.sendInitialEvents === true && options.allowBookmarks) sendBookmark(stream, true)
    return false
  }
  if (since !== 0 && since < store.compacted) {
    const message = `too old resource version: ${since} (${store.compacted})`
    stream.emit({ type: 'ERROR', object: expiredStatus(message) }, String(store.revision))
    return true
  }
  if (since !== 0) for (const { change } of store.since(since)) deliver(stream, change)
  return false
}

function sendState(stream: Stream): void {
  const { storage, namespaced } = stream.call.info
  const namespace = namespaced ? stream.call.path.namespace : undefined
  for (const object of stream.call.core.store.list(storage.group, storage.resource, namespace)) {
    if (stream.selection.matches(object)) send(stream, 'ADDED', object)
  }
}

/** A change as one client sees it: an object that begins or ceases to match is added or deleted for it. */
function deliver(stream: Stream, change: ApiChange): void {
  const { info, path } = stream.call
  if (change.resource !== info.storage.resource || change.group !== info.storage.group) return
  if (info.namespaced && path.namespace !== undefined && change.object.metadata.namespace !== path.namespace) return
  const matches = change.type !== 'DELETED' && stream.selection.matches(change.object)
  const matched = change.previous !== undefined && stream.selection.matches(change.previous)
  if (matches) send(stream, matched ? 'MODIFIED' : 'ADDED', change.object)
  else if (matched) send(stream, 'DELETED', lastSeen(change))
}

/** The last state that matched, with the version of the change that ended it. */
function lastSeen(change: ApiChange): KubeObject {
  if (change.type === 'DELETED' || change.previous === undefined) return change.object
  const resourceVersion = change.object.metadata.resourceVersion ?? ''
  return { ...change.previous, metadata: { ...change.previous.metadata, resourceVersion } }
}

function send(stream: Stream, type: WatchEvent['type'], stored: KubeObject): void {
  const object = fromStorage(stream.call.info, stored)
  let body = transformedObject(stream.call, stream.representation, object)
  // Only the first table of a stream carries its columns.
  if (stream.representation.as === 'Table' && !stream.isFirst) body = { ...(body as object), columnDefinitions: null }
  stream.isFirst = false
  stream.emit({ type, object: body }, object.metadata.resourceVersion ?? '')
}

function sendBookmark(stream: Stream, isInitialEnd: boolean): void {
  const { info, core } = stream.call
  const resourceVersion = String(core.store.revision)
  const annotations = isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  const metadata = { resourceVersion, ...annotations }
  const object = { kind: info.kind, apiVersion: info.apiVersion, metadata }
  const body =
    stream.representation.as === undefined
      ? object
      : transformedObject(stream.call, stream.representation, object as unknown as KubeObject)
  stream.emit({ type: 'BOOKMARK', object: body }, resourceVersion)
}
