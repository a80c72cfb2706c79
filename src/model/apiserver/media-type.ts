import { statusFailure } from '../../lib/apimachinery/index.ts'
import { refuse } from './refusal.ts'

/** The representation a client asked for. */
export interface Representation {
  readonly format: 'json' | 'yaml'
  /** Transform of meta.k8s.io: a table or metadata only. */
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** `v1` or `v1beta1` of meta.k8s.io. */
  readonly version: string
}

interface MediaRange {
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
}

const PLAIN: Representation = { format: 'json', version: 'v1' }
const MAX_RANGES = 32

/** Parses an Accept header, best first. */
export function parseAccept(header: string): MediaRange[] {
  return header.split(',').slice(0, MAX_RANGES).map(parseRange)
}

function parseRange(text: string): MediaRange {
  const [type = '', ...pairs] = text.split(';').map((part) => part.trim())
  const parameters: Record<string, string> = {}
  for (const pair of pairs) {
    const [key = '', value = ''] = pair.split('=')
    if (key !== '__proto__') parameters[key] = value
  }
  return { type: type.toLowerCase(), parameters }
}

/**
 * Chooses the representation of an answer (apiserver `negotiation.NegotiateOutputMediaType`).
 * @param accept - Accept header; absent: JSON
 */
export function negotiate(accept: string | undefined): Representation {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return PLAIN
  const ranges = parseAccept(accept)
  let transformRefused = false
  for (const { type, parameters } of ranges) {
    const format = formatOf(type)
    if (format === undefined) continue
    const { as, g, v } = parameters
    if (as === undefined) return { format, version: 'v1' }
    const isKnown = as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList'
    if (isKnown && g === 'meta.k8s.io' && (v === 'v1' || v === 'v1beta1')) return { format, as, version: v }
    transformRefused = true
  }
  return refuse(transformRefused ? transformNotAcceptable() : notAcceptable())
}

function formatOf(type: string): 'json' | 'yaml' | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json'
  return type === 'application/yaml' ? 'yaml' : undefined
}

function transformNotAcceptable(): ReturnType<typeof statusFailure> {
  const message =
    'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf'
  return statusFailure(406, 'NotAcceptable', message)
}

function notAcceptable(): ReturnType<typeof statusFailure> {
  const list =
    'application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch'
  return statusFailure(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${list}`, {})
}
