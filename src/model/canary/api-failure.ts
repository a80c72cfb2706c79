import type { ApiResponse, KubeObject } from '../../kinds/index.ts'
import { StepFailed } from './failure.ts'
import { goJsonError, goTypeOf } from '../../lib/golang/index.ts'
import type { Resource } from './objects.ts'
import { quoteGo } from './go-format.ts'

/** Which request was answered. */
export interface ApiCall {
  /** Lower-case HTTP method. */
  readonly verb: string
  readonly kind: Resource
  /** Name in the path; `''` for a creation. */
  readonly name: string
}

/** Reasons that count whatever the status code is. */
const KNOWN_REASONS: ReadonlySet<string> = new Set([
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'AlreadyExists',
  'Conflict',
  'Gone',
  'Invalid',
  'ServerTimeout',
  'StorageReadError',
  'Timeout',
  'TooManyRequests',
  'BadRequest',
  'MethodNotAllowed',
  'NotAcceptable',
  'RequestEntityTooLarge',
  'UnsupportedMediaType',
  'InternalError',
  'Expired',
  'ServiceUnavailable'
])

/** Reason and words by status code, of an answer that is no Status. `''`: the server's own text. */
const GENERIC: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  403: ['Forbidden', ''],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  406: ['NotAcceptable', ''],
  409: ['Conflict', 'the server reported a conflict'],
  415: ['UnsupportedMediaType', ''],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: [
    'Timeout',
    'the server was unable to return a response in the time allotted, but may still be processing the request'
  ]
}

/** What client-go decodes first. */
const TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/**
 * The object of a successful answer, or what client-go's typed clients say where they cannot decode it.
 * @see k8s.io/apimachinery pkg/runtime/serializer/json Decode; k8s.io/client-go rest/request.go Into v0.36.2
 */
export function objectOfResponse({ code, body }: ApiResponse): KubeObject | StepFailed {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    const object = body as Partial<KubeObject>
    if (object.kind === undefined) return new StepFailed(`Object 'Kind' is missing in '${JSON.stringify(body)}'`)
    return (object.metadata === undefined ? { ...object, metadata: { name: '' } } : object) as KubeObject
  }
  if (body === undefined || body === '')
    return new StepFailed(`0-length response with status code: ${code} and content type: application/json`)
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const error = goJsonError(text) ?? `json: cannot unmarshal ${goTypeOf(body)} into Go value of type ${TYPE_META}`
  return new StepFailed(`couldn't get version/kind; json parse error: ${error}`)
}

/**
 * Text and reason of an unsuccessful answer: those of its Status, else client-go's own words for the code.
 * @see k8s.io/apimachinery pkg/api/errors NewGenericServerResponse, reasonAndCodeForError v0.36.2
 */
export function failureOfResponse({ code, body }: ApiResponse, call: ApiCall): StepFailed {
  if (typeof body === 'string') return generic(code, body.trim(), call)
  const { kind, message = '', reason = '' } = (body ?? {}) as { kind?: string; message?: string; reason?: string }
  if (code === 0) return new StepFailed(message, { reason })
  if (kind !== 'Status') return generic(code, 'unknown', call)
  return new StepFailed(message, { reason: effectiveReason(reason, code) })
}

/** An unknown reason is overruled by the code where client-go looks at both. */
function effectiveReason(reason: string, code: number): string {
  if (KNOWN_REASONS.has(reason)) return reason
  if (code === 404) return 'NotFound'
  return code === 409 ? 'Conflict' : reason
}

function generic(code: number, text: string, { verb, kind, name }: ApiCall): StepFailed {
  const [reason, words] = GENERIC[code] ?? [code >= 500 ? 'InternalError' : '', fallback(code, text)]
  const resource = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
  const place = name === '' ? `${verb} ${resource}` : `${verb} ${resource} ${name}`
  const isCreation = code === 409 && verb === 'post'
  return new StepFailed(`${words || text} (${place})`, { reason: isCreation ? 'AlreadyExists' : reason })
}

function fallback(code: number, text: string): string {
  if (code >= 500) return `an error on the server (${quoteGo(text)}) has prevented the request from succeeding`
  return `the server responded with the status code ${code} but did not return more information`
}
