import { ALL_CRDS } from '../../kinds/crds/index.ts'
import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import { TwinError } from '../../lib/errors/index.ts'
import { randomStream } from '../../lib/random/index.ts'
import { type Instant, type Timeline, VirtualClock } from '../../lib/time/index.ts'
import { type ApiServer, type ApiSnapshot, createApiServer } from '../../model/apiserver/index.ts'
import { createCluster, createInstantRuntime } from '../cluster/index.ts'
import { injectProxy } from '../joint/index.ts'
import { createKubeClient, type FirstDiscovery, type KubeClient } from '../shell/index.ts'
import type { Meter } from './meter.ts'

/** Namespaces that an installed mesh has. */
const MESH_NAMESPACES = ['linkerd', 'linkerd-viz'] as const

/** Draws for the ids of the four namespaces and the Service that a server makes when it begins with nothing. */
const FIRST_DRAWS = 5 * 31

/** Seed of what is the same in every world. */
const FURNISHING_SEED = 0

/** An API server as every world begins with: its definitions are installed once per process, worlds start from that state. */
let furnished: { readonly start: Instant; readonly snapshot: ApiSnapshot } | undefined

function furnish(start: Instant): ApiSnapshot {
  const server = createApiServer({
    clock: { now: () => start },
    random: randomStream(FURNISHING_SEED, 'apiserver'),
    crds: ALL_CRDS
  })
  for (const name of MESH_NAMESPACES) {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    const { code } = server.handle({ method: 'POST', path: '/api/v1/namespaces', body })
    if (code >= 400) throw new TwinError('TWIN_WORLD_START', `the namespace ${name} could not be installed (${code})`)
  }
  // Nodes, service accounts and root certificates of these namespaces are the same everywhere, too.
  const cluster = createCluster({
    timeline: new VirtualClock(start),
    api: server,
    random: randomStream(FURNISHING_SEED, 'cluster'),
    runtime: createInstantRuntime(),
    mode: 'manual',
    detail: 'lean'
  })
  cluster.settle()
  cluster.stop()
  return server.snapshot()
}

/** Makes a world's API server, with Flagger's, SMI's and the Gateway API's resources and the mesh's injector. */
export function createWorldApi(timeline: Timeline, seed: number, meter: Meter): ApiServer {
  const start = timeline.now()
  if (furnished?.start !== start) furnished = { start, snapshot: furnish(start) }
  const random = randomStream(seed, 'apiserver')
  // The ids of a world's own objects come behind those of the objects that every cluster has, whoever made these.
  for (let draw = 0; draw < FIRST_DRAWS; draw++) random.next()
  const server = createApiServer({ clock: timeline, random, state: furnished.snapshot })
  const namespaceOf = (name: string): KubeObject | undefined => server.get('', 'namespaces', undefined, name)
  const handle = (request: ApiRequest): ApiResponse => server.handle(injectProxy(request, namespaceOf))
  return { ...server, handle: meter.metered('api', handle) }
}

/** What the definitions that every world begins with are served as: read once per process. */
const discovered: FirstDiscovery = { kinds: undefined }

/** A client that does as `kubectl` does. */
export function createWorldClient(api: ApiServer): KubeClient {
  return createKubeClient((request) => api.handle(request), discovered)
}
