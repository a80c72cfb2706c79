import { keptOfFrozen } from '../../lib/memory/index.ts'
import type { ApiResponse, KubeObject } from '../../kinds/index.ts'
import { fromStorage } from './conversion.ts'
import type { ResourceCall } from './core.ts'
import type { Representation } from './media-type.ts'
import { buildTable, checkIncludeObject } from './tables.ts'
import type { Warnings } from './warnings.ts'

/** Code and warnings of an answer. */
export interface AnswerOptions {
  readonly code: number
  readonly warnings: Warnings
}

/** Items and list metadata. */
export interface ListContent {
  readonly items: readonly KubeObject[]
  readonly metadata: Readonly<Record<string, unknown>>
}

type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>

/** Headers that go with a representation and warnings. */
export function answerHeaders(representation: Representation, warnings: Warnings): AnswerHeaders {
  const list = warnings.headers()
  const plain = representation.format === 'yaml' ? YAML_HEADERS : JSON_HEADERS
  return list.length === 0 ? plain : { ...plain, warning: list }
}

const JSON_HEADERS: AnswerHeaders = Object.freeze({ 'content-type': 'application/json' })
const YAML_HEADERS: AnswerHeaders = Object.freeze({ 'content-type': 'application/yaml' })

/**
 * Answers with one object in the representation the client asked for.
 * @param call - the request
 * @param representation - negotiated
 * @param stored - object in the version of the storage
 * @param options - code and warnings
 */
export function transformObject(
  call: ResourceCall,
  representation: Representation,
  stored: KubeObject,
  options: AnswerOptions
): ApiResponse {
  const object = fromStorage(call.info, stored)
  return {
    code: options.code,
    headers: answerHeaders(representation, options.warnings),
    body: transformedObject(call, representation, object)
  }
}

/** The object itself, its metadata, or a table of one row. */
export function transformedObject(call: ResourceCall, representation: Representation, object: KubeObject): unknown {
  switch (representation.as) {
    case 'Table':
      checkIncludeObject(call.query['includeObject'])
      return buildTable(call, representation.version, [object], {
        resourceVersion: object.metadata.resourceVersion
      })
    case 'PartialObjectMetadata':
      return metadataOnly(object, representation.version)
    default:
      return object
  }
}

/** PartialObjectMetadata of an object. */
export function metadataOnly(object: KubeObject, version: string): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata }
}

/**
 * Answers with a list in the representation the client asked for.
 * @param call - the request
 * @param representation - negotiated
 * @param content - items of the served version and list metadata
 * @param warnings - of the request
 */
export function transformList(
  call: ResourceCall,
  representation: Representation,
  content: ListContent,
  warnings: Warnings
): ApiResponse {
  return { code: 200, headers: answerHeaders(representation, warnings), body: listBody(call, representation, content) }
}

function listBody(call: ResourceCall, representation: Representation, content: ListContent): unknown {
  const { items, metadata } = content
  if (representation.as === 'Table') {
    checkIncludeObject(call.query['includeObject'])
    return buildTable(call, representation.version, items, metadata)
  }
  if (representation.as !== undefined) {
    const parts = items.map((item) => metadataOnly(item, representation.version))
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: `meta.k8s.io/${representation.version}`,
      metadata,
      items: parts
    }
  }
  // Items of built-in lists carry no kind; those of custom resources do.
  const bare = call.info.crd === undefined ? items.map(withoutKind) : items
  // Lists of custom resources are unstructured and always carry `continue`.
  const own = call.info.crd === undefined ? metadata : { continue: '', ...metadata }
  return { kind: call.info.listKind, apiVersion: call.info.apiVersion, metadata: own, items: bare }
}

const withoutKind = keptOfFrozen(({ kind: _kind, apiVersion: _apiVersion, ...bare }: KubeObject) => bare)
