import type { ApiRequest, ApiResponse } from '../../../kinds/index.ts'

/** One served resource, from discovery. */
export interface ResourceKind {
  readonly group: string
  readonly version: string
  /** Plural name. */
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  readonly names: readonly string[]
}

/** An answer that is not the wanted object, in kubectl's words. */
export class KubectlError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number = 1) {
    super(message)
    this.name = 'KubectlError'
    this.exitCode = exitCode
  }
}

/** A client of the API server, in-process, speaking as kubectl does. */
export interface KubeClient {
  /** Sends a request; a failure Status becomes a {@link KubectlError}. */
  call(request: ApiRequest): unknown
  send(request: ApiRequest): ApiResponse
  /** Finds a resource by any of its names: `deploy`, `deployment`, `deployments.apps`, `Deployment`. */
  resourceOf(name: string): ResourceKind
  /** Finds the resource of an object. */
  resourceOfObject(apiVersion: string, kind: string): ResourceKind | undefined
  path(kind: ResourceKind, namespace: string | undefined, name?: string): string
}

interface DiscoveredResource {
  readonly name: string
  readonly singularName?: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames?: readonly string[]
}

/** What the first discovery found, for clients of servers that begin with the same resources. */
export interface FirstDiscovery {
  kinds: readonly ResourceKind[] | undefined
}

/** Makes a client over a request function. @param first - shared with other clients, filled by the first of them */
export function createKubeClient(
  handle: (request: ApiRequest) => ApiResponse,
  first: FirstDiscovery = { kinds: undefined }
): KubeClient {
  let kinds: readonly ResourceKind[] | undefined
  const send = (request: ApiRequest): ApiResponse =>
    handle({ ...request, headers: { accept: 'application/json', 'user-agent': 'kubectl/v1.34.0', ...request.headers } })
  const call = (request: ApiRequest): unknown => {
    const response = send(request)
    if (response.code >= 400) throw statusError(response)
    return response.body
  }
  const load = (fresh: boolean): readonly ResourceKind[] => {
    if (fresh) kinds = discover(call)
    else kinds ??= first.kinds ??= discover(call)
    return kinds
  }
  const find = (match: (kind: ResourceKind) => boolean): ResourceKind | undefined =>
    load(false).find(match) ?? load(true).find(match)
  return {
    call,
    send,
    resourceOf(name): ResourceKind {
      const wanted = name.toLowerCase()
      const found = find((kind) => kind.names.includes(wanted))
      if (found === undefined) throw new KubectlError(`error: the server doesn't have a resource type "${name}"`)
      return found
    },
    resourceOfObject(apiVersion, kind): ResourceKind | undefined {
      const { group, version } = splitApiVersion(apiVersion)
      return find((one) => one.group === group && one.version === version && one.kind === kind)
    },
    path: resourcePath
  }
}

function discover(call: (request: ApiRequest) => unknown): readonly ResourceKind[] {
  const found: ResourceKind[] = []
  const add = (group: string, version: string, path: string): void => {
    const list = call({ method: 'GET', path }) as { readonly resources?: readonly DiscoveredResource[] }
    for (const resource of list.resources ?? []) {
      if (!resource.name.includes('/')) found.push(describeResource(group, version, resource))
    }
  }
  add('', 'v1', '/api/v1')
  const groups = call({ method: 'GET', path: '/apis' }) as {
    readonly groups?: readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[]
  }
  for (const group of groups.groups ?? []) {
    for (const { version } of group.versions) add(group.name, version, `/apis/${group.name}/${version}`)
  }
  return found
}

function describeResource(group: string, version: string, resource: DiscoveredResource): ResourceKind {
  const bare = [resource.name, resource.singularName ?? '', resource.kind.toLowerCase(), ...(resource.shortNames ?? [])]
  const names = bare.filter((name) => name !== '')
  const qualified = group === '' ? [] : names.flatMap((name) => [`${name}.${group}`, `${name}.${version}.${group}`])
  return {
    group,
    version,
    resource: resource.name,
    kind: resource.kind,
    namespaced: resource.namespaced,
    names: [...names, ...qualified]
  }
}

function resourcePath(kind: ResourceKind, namespace: string | undefined, name?: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : ''
  return `${root}${scope}/${kind.resource}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

/** Splits `apps/v1` into group and version; the core group is ''. */
export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

interface StatusLike {
  readonly reason?: string
  readonly message?: string
  readonly details?: {
    readonly name?: string
    readonly kind?: string
    readonly causes?: readonly { readonly field?: string; readonly message?: string }[]
  }
}

/** A failure Status in kubectl's words. @see kubectl pkg/cmd/util/helpers.go, 1.34 */
export function statusError(response: ApiResponse): KubectlError {
  const status = response.body as StatusLike | undefined
  const message = status?.message ?? String(response.body)
  const reason = status?.reason
  if (reason === 'Invalid') return new KubectlError(invalidText(status, message))
  if (reason === undefined || reason === '') return new KubectlError(`Error from server: ${message}`)
  return new KubectlError(`Error from server (${reason}): ${message}`)
}

function invalidText(status: StatusLike | undefined, message: string): string {
  const { kind, name, causes = [] } = status?.details ?? {}
  if (kind === undefined || causes.length === 0) return `The request is invalid: ${message}`
  const [first] = causes
  const head = `The ${kind} "${name ?? ''}" is invalid:`
  const text = (cause: (typeof causes)[number]): string => `${cause.field ?? ''}: ${cause.message ?? ''}`
  if (causes.length === 1 && first !== undefined) return `${head} ${text(first)}`
  return `${head} \n${causes.map((cause) => `* ${text(cause)}`).join('\n')}`
}

/** `deployment.apps/podinfo`, as kubectl prints what it changed. */
export function printedName(kind: ResourceKind, name: string): string {
  const singular = kind.kind.toLowerCase()
  return kind.group === '' ? `${singular}/${name}` : `${singular}.${kind.group}/${name}`
}
