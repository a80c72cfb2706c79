import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock, type Instant, type Timeline } from '../../../src/lib/time/index.ts'
import type { ApiRequest, ApiResponse, KubeObject } from '../../../src/kinds/index.ts'
import { FLAGGER_CRDS, GATEWAY_API_CRDS } from '../../../src/kinds/crds/index.ts'
import { createApiServer, type ApiServer, type ApiSnapshot } from '../../../src/model/apiserver/index.ts'
import { createCluster, type Cluster } from '../../../src/world/cluster/index.ts'
import type { GatewayMode, GoldenCase } from './case.ts'
import { kindPath, PLAIN_CRDS } from './kinds.ts'
import { RuledPods, type RuledPodsState } from './ruled-pods.ts'

/** First instant of every case. */
export const START: Instant = Date.UTC(2026, 0, 1)
const USER_AGENT = { 'user-agent': 'golden-script' }

/** What every case begins with, made once: definitions, nodes and the first namespaces with what is born in them. */
let emptyCluster: ApiSnapshot | undefined

function makeEmptyCluster(): ApiSnapshot {
  const clock = new VirtualClock(START)
  const random = randomStream(1, 'golden', 'empty cluster')
  const api = createApiServer({ clock, random, crds: [...FLAGGER_CRDS, ...GATEWAY_API_CRDS, ...PLAIN_CRDS] })
  const runtime = new RuledPods([])
  const cluster = createCluster({ timeline: clock, api, random, runtime, mode: 'manual', detail: 'lean' })
  cluster.settle()
  cluster.stop()
  return withoutLog(api.snapshot())
}

/** No watch is replayed after going back, so that the log of changes need not be kept. */
function withoutLog(snapshot: ApiSnapshot): ApiSnapshot {
  return { ...snapshot, compacted: snapshot.revision, log: [] }
}

/** Everything that a world around a controller holds. */
export interface EnvironmentState {
  readonly api: ApiSnapshot
  readonly gateway: GatewayMode
  readonly pods: RuledPodsState
}

/** A manifest that the server does not take, and what it says. */
interface Refusal {
  readonly manifest: KubeObject
  readonly response: ApiResponse
}

/** The world before the controller starts: namespaces and manifests, come to rest. */
interface Beginning {
  readonly state: EnvironmentState
  readonly refusals: readonly Refusal[]
}

/** Most cases begin like another one: what comes of the same manifests is worked out once. */
const beginnings = new Map<string, Beginning>()

/** Most beginnings that are kept. */
const BEGINNINGS_MAX = 200

function beginningOf(golden: GoldenCase): Beginning {
  const { namespace, extraNamespaces, manifests, pods, gateway } = golden
  const key = JSON.stringify([namespace, extraNamespaces, manifests, pods, gateway])
  const known = beginnings.get(key)
  if (known !== undefined) return known
  const made = makeBeginning(golden)
  if (beginnings.size >= BEGINNINGS_MAX) beginnings.clear()
  beginnings.set(key, made)
  return made
}

function makeBeginning({
  namespace,
  extraNamespaces = [],
  manifests,
  pods,
  gateway = 'accept'
}: GoldenCase): Beginning {
  emptyCluster ??= makeEmptyCluster()
  const empty = { api: emptyCluster, gateway, pods: { rules: pods, lost: [] } }
  const environment = new Environment({ state: empty, refusals: [] }, new VirtualClock(START))
  for (const name of new Set([namespace, ...extraNamespaces])) {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    environment.send({ method: 'POST', path: '/api/v1/namespaces', body })
  }
  environment.settle()
  const responses = manifests.map((manifest) => ({ manifest, response: environment.create(manifest, namespace) }))
  environment.settle()
  environment.stop()
  return { state: environment.save(), refusals: responses.filter(({ response }) => response.code >= 300) }
}

/** The world around the controller: API server, workloads and a gateway; nothing acts until {@link Environment.settle}. */
export class Environment {
  readonly clock: Timeline
  readonly api: ApiServer
  readonly runtime: RuledPods
  /** Manifests of the case that are not there. */
  readonly refusals: readonly Refusal[]
  readonly #cluster: Cluster
  gateway: GatewayMode

  /** @param begin - a case, whose manifests are there then, or a beginning */
  constructor(begin: GoldenCase | Beginning, clock: Timeline) {
    const { state, refusals } = 'state' in begin ? begin : beginningOf(begin)
    this.clock = clock
    this.refusals = refusals
    this.gateway = state.gateway
    // What was drawn before is not drawn again.
    const random = randomStream(1, 'golden', state.api.revision)
    this.api = createApiServer({ clock, random, state: state.api })
    this.runtime = new RuledPods(state.pods.rules)
    this.runtime.load(state.pods, this.api.list('', 'pods'))
    this.#cluster = createCluster({
      timeline: clock,
      api: this.api,
      random,
      runtime: this.runtime,
      mode: 'manual',
      detail: 'lean',
      without: ['horizontal']
    })
    this.settle()
  }

  /** Nothing acts any more. */
  stop(): void {
    this.#cluster.stop()
  }

  /** The state now; nothing may be left to do. */
  save(): EnvironmentState {
    return {
      api: withoutLog(this.api.snapshot()),
      gateway: this.gateway,
      pods: this.runtime.save()
    }
  }

  /** Goes back to a state taken before. */
  load(state: EnvironmentState): void {
    this.api.restore(state.api)
    this.#cluster.resync()
    this.gateway = state.gateway
    this.runtime.load(state.pods, this.api.list('', 'pods'))
    this.settle()
  }

  /** Runs everything to its end: workloads, garbage collection, the gateway. */
  settle(): void {
    this.#cluster.settle()
    if (this.#acceptRoutes()) this.#cluster.settle()
  }

  /** Asks again which pods may be ready. */
  refreshPods(): void {
    this.#cluster.refreshPods()
  }

  /** A request of the script. */
  send(request: ApiRequest): ApiResponse {
    return this.api.handle({ ...request, headers: { ...USER_AGENT, ...request.headers } })
  }

  /** Creates an object in its own or the case's namespace. */
  create(object: KubeObject, namespace: string): ApiResponse {
    const place = object.metadata.namespace ?? namespace
    return this.send({ method: 'POST', path: kindPath(object.apiVersion, object.kind, place), body: object })
  }

  #acceptRoutes(): boolean {
    if (this.gateway === 'none' || this.gateway === 'lag') return false
    let wrote = false
    for (const route of this.api.list('gateway.networking.k8s.io', 'httproutes'))
      wrote = this.#acceptRoute(route) || wrote
    return wrote
  }

  #acceptRoute(route: KubeObject): boolean {
    const { parentRefs = [] } = route.spec as { parentRefs?: readonly unknown[] }
    const generation = route.metadata.generation ?? 0
    const accepted = this.gateway === 'accept'
    const present = (
      route.status as { parents?: { conditions?: { status: string; observedGeneration: number }[] }[] } | undefined
    )?.parents
    const condition = present?.[0]?.conditions?.[0]
    if (condition?.observedGeneration === generation && condition.status === (accepted ? 'True' : 'False')) return false
    const parents = parentRefs.map((parentRef) => ({
      parentRef,
      controllerName: 'example.com/gateway',
      conditions: [
        {
          type: 'Accepted',
          status: accepted ? 'True' : 'False',
          reason: accepted ? 'Accepted' : 'NotAllowedByListeners',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
          observedGeneration: generation
        }
      ]
    }))
    const path = kindPath(
      'gateway.networking.k8s.io/v1',
      'HTTPRoute',
      route.metadata.namespace ?? '',
      route.metadata.name
    )
    this.send({ method: 'PUT', path: `${path}/status`, body: { ...route, status: { parents } } })
    return true
  }
}
