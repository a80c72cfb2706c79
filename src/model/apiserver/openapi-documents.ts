import { createHash } from 'node:crypto'
import { isJsonMap, unknownResourceStatus, type OpenApiSchema } from '../../lib/apimachinery/index.ts'
import type { ApiRequest, ApiResponse } from '../../kinds/index.ts'
import { BUILTIN_DEFINITIONS, builtinDefinitionName } from './builtin/index.ts'
import type { Core, Descriptions } from './core.ts'
import { customDefinitions, customNames } from './openapi-custom.ts'
import { encodeSwagger } from './openapi-protobuf.ts'
import { pathsOf, type DescribedResource } from './openapi-paths.ts'
import type { ResourceInfo } from './resources.ts'

const INFO = { title: 'Kubernetes', version: '1.36' }
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const SECURITY = {
  BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' }
}
const REFERENCE = /"#\/components\/schemas\/([^"]+)"/g

/** Documents of built-in groups never change; they are large, so their text is kept. */
const BUILTIN_TEXTS = new WeakMap<object, Map<string, string>>()
const NO_DESCRIPTIONS: Descriptions = () => undefined

/**
 * Answers `/openapi/v2` and `/openapi/v3…`.
 * @param core - the server
 * @param request - the request
 * @returns undefined for other paths
 */
export function openApiDocument(core: Core, request: ApiRequest): ApiResponse | undefined {
  const [, version, ...rest] = request.path.split('/').filter((part) => part !== '')
  if (version === 'v2' && rest.length === 0) return swaggerAnswer(core, request.headers?.['accept'] ?? '')
  if (version !== 'v3') return undefined
  if (rest.length === 0) return text(JSON.stringify(index(core)))
  const path = rest.join('/')
  if (!pathList(core).includes(path))
    return { code: 404, headers: { 'content-type': 'application/json' }, body: unknownResourceStatus() }
  return text(documentText(core, path))
}

const SWAGGER_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

function swaggerAnswer(core: Core, accept: string): ApiResponse {
  const document = swagger(core)
  if (!accept.includes('proto-openapi.spec.v2')) return text(JSON.stringify(document))
  return { code: 200, headers: { 'content-type': SWAGGER_TYPE }, body: encodeSwagger(document) }
}

function text(body: string): ApiResponse {
  return { code: 200, headers: { 'content-type': 'application/json' }, body }
}

function groupPath(info: ResourceInfo): string {
  return info.group === '' ? `api/${info.version}` : `apis/${info.group}/${info.version}`
}

function pathList(core: Core): string[] {
  const paths = new Set<string>(['.well-known/openid-configuration', 'api', 'apis', 'openid/v1/jwks', 'version'])
  for (const info of core.registry.all()) {
    if (info.group !== '') paths.add(`apis/${info.group}`)
    paths.add(groupPath(info))
  }
  return [...paths].sort()
}

function index(core: Core): Record<string, unknown> {
  const paths = pathList(core).map((path) => {
    const state = core.registry.custom().some((info) => groupPath(info) === path) ? core.store.revision : 0
    const hash = createHash('sha512').update(`${path} ${state}`).digest('hex').toUpperCase()
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }]
  })
  return { paths: Object.fromEntries(paths) }
}

function documentText(core: Core, path: string): string {
  const resources = core.registry.all().filter((info) => groupPath(info) === path)
  if (resources.some((info) => info.crd !== undefined)) return JSON.stringify(document(core, path, resources))
  const describe = core.descriptions ?? NO_DESCRIPTIONS
  let texts = BUILTIN_TEXTS.get(describe)
  if (texts === undefined) BUILTIN_TEXTS.set(describe, (texts = new Map()))
  let known = texts.get(path)
  if (known === undefined) texts.set(path, (known = JSON.stringify(document(core, path, resources))))
  return known
}

function document(core: Core, path: string, resources: readonly ResourceInfo[]): Record<string, unknown> {
  const paths: Record<string, unknown> = {}
  const custom: Record<string, unknown> = {}
  const root = `/${path}`
  if (!resources.some((info) => info.crd !== undefined)) paths[`${root}/`] = discoveryItem(root)
  for (const info of resources) {
    Object.assign(paths, pathsOf(root, described(info)))
    if (info.crd !== undefined) Object.assign(custom, customDefinitions(info))
  }
  const schemas = { ...referenced(core, [paths, custom]), ...custom }
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: sorted(paths),
    components: { schemas: sorted(schemas), securitySchemes: SECURITY }
  }
}

function discoveryItem(root: string): Record<string, unknown> {
  const list =
    root.split('/').length > 3 || root === '/api/v1'
      ? 'APIResourceList'
      : root === '/apis'
        ? 'APIGroupList'
        : root === '/api'
          ? 'APIVersions'
          : 'APIGroup'
  const schema = { schema: { $ref: `#/components/schemas/${META}.${list}` } }
  const content = {
    'application/json': schema,
    'application/vnd.kubernetes.protobuf': schema,
    'application/yaml': schema
  }
  return { get: { responses: { '200': { description: 'OK', content }, '401': { description: 'Unauthorized' } } } }
}

function described(info: ResourceInfo): DescribedResource {
  if (info.crd !== undefined) {
    const names = customNames(info)
    return {
      info,
      names,
      subresourceName: (sub) => (sub.name === 'scale' ? 'io.k8s.api.autoscaling.v1.Scale' : names.object)
    }
  }
  const nameOf = (kind: string, group = info.group, version = info.version): string =>
    builtinDefinitionName(group, version, kind) ?? `${META}.Status`
  return {
    info,
    names: { object: nameOf(info.kind), list: nameOf(info.listKind) },
    subresourceName: (sub) => (sub.group === '' ? nameOf(sub.kind) : nameOf(sub.kind, sub.group, sub.version))
  }
}

/** Every definition that is reachable from a document. */
function referenced(core: Core, roots: readonly unknown[]): Record<string, OpenApiSchema> {
  const found: Record<string, OpenApiSchema> = {}
  const waiting = roots.flatMap((root) => referencesIn(root))
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const schema = BUILTIN_DEFINITIONS[name]
    if (schema === undefined || Object.hasOwn(found, name)) continue
    found[name] = withDescriptions(core.descriptions, name, schema)
    waiting.push(...referencesIn(schema))
  }
  return found
}

function referencesIn(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(REFERENCE)].map((match) => match[1] ?? '')
}

function withDescriptions(describe: Descriptions | undefined, name: string, schema: OpenApiSchema): OpenApiSchema {
  if (describe === undefined) return schema
  const own = describe(name)
  const properties = Object.entries(schema.properties ?? {}).map(([field, property]) => {
    const description = describe(name, field) ?? (field === 'metadata' ? metadataText(schema) : undefined)
    return [field, description === undefined ? property : { description, ...property }]
  })
  return {
    ...(own === undefined ? {} : { description: own }),
    ...schema,
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) as Record<string, OpenApiSchema> })
  }
}

const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'

/** The sentence every kind has for its metadata. */
function metadataText(schema: OpenApiSchema): string | undefined {
  const isList = schema.properties?.['items'] !== undefined
  if (schema['x-kubernetes-group-version-kind'] === undefined) return undefined
  return isList
    ? `Standard list metadata. More info: ${CONVENTIONS}#types-kinds`
    : `Standard object's metadata. More info: ${CONVENTIONS}#metadata`
}

function sorted<T>(map: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1)))
}

/** The v2 document: definitions with their kinds, without paths of operations. */
function swagger(core: Core): Record<string, unknown> {
  const definitions: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(BUILTIN_DEFINITIONS)) {
    definitions[name] = toSwagger(withDescriptions(core.descriptions, name, schema))
  }
  for (const info of core.registry.custom()) Object.assign(definitions, toSwagger(customDefinitions(info)))
  return { swagger: '2.0', info: INFO, paths: {}, definitions }
}

/** References in v2 have another root and stand alone; `allOf` around one of them is a form of v3. */
function toSwagger(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSwagger)
  if (typeof value === 'string') return value.replace('#/components/schemas/', '#/definitions/')
  if (!isJsonMap(value)) return value
  const { allOf, ...rest } = value
  const only = Array.isArray(allOf) && allOf.length === 1 && isJsonMap(allOf[0]) ? allOf[0] : undefined
  const source = only !== undefined && only['$ref'] !== undefined ? { ...rest, ...only } : value
  return Object.fromEntries(Object.entries(source).map(([key, member]) => [key, toSwagger(member)]))
}
