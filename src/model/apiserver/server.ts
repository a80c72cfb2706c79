import {
  deepFreeze,
  methodNotAllowedStatus,
  notFoundStatus,
  statusFailure,
  unknownResourceStatus
} from '../../lib/apimachinery/index.ts'
import type { Clock } from '../../lib/time/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { ApiChange, ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import type { Core, Descriptions, ResourceCall } from './core.ts'
import { handleCreate } from './create.ts'
import { handleDelete, handleDeleteCollection } from './delete.ts'
import { discover, SERVER_VERSION } from './discovery.ts'
import { finalizeNamespace } from './namespace-finalize.ts'
import { openApiDocument } from './openapi-documents.ts'
import { isTrue } from './option-validation.ts'
import { handlePatch } from './patch.ts'
import { bindPod, evictPod } from './pod-subresources.ts'
import { handleGet, handleList } from './read.ts'
import { Refusal, refuse } from './refusal.ts'
import { refusedAnswer } from './refused-answer.ts'
import { Warnings } from './warnings.ts'
import { Registry } from './registry.ts'
import { parseResourcePath, type RequestInfo } from './request-info.ts'
import { BUILTINS } from './resources.ts'
import { handleScale } from './scale.ts'
import { Store, type StoreSnapshot } from './store.ts'
import { handleUpdate } from './update.ts'
import { answerReview, isVirtual, requestToken } from './virtual-resources.ts'
import { openWatch, type OnWatchEvent, type OpenWatch } from './watch.ts'

/** What an API server is made of. */
export interface ApiServerOptions {
  readonly clock: Clock
  /** Draws of uids, name suffixes and addresses. */
  readonly random: Random
  /** Range of cluster IPs; default `10.96.0.0/16`. */
  readonly serviceCidr?: string
  /** Definitions that are installed from the start; frozen, so that servers share them. */
  readonly crds?: readonly KubeObject[]
  /** Changes kept for watches and exact lists; default 10,000. */
  readonly watchWindow?: number
  /** State to begin with, definitions included; default: the namespaces every cluster has and `crds`. */
  readonly state?: ApiSnapshot
  /** Documentation of fields for tables and OpenAPI documents; default: none. */
  readonly descriptions?: Descriptions
}

/** State of a server; cheap to take, because objects are frozen and shared. */
export type ApiSnapshot = StoreSnapshot

/** An in-memory Kubernetes API server. */
export interface ApiServer {
  /** Answers a request; everything except streams. Never throws for what a client sends. */
  handle(request: ApiRequest): ApiResponse
  /**
   * Opens a watch. Events that are known already are delivered during the call, later ones synchronously after each commit.
   * @returns the open watch, or the answer that refuses it
   */
  openWatch(request: ApiRequest, onEvent: OnWatchEvent): OpenWatch | ApiResponse
  /** Calls back after each commit, in order; returns a function that ends that. */
  subscribe(listener: (change: ApiChange) => void): () => void
  /** Stored objects of a resource in key order (storage version); frozen and shared. */
  list(group: string, resource: string, namespace?: string): readonly KubeObject[]
  /** A stored object (storage version); frozen and shared. */
  get(group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined
  /** Whether a request is a watch. */
  isWatch(request: ApiRequest): boolean
  /** The state now. */
  snapshot(): ApiSnapshot
  /** Goes back (or over) to a state; open watches and listeners stay and see nothing of it. */
  restore(snapshot: ApiSnapshot): void
  /** Host and port that discovery names. */
  setAddress(address: string): void
}

/** Names of the namespaces every cluster has. */
const FIRST_NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

/**
 * Creates a server with the namespaces every cluster has, or with a state taken before.
 * @param options - clock, random stream and settings
 */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const core: Core = {
    store: new Store(options.watchWindow),
    registry: new Registry(),
    clock: options.clock,
    random: options.random,
    newUid: () => randomUid(options.random),
    serviceCidr: options.serviceCidr ?? '10.96.0.0/16',
    descriptions: options.descriptions,
    serverAddress: '127.0.0.1:6443'
  }
  const server: ApiServer = {
    handle: (request) => handle(core, request),
    openWatch: (request, onEvent) => watch(core, request, onEvent),
    subscribe: (listener) => core.store.subscribe(listener),
    list: (group, resource, namespace) => core.store.list(group, resource, namespace),
    get: (group, resource, namespace, name) => core.store.get(group, resource, namespace, name),
    isWatch: isWatchRequest,
    snapshot: () => core.store.snapshot(),
    restore: (snapshot) => {
      const before = definitions(core)
      core.store.restore(snapshot)
      if (definitions(core) !== before) core.registry.reset(definitions(core))
    },
    setAddress: (address) => {
      core.serverAddress = address
    }
  }
  if (options.state === undefined) furnish(server, options)
  else server.restore(options.state)
  return server
}

function definitions(core: Core): readonly KubeObject[] {
  return core.store.list('apiextensions.k8s.io', 'customresourcedefinitions')
}

const SYSTEM_HEADERS = { 'user-agent': 'kube-apiserver/v1.36.3' }

function furnish(server: ApiServer, options: ApiServerOptions): void {
  for (const name of FIRST_NAMESPACES) {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    server.handle({ method: 'POST', path: '/api/v1/namespaces', headers: SYSTEM_HEADERS, body })
  }
  server.handle({
    method: 'POST',
    path: '/api/v1/namespaces/default/services',
    headers: SYSTEM_HEADERS,
    body: kubernetesService(options.serviceCidr ?? '10.96.0.0/16')
  })
  // Frozen ones are compiled and checked once for all servers.
  for (const crd of deepFreeze(options.crds ?? [])) {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    server.handle({ method: 'POST', path, headers: SYSTEM_HEADERS, body: crd })
  }
}

function kubernetesService(cidr: string): Record<string, unknown> {
  const first = cidr.replace(/\.\d+\/\d+$/, '.1')
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      clusterIP: first,
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      sessionAffinity: 'None',
      type: 'ClusterIP'
    }
  }
}

/** A version 4 UUID from a seeded stream. */
function randomUid(random: Random): string {
  for (let at = 0; at < UID_CODES.length; at++) {
    if (at === 8 || at === 13 || at === 18 || at === 23) continue
    const value = at === 14 ? 4 : random.integer(16)
    UID_CODES[at] = HEX_DIGITS.charCodeAt(at === 19 ? (value & 3) | 8 : value)
  }
  return String.fromCharCode(...UID_CODES)
}

const HEX_DIGITS = '0123456789abcdef'

/** Where a UUID is written before it becomes a text; its hyphens stay. */
const UID_CODES: number[] = Array.from('00000000-0000-0000-0000-000000000000', (char) => char.charCodeAt(0))

function handle(core: Core, request: ApiRequest): ApiResponse {
  const warnings = new Warnings()
  try {
    return route(core, request, warnings)
  } catch (error) {
    return refused(error, request, warnings)
  }
}

/** The status of a refusal, and what the client was to be warned of until then. */
function refused(error: unknown, request: ApiRequest, warnings: Warnings): ApiResponse {
  if (!(error instanceof Refusal)) throw error
  return refusedAnswer(error.status, request.headers?.['accept'], warnings.headers())
}

const HEALTH_PATHS: ReadonlySet<string> = new Set([
  'healthz',
  'livez',
  'readyz',
  'healthz/ping',
  'livez/ping',
  'readyz/ping'
])

function route(core: Core, request: ApiRequest, warnings: Warnings): ApiResponse {
  const path = parseResourcePath(request.path)
  if (path !== undefined) {
    const call = resourceCall(core, request, path, warnings)
    return call === undefined ? text(404, '404 page not found\n') : dispatch(call)
  }
  if (RESOURCE_PATH.test(request.path)) return discover(core, request.path, request.headers?.['accept'])
  if (request.path === '/version' || request.path === '/version/') return json(SERVER_VERSION)
  if (HEALTH_PATHS.has(request.path.slice(1))) return text(200, 'ok')
  if (OPENAPI_PATH.test(request.path)) {
    const answer = openApiDocument(core, request)
    if (answer !== undefined) return answer
  }
  if (request.path === '/')
    return json({ paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'] })
  return text(404, '404 page not found\n')
}

/** Paths below `/api` and `/apis`. */
const RESOURCE_PATH = /^\/*apis?(?:\/|$)/
const OPENAPI_PATH = /^\/*openapi(?:\/|$)/

function json(body: unknown): ApiResponse {
  return { code: 200, headers: { 'content-type': 'application/json' }, body }
}

function text(code: number, body: string): ApiResponse {
  return { code, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

function hasBuiltinVersion(group: string, version: string): boolean {
  return BUILTINS.some((info) => info.group === group && info.version === version)
}

/** What a path that names a resource asks for; undefined: nothing of that kind is served at all. */
function resourceCall(
  core: Core,
  request: ApiRequest,
  path: RequestInfo,
  warnings: Warnings
): ResourceCall | undefined {
  const info = core.registry.find(path.key)
  if (info === undefined) {
    // Groups of definitions are served by another handler, which answers in plain text.
    return hasBuiltinVersion(path.group, path.version) || path.group === ''
      ? refuse(unknownResourceStatus())
      : undefined
  }
  if (path.namespace !== undefined && !info.namespaced) refuse(unknownResourceStatus())
  if (path.namespace === undefined && info.namespaced && path.name !== undefined)
    return info.crd === undefined ? refuse(unknownResourceStatus()) : undefined
  const subresource = path.subresource === undefined ? undefined : info.subresources.get(path.subresource)
  if (subresource !== undefined || path.subresource === undefined)
    return { core, request, query: request.query ?? NO_QUERY, path, info, subresource, warnings }
  // A custom resource without a scale or status door answers as if the object were not there.
  const isPossible = info.crd !== undefined && (path.subresource === 'scale' || path.subresource === 'status')
  return refuse(
    isPossible ? notFoundStatus({ group: info.group, name: info.resource }, path.name ?? '') : unknownResourceStatus()
  )
}

const NO_QUERY: Readonly<Record<string, string>> = Object.freeze({})

/** What a method asks of one object. */
function verbOfMethod(method: string): string {
  switch (method) {
    case 'GET':
      return 'get'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return 'delete'
    default:
      return 'unknown'
  }
}

function verbOf(call: ResourceCall): string {
  const { method } = call.request
  if (call.path.name !== undefined) return verbOfMethod(method)
  if (method === 'GET') return 'list'
  if (method === 'DELETE') return 'deletecollection'
  return method === 'POST' ? 'create' : 'unknown'
}

function dispatch(call: ResourceCall): ApiResponse {
  const verb = verbOf(call)
  if (call.subresource !== undefined) return dispatchSubresource(call, verb)
  if (!call.info.verbs.includes(verb) || (verb === 'create' && call.path.name !== undefined)) {
    refuse(methodNotAllowedStatus())
  }
  if (isVirtual(call)) return answerReview(call)
  if (call.info.groupResource === '/bindings') return bindPod(call)
  switch (verb) {
    case 'get':
      return handleGet(call)
    case 'list':
      return handleList(call)
    case 'create':
      return handleCreate(call)
    case 'update':
      return handleUpdate(call)
    case 'patch':
      return handlePatch(call)
    case 'delete':
      return handleDelete(call)
    default:
      return handleDeleteCollection(call)
  }
}

function dispatchSubresource(call: ResourceCall, verb: string): ApiResponse {
  const name = call.subresource?.name ?? ''
  if (call.subresource?.verbs.includes(verb) !== true) refuse(methodNotAllowedStatus())
  switch (name) {
    case 'status':
    case 'ephemeralcontainers':
    case 'resize':
    case 'approval':
      if (verb === 'get') return handleGet(call)
      return verb === 'patch' ? handlePatch(call) : handleUpdate(call)
    case 'scale':
      return handleScale(call)
    case 'finalize':
      return finalizeNamespace(call)
    case 'binding':
      return bindPod(call)
    case 'eviction':
      return evictPod(call)
    case 'token':
      return requestToken(call)
    default:
      return refuse(
        statusFailure(501, 'NotImplemented', `${call.info.resource}/${name} needs a connection to a running pod`)
      )
  }
}

/** Whether a request is a watch: the parameter on a collection, or the old path. */
function isWatchRequest(request: ApiRequest): boolean {
  if (request.method !== 'GET') return false
  const path = parseResourcePath(request.path)
  if (path === undefined || path.subresource !== undefined) return false
  return path.isWatchPath || (path.name === undefined && isTrue(request.query?.['watch']))
}

function watch(core: Core, request: ApiRequest, onEvent: OnWatchEvent): OpenWatch | ApiResponse {
  const warnings = new Warnings()
  try {
    const path = parseResourcePath(request.path)
    const call = path === undefined ? undefined : resourceCall(core, request, path, warnings)
    if (call === undefined) return refuse(unknownResourceStatus())
    if (!call.info.verbs.includes('watch')) return refuse(methodNotAllowedStatus())
    return openWatch(call, onEvent)
  } catch (error) {
    return refused(error, request, warnings)
  }
}
