import type { ServerResponse } from 'node:http'
import type { Tags } from 'yaml'
import type { ApiRequest, ApiResponse, KubeStatus } from '../../kinds/index.ts'
import { yaml } from './yaml.ts'

/** What the wire needs of an API server. */
export interface WireApi {
  handle(request: ApiRequest): ApiResponse
  /** Whether a request is a watch; absent: judged by its query. */
  isWatch?(request: ApiRequest): boolean
  openWatch(
    request: ApiRequest,
    onEvent: (event: { readonly type: string; readonly object: unknown }) => void
  ): ApiResponse | { close(): void }
}

/** Sends a complete answer. */
export function sendAnswer(response: ServerResponse, answer: ApiResponse): void {
  const isText = typeof answer.body === 'string'
  const text = bodyBytes(answer)
  response.statusCode = answer.code
  response.setHeader('content-type', isText ? 'text/plain; charset=utf-8' : 'application/json')
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    response.setHeader(name, typeof value === 'string' ? value : [...value])
  }
  response.setHeader('content-length', Buffer.byteLength(text))
  response.end(text)
}

function bodyBytes(answer: ApiResponse): string | Uint8Array {
  if (typeof answer.body === 'string' || answer.body instanceof Uint8Array) return answer.body
  if (answer.headers?.['content-type'] !== 'application/yaml') return `${JSON.stringify(answer.body)}\n`
  return yaml().stringify(answer.body, {
    // Texts that are times, numbers or booleans to YAML 1.1 are quoted, as Go's encoder does.
    version: '1.1',
    customTags: withoutDot,
    sortMapEntries: true,
    lineWidth: 0,
    indentSeq: false,
    aliasDuplicateObjects: false
  })
}

/** A lone dot, which managed fields have, is a number to the library and a text to Go. */
function withoutDot(tags: Tags): Tags {
  const test = /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+)$/
  return tags.map((tag) =>
    typeof tag === 'object' && tag.collection === undefined && tag.test?.test('.') === true ? { ...tag, test } : tag
  )
}

/** Sends a Status with its own code. */
export function sendStatus(response: ServerResponse, refusal: KubeStatus): void {
  sendAnswer(response, { code: refusal.code ?? 500, body: refusal })
}

/** Longest time a watch stays open when the client names none; client-go asks for 5 to 10 minutes. */
const WATCH_SECONDS_DEFAULT = 3600

/** Options of one watch stream. */
export interface WatchStream {
  readonly api: WireApi
  readonly request: ApiRequest
  readonly response: ServerResponse
  /** Called before an event is written. */
  readonly onEvent: (resourceVersion: string) => void
}

/** Streams watch events, one JSON document a line, until the client leaves or its time-out has passed. */
export function streamWatch(watch: WatchStream): void {
  const { response } = watch
  const early: string[] = []
  let open = false
  const write = (line: string): void => {
    if (open) response.write(line)
    else early.push(line)
  }
  const opened = watch.api.openWatch(watch.request, (event) => {
    watch.onEvent(resourceVersionOf(event.object))
    write(`${JSON.stringify(event)}\n`)
  })
  if (!('close' in opened)) return sendAnswer(response, opened)
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
  response.flushHeaders()
  open = true
  if (early.length > 0) response.write(early.join(''))
  // Zero means that the client names no time, as upstream.
  const seconds = Number(watch.request.query?.['timeoutSeconds'] ?? 0) || WATCH_SECONDS_DEFAULT
  const timer = setTimeout(() => response.end(), Math.min(Math.max(seconds, 1), 86_400) * 1000)
  timer.unref()
  response.on('close', () => {
    clearTimeout(timer)
    opened.close()
  })
}

function resourceVersionOf(object: unknown): string {
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return ''
  const { metadata } = object
  if (typeof metadata !== 'object' || metadata === null || !('resourceVersion' in metadata)) return ''
  return String(metadata.resourceVersion)
}
