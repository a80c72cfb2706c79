import type { ApiRequest } from '../../kinds/index.ts'
import { TwinError } from '../../lib/errors/index.ts'
import type { ApiServer } from '../../model/apiserver/index.ts'
import { bindApi, type BoundApi, type WireApi, type WireHooks } from '../wire/index.ts'
import type { WorldClock } from './clock.ts'
import type { WallFigures } from './figures.ts'
import type { WorldAddresses } from '../world.ts'
import { type KubeconfigFile, writeKubeconfig } from './kubeconfig-file.ts'
import { createWatchHolds, type WatchHolds } from './watch-holds.ts'

/** The API server of a world, bound to TLS on loopback. */
export interface ControlPlane {
  readonly api: ApiServer
  readonly bound: BoundApi
  readonly watchHolds: WatchHolds
  /** Says what answers exec, logs and port-forward; until then no kubelet is reachable. */
  setHooks(hooks: WireHooks): void
  /** Says what rewrites requests before the server sees them (the mesh's injector); until then writes over the wire wait. */
  setAdmission(admission: Admission): void
  /** Path of a kubeconfig for clients outside the process; the file is there as long as the API is. */
  kubeconfig(): string
  /** Resolves when those who came first have been answered; at most {@link FIRST_WALL_MS_MAX} after the API was loaded. */
  firstAnswered(): Promise<void>
  /** Ends the listener and every connection. */
  close(): Promise<void>
}

/** Wall milliseconds in which a client that was started by the printed address has come and got its answers. */
const FIRST_WALL_MS_MAX = 400
/** Wall milliseconds without a request after which a client has all it asked for. */
const QUIET_WALL_MS = 80

/** Rewrites a request as an admission webhook does. */
export type Admission = (request: ApiRequest) => ApiRequest

/** Options of {@link startControlPlane}. */
export interface ControlPlaneOptions {
  readonly clock: WorldClock
  readonly seed: number
  readonly port?: number
  readonly figures: WallFigures
  /** Called as soon as the API listens. Requests that come before its server is loaded wait for it. */
  readonly onListening?: (api: Pick<WorldAddresses, 'kubeconfig' | 'apiUrl'>) => void
}

/** Binds the API to its port, then loads the server behind it, with the mesh's and Flagger's resources installed. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, seed, figures } = options
  const watchHolds = createWatchHolds(clock)
  const loaded = Promise.withResolvers<void>()
  const admitting = Promise.withResolvers<void>()
  let server: ApiServer | undefined
  let hooks: WireHooks = {}
  let lastRequestWallMs = 0
  let admission: Admission = (request) => request
  const bound = await bindApi({
    api: lateApi(() => server),
    ready: (request) => (request.method === 'GET' ? loaded.promise : admitting.promise),
    ...(options.port === undefined ? {} : { port: options.port }),
    hooks: lateHooks(() => hooks, watchHolds),
    onRequest: (wallMs) => {
      lastRequestWallMs = performance.now()
      figures.spend('api', wallMs)
    }
  })
  let file: KubeconfigFile | undefined
  const kubeconfig = (): string => (file ??= writeKubeconfig(bound.kubeconfig())).path
  const close = async (): Promise<void> => {
    file?.remove()
    await bound.close()
  }
  if (options.onListening !== undefined) options.onListening({ kubeconfig: kubeconfig(), apiUrl: bound.url })
  try {
    const { createInstalledApi } = await import('./installed-api.ts')
    const api = createInstalledApi({ clock, seed, admission: (request) => admission(request) })
    server = api
    loaded.resolve()
    return {
      api,
      bound,
      watchHolds,
      setHooks: (next) => {
        hooks = next
      },
      setAdmission: (next) => {
        admission = next
        admitting.resolve()
      },
      kubeconfig,
      firstAnswered: () => quiet(() => lastRequestWallMs),
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function quiet(lastRequestWallMs: () => number): Promise<void> {
  const began = performance.now()
  for (let now = began; now - began < FIRST_WALL_MS_MAX; now = performance.now()) {
    const last = lastRequestWallMs()
    if (last > 0 && now - last >= QUIET_WALL_MS) return
    await new Promise((resolve) => setTimeout(resolve, QUIET_WALL_MS / 8))
  }
}

/** The server that is there at each call; the wire asks for nothing before it is. */
function lateApi(current: () => ApiServer | undefined): WireApi {
  const now = (): ApiServer => {
    const server = current()
    if (server === undefined) throw new TwinError('TWIN_INTERNAL', 'the API was asked before it was loaded')
    return server
  }
  return {
    handle: (request) => now().handle(request),
    isWatch: (request) => now().isWatch(request),
    openWatch: (request, onEvent) => now().openWatch(request, onEvent)
  }
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
