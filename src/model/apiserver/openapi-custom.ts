import { isJsonMap } from '../../lib/apimachinery/index.ts'
import type { ResourceInfo } from './resources.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const REF = '#/components/schemas/'
const API_VERSION_TEXT =
  'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources'
const KIND_TEXT =
  'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds'
const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'

/** Names of the definitions of a custom resource: its group's labels reversed, version, kind. */
export function customNames(info: ResourceInfo): { readonly object: string; readonly list: string } {
  const prefix = `${info.group.split('.').toReversed().join('.')}.${info.version}`
  return { object: `${prefix}.${info.kind}`, list: `${prefix}.${info.listKind}` }
}

/**
 * Definitions of a custom resource and its list (apiextensions `controller/openapi/builder`).
 * @param info - custom resource
 */
export function customDefinitions(info: ResourceInfo): Record<string, Record<string, unknown>> {
  const names = customNames(info)
  const schema: Record<string, unknown> = { ...info.crd?.schema }
  const isOpaque = schema['x-kubernetes-preserve-unknown-fields'] === true && schema['properties'] === undefined
  const own = isJsonMap(schema['properties']) ? schema['properties'] : {}
  const kinds = (kind: string): unknown => [{ group: info.group, kind, version: info.version }]
  const object = {
    ...schema,
    type: 'object',
    properties: {
      ...(isOpaque ? {} : own),
      apiVersion: { description: API_VERSION_TEXT, type: 'string' },
      kind: { description: KIND_TEXT, type: 'string' },
      metadata: {
        description: `Standard object's metadata. More info: ${CONVENTIONS}#metadata`,
        allOf: [{ $ref: `${REF}${META}.ObjectMeta` }]
      }
    },
    'x-kubernetes-group-version-kind': kinds(info.kind)
  }
  const list = {
    description: `${info.listKind} is a list of ${info.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { description: API_VERSION_TEXT, type: 'string' },
      items: {
        description: `List of ${info.resource}. More info: ${CONVENTIONS}`,
        type: 'array',
        items: { $ref: REF + names.object }
      },
      kind: { description: KIND_TEXT, type: 'string' },
      metadata: {
        description: `Standard list metadata. More info: ${CONVENTIONS}#types-kinds`,
        allOf: [{ $ref: `${REF}${META}.ListMeta` }]
      }
    },
    'x-kubernetes-group-version-kind': kinds(info.listKind)
  }
  return { [names.object]: object, [names.list]: list }
}
