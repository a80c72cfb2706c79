import {
  badRequestStatus,
  goQuote,
  isJsonMap,
  takenOver,
  unsupportedMediaTypeStatus
} from '../../lib/apimachinery/index.ts'
import { builtinDefinitionName } from './builtin/index.ts'
import type { Duplicates } from './decoding-walk.ts'
import type { ApiRequest } from '../../kinds/index.ts'
import { parseJsonText } from './json-text.ts'
import { refuse } from './refusal.ts'
import { typeTree, type TypeNode } from './type-tree.ts'
import { decodeTyped } from './typed-decoding.ts'

/** A parsed body. */
export interface ParsedBody {
  readonly value: unknown
  readonly duplicates?: Duplicates
  /** The value is its sender's, who may go on changing it. */
  readonly isBorrowed?: boolean | undefined
  /** The value is nobody else's. */
  readonly isGiven?: boolean | undefined
}

/** A decoded object with what a strict decoder complains about. */
export interface DecodedObject {
  readonly object: Record<string, unknown>
  readonly strict: readonly string[]
}

/** Group, version and kind an endpoint expects. */
export interface ExpectedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Custom resources are not decoded into types. */
  readonly isCustom: boolean
}

const ACCEPTED = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
const EXCERPT_LENGTH = 30

/**
 * Refuses bodies of media types the server does not decode.
 * @param request - the request
 */
export function checkBodyType(request: ApiRequest): void {
  const header = request.headers?.['content-type']
  if (header === undefined || header === 'application/json') return
  const type = header.split(';')[0]?.trim() ?? ''
  if (type === '' || type === 'application/json' || type === 'application/yaml' || type === '*/*') return
  const accepted = `accepted media types include: ${ACCEPTED}`
  refuse(unsupportedMediaTypeStatus(`the body of the request was in an unknown format - ${accepted}`))
}

/**
 * Parses the body of a write.
 * @param request - the request
 * @param kind - expected kind, for the message
 * @param stored - object that the body replaces: what equals it becomes the same parts
 */
export function parseBody(request: ApiRequest, kind: string, stored?: unknown): ParsedBody {
  const parsed = readBody(request, kind)
  // Repeated names are known by the parts of the text they were in.
  return parsed.duplicates === undefined || parsed.duplicates.size === 0
    ? { value: takenOver(parsed.value, stored, request.isGiven) }
    : parsed
}

/**
 * Like {@link parseBody}, for those who copy what they keep.
 * @param request - the request
 * @param kind - expected kind, for the message
 */
export function readBody(request: ApiRequest, kind: string): ParsedBody {
  const { body, isGiven = false } = request
  if (request.bodyText === undefined) return isGiven ? { value: body, isGiven } : { value: body, isBorrowed: true }
  if (request.bodyError !== undefined) return refuseUndecoded(request.bodyText, kind, request.bodyError)
  if (request.bodyText === '') return { value: {} }
  const parsed = parseJsonText(request.bodyText)
  if (parsed.ok) {
    if (!isJsonMap(parsed.value) && parsed.value !== null) return refuseShape(request.bodyText, kind, parsed.value)
    return parsed
  }
  return refuseText(request.bodyText, kind, parsed.message)
}

function refuseShape(text: string, kind: string, value: unknown): never {
  const found = Array.isArray(value) ? 'array' : typeof value
  const type = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`
  return refuseText(text, kind, `json: cannot unmarshal ${found} into Go value of type ${type}`)
}

function refuseText(text: string, kind: string, error: string): never {
  return refuseUndecoded(text, kind, `couldn't get version/kind; json parse error: ${error}`)
}

/** What kept the body from being decoded, with its beginning: JSON as it is, anything else in hexadecimal. */
function refuseUndecoded(text: string, kind: string, problem: string): never {
  const isJson = text.trimStart().startsWith('{')
  const excerpt = text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)} ...` : text
  const hex = Buffer.from(text).subarray(0, EXCERPT_LENGTH).toString('hex')
  const shown = isJson ? excerpt : `${hex}${text.length > EXCERPT_LENGTH ? ' ...' : ''}`
  return refuse(
    badRequestStatus(`the object provided is unrecognized (must be of type ${kind}): ${problem} (${shown})`)
  )
}

/**
 * Checks apiVersion and kind of a body against what an endpoint expects; absent ones are filled in.
 * @param body - parsed body
 * @param expected - kind of the endpoint
 */
export function withExpectedKind(body: unknown, expected: ExpectedKind): Record<string, unknown> {
  const object = isJsonMap(body) ? body : {}
  const apiVersion = expected.group === '' ? expected.version : `${expected.group}/${expected.version}`
  const givenVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : ''
  const givenKind = typeof object['kind'] === 'string' ? object['kind'] : ''
  if (givenVersion === apiVersion && givenKind === expected.kind) return object
  if ((givenVersion === '' || givenVersion === apiVersion) && (givenKind === '' || givenKind === expected.kind)) {
    return { ...object, apiVersion, kind: expected.kind }
  }
  return refuse(
    badRequestStatus(wrongKindMessage(givenVersion === '' ? apiVersion : givenVersion, givenKind, expected))
  )
}

function wrongKindMessage(givenVersion: string, givenKind: string, expected: ExpectedKind): string {
  const kind = givenKind === '' ? expected.kind : givenKind
  const [version = ''] = givenVersion.split('/').toReversed()
  if (expected.isCustom) {
    const wanted = `${expected.group === '' ? '' : `${expected.group}/`}${expected.version}, Kind=${expected.kind}`
    return kind === expected.kind
      ? `the API version in the data (${givenVersion}) does not match the expected API version (${expected.group}/${expected.version})`
      : `the kind in the data (${givenVersion}, Kind=${kind}) does not match the expected kind (${wanted})`
  }
  return `${kind} in version ${goQuote(version)} cannot be handled as a ${expected.kind}: ${wrongKind(givenVersion, kind, expected)}`
}

/**
 * Why an object of one kind is none of another.
 * @param givenVersion - apiVersion of the object
 * @param kind - its kind
 * @param expected - kind of the endpoint
 */
export function wrongKind(givenVersion: string, kind: string, expected: ExpectedKind): string {
  const [version = '', group = ''] = givenVersion.split('/').toReversed()
  if (builtinDefinitionName(group, version, kind) !== undefined) {
    const internal = expected.group === '' ? 'core' : (expected.group.split('.')[0] ?? '')
    return `converting (${version}.${kind}) to (${internal}.${expected.kind}): unknown conversion`
  }
  return `no kind ${goQuote(kind)} is registered for version ${goQuote(givenVersion)} in scheme "pkg/runtime/scheme.go:111"`
}

/** How an object is decoded. */
export interface DecodeOptions {
  /** Repeated names of the parsed text. */
  readonly duplicates?: Duplicates | undefined
  /** The stored object in the expected version: parts of it that come back need no decoding. */
  readonly stored?: Readonly<Record<string, unknown>> | undefined
  /** The object is its sender's: what is kept of it is copied. Custom resources must not be. */
  readonly isBorrowed?: boolean | undefined
  /** The object may be changed and frozen. */
  readonly isGiven?: boolean | undefined
  /** May refuse in other words than those of a create. */
  readonly onFailure?: (failure: string, converterFailure: string) => void
}

/**
 * Decodes an object into the built-in type of its kind; kinds without a known type pass unchanged.
 * @param object - object with apiVersion and kind
 * @param expected - kind of the endpoint
 * @param options - see {@link DecodeOptions}
 */
export function decodeObject(
  object: Record<string, unknown>,
  expected: ExpectedKind,
  options: DecodeOptions = {}
): DecodedObject {
  const { onFailure } = options
  if (expected.isCustom) return decodeCustom(object, expected, options)
  const { value, strict, failure, converterFailure = '' } = decodeTyped(object, typeOf(expected), options)
  if (failure !== undefined) {
    onFailure?.(failure, converterFailure)
    refuse(badRequestStatus(`${undecodable(expected)}: ${failure}`))
  }
  return { object: value as Record<string, unknown>, strict }
}

const ANY_OBJECT: TypeNode = { type: 'any' }

/** Types by endpoint: a name that is put together anew costs more to look up than all else. */
const TYPES = new WeakMap<ExpectedKind, TypeNode>()

function typeOf(expected: ExpectedKind): TypeNode {
  const known = TYPES.get(expected)
  if (known !== undefined) return known
  const name = builtinDefinitionName(expected.group, expected.version, expected.kind)
  const type = name === undefined ? ANY_OBJECT : typeTree(name)
  TYPES.set(expected, type)
  return type
}

/** Of a custom resource only the metadata has a Go type. */
const CUSTOM_METADATA = typeTree('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')

function decodeCustom(object: Record<string, unknown>, expected: ExpectedKind, options: DecodeOptions): DecodedObject {
  const { duplicates, stored, onFailure } = options
  const repeated = duplicateErrors(object, duplicates)
  const given = object['metadata']
  if (given === undefined || given === stored?.['metadata']) return { object, strict: repeated }
  if (given === null) return { object: { ...object, metadata: undefined }, strict: repeated }
  const { value, strict, failure, converterFailure = '' } = decodeTyped(given, CUSTOM_METADATA)
  if (failure !== undefined) {
    onFailure?.(failure, converterFailure)
    refuse(badRequestStatus(`${undecodable(expected)}: ${failure}`))
  }
  return {
    object: value === given ? object : { ...object, metadata: value },
    strict: [...repeated, ...strict.map((text) => text.replace(' field "', ' field "metadata.'))]
  }
}

function undecodable({ kind, version }: ExpectedKind): string {
  return `${kind} in version ${goQuote(version)} cannot be handled as a ${kind}`
}

function duplicateErrors(object: unknown, duplicates: Duplicates | undefined): string[] {
  if (duplicates === undefined || duplicates.size === 0) return []
  const found: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const [index, item] of value.entries()) visit(item, `${path}[${index}]`)
    if (!isJsonMap(value)) return
    for (const [key, member] of Object.entries(value)) {
      const at = path === '' ? key : `${path}.${key}`
      if (duplicates.get(value)?.includes(key) === true) found.push(`duplicate field ${goQuote(at)}`)
      visit(member, at)
    }
  }
  visit(object, '')
  return found
}
