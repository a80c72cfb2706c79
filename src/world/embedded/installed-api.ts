import { ALL_CRDS } from '../../kinds/crds/index.ts'
import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import { invariant, TwinError } from '../../lib/errors/index.ts'
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

/**
 * Says in the API where Prometheus is, with the annotation by which Linkerd's viz extension knows a Prometheus that it
 * did not install.
 * @see linkerd2 edge-26.8.3 viz/pkg/labels/labels.go VizExternalPrometheus
 */
export function announcePrometheus(api: ApiServer, url: string): void {
  const response = api.handle({
    method: 'PATCH',
    path: '/api/v1/namespaces/linkerd-viz',
    headers: { 'content-type': 'application/merge-patch+json', 'user-agent': 'rollout-twin' },
    body: { metadata: { annotations: { 'viz.linkerd.io/external-prometheus': url } } }
  })
  invariant(response.code < 400, 'the address of Prometheus was refused')
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
