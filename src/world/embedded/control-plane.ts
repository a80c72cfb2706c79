import { ALL_CRDS } from '../../kinds/crds/index.ts'
import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import { TwinError } from '../../lib/errors/index.ts'
import { randomStream } from '../../lib/random/index.ts'
import { type ApiServer, createApiServer } from '../../model/apiserver/index.ts'
import { bindApi, type BoundApi, type WireHooks } from '../wire/index.ts'
import type { WorldClock } from './clock.ts'
import type { WallFigures } from './figures.ts'
import { createWatchHolds, type WatchHolds } from './watch-holds.ts'

/** The API server of a world, bound to TLS on loopback. */
export interface ControlPlane {
  readonly api: ApiServer
  readonly bound: BoundApi
  readonly watchHolds: WatchHolds
  /** Says what answers exec, logs and port-forward; until then no kubelet is reachable. */
  setHooks(hooks: WireHooks): void
  /** Says what rewrites requests before the server sees them (the mesh's injector); until then nothing does. */
  setAdmission(admission: Admission): void
}

/** Rewrites a request as an admission webhook does. */
export type Admission = (request: ApiRequest) => ApiRequest

/** Options of {@link startControlPlane}. */
export interface ControlPlaneOptions {
  readonly clock: WorldClock
  readonly seed: number
  readonly port?: number
  readonly figures: WallFigures
}

/** Namespaces that an installed mesh has. */
const MESH_NAMESPACES = ['linkerd', 'linkerd-viz'] as const

/** Makes the API server with Flagger's, SMI's and the Gateway API's resources installed, and binds it. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, seed, figures } = options
  let admission: Admission = (request) => request
  const server = createApiServer({ clock, random: randomStream(seed, 'apiserver') })
  const api: ApiServer = {
    ...bindMethods(server),
    handle: (request) => server.handle(admission(request))
  }
  const watchHolds = createWatchHolds(clock)
  let hooks: WireHooks = {}
  const bound = await bindApi({
    api,
    ...(options.port === undefined ? {} : { port: options.port }),
    hooks: lateHooks(() => hooks, watchHolds),
    onRequest: (wallMs) => figures.spend('api', wallMs)
  })
  for (const crd of ALL_CRDS) create(api, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
  for (const name of MESH_NAMESPACES) {
    create(api, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  return {
    api,
    bound,
    watchHolds,
    setHooks: (next) => {
      hooks = next
    },
    setAdmission: (next) => {
      admission = next
    }
  }
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

const UNREACHABLE = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: 503 } as const

/** Hooks that ask for the real ones at each call. */
function lateHooks(current: () => WireHooks, watchHolds: WatchHolds): WireHooks {
  const message = 'the node of the pod is not ready yet'
  return {
    exec: (call, output) => current().exec?.(call, output) ?? { ...UNREACHABLE, message },
    logs: (call, output) => current().logs?.(call, output) ?? { ...UNREACHABLE, message },
    portForward: (call) => current().portForward?.(call) ?? Promise.reject(new Error(message)),
    findPod: (namespace, pod) => current().findPod?.(namespace, pod),
    watchEvent: (userAgent, resourceVersion) => watchHolds.sent(userAgent, resourceVersion)
  }
}
