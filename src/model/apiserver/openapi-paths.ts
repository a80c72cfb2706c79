import type { ResourceInfo, Subresource } from './resources.ts'

type Json = Record<string, unknown>

const REF = '#/components/schemas/'
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const MEDIA = ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml']
const CUSTOM_MEDIA = ['application/json', 'application/yaml']
const WATCH_MEDIA = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']
const LIST_PARAMETERS =
  'allowWatchBookmarks:boolean continue:string fieldSelector:string labelSelector:string limit:integer resourceVersion:string resourceVersionMatch:string sendInitialEvents:boolean shardSelector:string timeoutSeconds:integer watch:boolean'
const WRITE_PARAMETERS = 'dryRun:string fieldManager:string fieldValidation:string'
const DELETE_PARAMETERS =
  'dryRun:string gracePeriodSeconds:integer ignoreStoreReadErrorWithClusterBreakingPotential:boolean orphanDependents:boolean propagationPolicy:string'
const COLLECTION_PARAMETERS =
  'continue:string dryRun:string fieldSelector:string gracePeriodSeconds:integer ignoreStoreReadErrorWithClusterBreakingPotential:boolean labelSelector:string limit:integer orphanDependents:boolean propagationPolicy:string resourceVersion:string resourceVersionMatch:string sendInitialEvents:boolean shardSelector:string timeoutSeconds:integer'

/** Names of the definitions an operation refers to. */
interface OperationNames {
  readonly object: string
  readonly list: string
}

/** A resource whose paths are described. */
export interface DescribedResource {
  readonly info: ResourceInfo
  readonly names: OperationNames
  /** Definition of a sub-resource's kind. */
  subresourceName(sub: Subresource): string
}

function query(list: string): Json[] {
  return list.split(' ').map((text) => {
    const [name = '', type = ''] = text.split(':')
    return { name, in: 'query', schema: { type, uniqueItems: true } }
  })
}

function pathParameter(name: string): Json {
  return { name, in: 'path', required: true, schema: { type: 'string', uniqueItems: true } }
}

function content(media: readonly string[], name: string): Json {
  return Object.fromEntries(media.map((type) => [type, { schema: { $ref: REF + name } }]))
}

const WORDS: Readonly<Record<string, string>> = { '200': 'OK', '201': 'Created', '202': 'Accepted' }

function responses(codes: readonly string[], media: readonly string[], name: string): Json {
  const answers = codes.map((code) => [code, { description: WORDS[code], content: content(media, name) }])
  return { ...Object.fromEntries(answers), '401': { description: 'Unauthorized' } }
}

interface Operation {
  readonly action: string
  readonly verb: string
  readonly suffix: string
  readonly kind: Readonly<{ group: string; version: string; kind: string }>
  readonly parameters?: string
  readonly body?: Json
  readonly answers: Json
}

function tagOf(info: ResourceInfo): string {
  const group = info.group === '' ? 'core' : (info.group.split('.')[0] ?? '')
  return `${group}_${info.version}`
}

function pascal(text: string): string {
  return text
    .split(/[^A-Za-z0-9]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
}

function operation(info: ResourceInfo, scope: string, spec: Operation): Json {
  const group = info.group === '' ? 'Core' : pascal(info.group.replace(/\.k8s\.io$/, ''))
  return {
    tags: [
      info.crd === undefined
        ? tagOf(info)
        : `${pascal(info.group).replace(/^./, (first) => first.toLowerCase())}_${info.version}`
    ],
    operationId: `${spec.verb}${group}${pascal(info.version)}${scope}${info.kind}${spec.suffix}`,
    ...(spec.parameters === undefined ? {} : { parameters: query(spec.parameters) }),
    ...(spec.body === undefined ? {} : { requestBody: spec.body }),
    responses: spec.answers,
    'x-kubernetes-action': spec.action,
    'x-kubernetes-group-version-kind': spec.kind
  }
}

interface Shape {
  readonly resource: DescribedResource
  readonly media: readonly string[]
  readonly kind: { group: string; version: string; kind: string }
  readonly scope: string
}

function shapeOf(resource: DescribedResource): Shape {
  const { info } = resource
  return {
    resource,
    media: info.crd === undefined ? MEDIA : CUSTOM_MEDIA,
    kind: { group: info.group, version: info.version, kind: info.kind },
    scope: info.namespaced ? 'Namespaced' : ''
  }
}

function listMedia(shape: Shape): string[] {
  return shape.resource.info.crd === undefined ? [...shape.media, ...WATCH_MEDIA].toSorted() : [...shape.media]
}

function requestBody(shape: Shape, name: string): Json {
  const media = shape.resource.info.crd === undefined ? ['*/*'] : shape.media
  return { content: content(media, name), required: true }
}

function patchBody(shape: Shape): Json {
  const types = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json']
  if (shape.resource.info.crd === undefined) types.push('application/strategic-merge-patch+json')
  return { content: content(types, `${META}.Patch`), required: true }
}

function collectionItem(shape: Shape): Json {
  const { info, names } = shape.resource
  const { kind, media, scope } = shape
  const item: Json = {}
  const has = (verb: string): boolean => info.verbs.includes(verb)
  if (has('list')) {
    const answers = responses(['200'], listMedia(shape), names.list)
    item['get'] = operation(info, scope, {
      action: 'list',
      verb: 'list',
      suffix: '',
      kind,
      parameters: LIST_PARAMETERS,
      answers
    })
  }
  if (has('create')) {
    const answers = responses(['200', '201', '202'], media, names.object)
    const body = requestBody(shape, names.object)
    item['post'] = operation(info, scope, {
      action: 'post',
      verb: 'create',
      suffix: '',
      kind,
      parameters: WRITE_PARAMETERS,
      body,
      answers
    })
  }
  if (has('deletecollection')) {
    const answers = responses(['200'], media, `${META}.Status`)
    const body = info.crd === undefined ? { content: content(['*/*'], `${META}.DeleteOptions`) } : undefined
    item['delete'] = operation(info, `Collection${scope}`, {
      action: 'deletecollection',
      verb: 'delete',
      suffix: '',
      kind,
      parameters: info.crd === undefined ? COLLECTION_PARAMETERS : LIST_PARAMETERS,
      ...(body === undefined ? {} : { body }),
      answers
    })
  }
  item['parameters'] = pathParameters(info, false)
  return item
}

function pathParameters(info: ResourceInfo, isItem: boolean): Json[] {
  return [
    ...(isItem ? [pathParameter('name')] : []),
    ...(info.namespaced ? [pathParameter('namespace')] : []),
    { name: 'pretty', in: 'query', schema: { type: 'string', uniqueItems: true } }
  ]
}

interface Door {
  readonly shape: Shape
  readonly sub: Subresource | undefined
  /** Definition of what is read and written. */
  readonly name: string
  readonly kind: { group: string; version: string; kind: string }
  readonly suffix: string
}

function doorOf(shape: Shape, sub: Subresource | undefined): Door {
  const { info, names } = shape.resource
  const name = sub === undefined ? names.object : shape.resource.subresourceName(sub)
  const own = { ...shape.kind, kind: sub?.kind ?? info.kind }
  const kind = sub === undefined || sub.group === '' ? own : { group: sub.group, version: sub.version, kind: sub.kind }
  return { shape, sub, name, kind, suffix: sub === undefined ? '' : pascal(sub.name) }
}

function writeOperation(door: Door, action: 'post' | 'put', codes: readonly string[]): Json {
  const { shape, name, kind, suffix } = door
  const verb = action === 'post' ? 'create' : 'replace'
  const answers = responses(codes, shape.media, name)
  const body = requestBody(shape, name)
  const spec = { action, verb, suffix, kind, parameters: WRITE_PARAMETERS, body, answers }
  return operation(shape.resource.info, shape.scope, spec)
}

function readOperation({ shape, name, kind, suffix }: Door): Json {
  const { info } = shape.resource
  const parameters = info.crd === undefined ? {} : { parameters: 'resourceVersion:string' }
  const answers = responses(['200'], shape.media, name)
  return operation(info, shape.scope, { action: 'get', verb: 'read', suffix, kind, ...parameters, answers })
}

function deleteOperation({ shape, kind, suffix }: Door): Json {
  const { info } = shape.resource
  const answers = responses(['200', '202'], shape.media, `${META}.Status`)
  const body = { content: content(info.crd === undefined ? ['*/*'] : shape.media, `${META}.DeleteOptions`) }
  const spec = { action: 'delete', verb: 'delete', suffix, kind, parameters: DELETE_PARAMETERS, body, answers }
  return operation(info, shape.scope, spec)
}

function patchOperation({ shape, name, kind, suffix }: Door): Json {
  const { info } = shape.resource
  const answers = responses(info.crd === undefined ? ['200', '201'] : ['200'], shape.media, name)
  const parameters = `${WRITE_PARAMETERS} force:boolean`
  const spec = { action: 'patch', verb: 'patch', suffix, kind, parameters, body: patchBody(shape), answers }
  return operation(info, shape.scope, spec)
}

function objectItem(shape: Shape, sub?: Subresource): Json {
  const door = doorOf(shape, sub)
  const verbs = sub?.verbs ?? shape.resource.info.verbs
  const item: Json = {}
  if (verbs.includes('get')) item['get'] = readOperation(door)
  if (verbs.includes('create') && sub !== undefined) item['post'] = writeOperation(door, 'post', ['200', '201', '202'])
  if (verbs.includes('update')) item['put'] = writeOperation(door, 'put', ['200', '201'])
  if (verbs.includes('delete') && sub === undefined) item['delete'] = deleteOperation(door)
  if (verbs.includes('patch')) item['patch'] = patchOperation(door)
  item['parameters'] = pathParameters(shape.resource.info, true)
  return item
}

function watchItem(shape: Shape, isItem: boolean, isAll: boolean): Json {
  const { info } = shape.resource
  const answers = responses(['200'], listMedia(shape), `${META}.WatchEvent`)
  const scope = isAll ? '' : shape.scope
  const spec = {
    action: isItem ? 'watch' : 'watchlist',
    verb: 'watch',
    suffix: isItem ? '' : isAll ? 'ListForAllNamespaces' : 'List',
    kind: shape.kind,
    answers
  }
  return {
    get: operation(info, scope, spec),
    parameters: [
      ...query(LIST_PARAMETERS),
      ...pathParameters(info, isItem).filter((one) => !isAll || one['name'] === 'pretty')
    ]
  }
}

function connectItem(shape: Shape, sub: Subresource): Json {
  const { info } = shape.resource
  const kind = { ...shape.kind, kind: sub.kind }
  const answers = {
    '200': { description: 'OK', content: { '*/*': { schema: { type: 'string' } } } },
    '401': { description: 'Unauthorized' }
  }
  const connect = (method: string): Json =>
    operation(info, `${method}${shape.scope}`, {
      action: 'connect',
      verb: 'connect',
      suffix: pascal(sub.name),
      kind,
      answers
    })
  return { get: connect('Get'), post: connect('Post'), parameters: pathParameters(info, true) }
}

/** Sub-resources that are connections. */
const CONNECTIONS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy'])

/**
 * The OpenAPI v3 path items of a resource (apiserver `endpoints/installer.go`).
 * @param root - `/apis/apps/v1`
 * @param resource - with the names of its definitions
 */
export function pathsOf(root: string, resource: DescribedResource): Record<string, Json> {
  const { info } = resource
  const shape = shapeOf(resource)
  const base = info.namespaced ? `${root}/namespaces/{namespace}/${info.resource}` : `${root}/${info.resource}`
  const paths: Record<string, Json> = { [base]: collectionItem(shape) }
  if (info.verbs.includes('get')) paths[`${base}/{name}`] = objectItem(shape)
  if (info.namespaced && info.verbs.includes('list')) paths[`${root}/${info.resource}`] = everywhereItem(shape)
  for (const sub of info.subresources.values()) {
    paths[`${base}/{name}/${sub.name}`] = CONNECTIONS.has(sub.name) ? connectItem(shape, sub) : objectItem(shape, sub)
  }
  if (info.crd === undefined && info.verbs.includes('watch')) addWatchPaths(paths, root, shape)
  return paths
}

function everywhereItem(shape: Shape): Json {
  const { info, names } = shape.resource
  const answers = responses(['200'], listMedia(shape), names.list)
  const spec = { action: 'list', verb: 'list', suffix: 'ForAllNamespaces', kind: shape.kind, answers }
  const parameters = [
    ...query(LIST_PARAMETERS),
    { name: 'pretty', in: 'query', schema: { type: 'string', uniqueItems: true } }
  ]
  return { get: operation(info, '', spec), parameters }
}

function addWatchPaths(paths: Record<string, Json>, root: string, shape: Shape): void {
  const { info } = shape.resource
  const scoped = info.namespaced
    ? `${root}/watch/namespaces/{namespace}/${info.resource}`
    : `${root}/watch/${info.resource}`
  paths[scoped] = watchItem(shape, false, false)
  paths[`${scoped}/{name}`] = watchItem(shape, true, false)
  if (info.namespaced) paths[`${root}/watch/${info.resource}`] = watchItem(shape, false, true)
}
