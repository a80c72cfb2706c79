import { ALL_CRDS } from '../../kinds/crds/index.ts'
import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import { TwinError } from '../../lib/errors/index.ts'
import { randomStream } from '../../lib/random/index.ts'
import { type ApiServer, createApiServer } from '../../model/apiserver/index.ts'
import type { WorldClock } from './clock.ts'
import type { Admission } from './control-plane.ts'

/** Options of {@link createInstalledApi}. */
export interface InstalledApiOptions {
  readonly clock: WorldClock
  readonly seed: number
  /** Asked at each request. */
  readonly admission: Admission
}

/** Namespaces that an installed mesh has. */
const MESH_NAMESPACES = ['linkerd', 'linkerd-viz'] as const

/** Makes the API server with Flagger's, SMI's and the Gateway API's resources and the mesh's namespaces installed. */
export function createInstalledApi({ clock, seed, admission }: InstalledApiOptions): ApiServer {
  const server = createApiServer({ clock, random: randomStream(seed, 'apiserver') })
  const api: ApiServer = {
    ...bindMethods(server),
    handle: (request) => server.handle(admission(request))
  }
  for (const crd of ALL_CRDS) create(api, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
  for (const name of MESH_NAMESPACES) {
    create(api, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  return api
}

function bindMethods(server: ApiServer): ApiServer {
  return {
    ...server,
    handle: (request: ApiRequest): ApiResponse => server.handle(request),
    openWatch: (request, onEvent) => server.openWatch(request, onEvent),
    subscribe: (listener) => server.subscribe(listener),
    list: (group, resource, namespace) => server.list(group, resource, namespace),
    get: (group, resource, namespace, name) => server.get(group, resource, namespace, name),
    snapshot: () => server.snapshot(),
    restore: (snapshot) => server.restore(snapshot)
  }
}

function create(api: ApiServer, path: string, body: KubeObject): void {
  const response = api.handle({ method: 'POST', path, body, headers: { 'user-agent': 'rollout-twin' } })
  if (response.code < 400) return
  const message = (response.body as { readonly message?: string } | undefined)?.message ?? String(response.code)
  throw new TwinError('TWIN_WORLD_START', `${body.kind} ${body.metadata.name} could not be installed: ${message}`)
}
