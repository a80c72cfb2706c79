/**
 * The twin's own kinds: how an image version behaves, what load runs, how a mesh is set up.
 * They are plain data, produced by the scenario room and consumed by models and worlds.
 */

/** A probability in [0, 1]; written `1/2`, `0.05` or `5%` in a scenario. */
export type Ratio = number

/** A distribution of delays in simulated milliseconds. */
export type DelayDistribution =
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'normal'; readonly meanMs: number; readonly stddevMs: number }
  | { readonly kind: 'lognormal'; readonly medianMs: number; readonly sigma: number }
  | { readonly kind: 'exponential'; readonly meanMs: number }

/** Which requests a fault applies to; absent fields match everything. */
export interface FaultMatch {
  /** Exact path, or a prefix ending in `*`. */
  readonly path?: string
  readonly method?: string
  readonly header?: { readonly name: string; readonly value?: string }
}

/** A fault of an image version. */
export type AppFault =
  | { readonly kind: 'status'; readonly status: number; readonly ratio: Ratio; readonly match: FaultMatch }
  | { readonly kind: 'delay'; readonly delay: DelayDistribution; readonly ratio: Ratio; readonly match: FaultMatch }
  /** The connection is closed without an answer. */
  | { readonly kind: 'reset'; readonly ratio: Ratio; readonly match: FaultMatch }
  /** The readiness probe never (or after a time no longer) succeeds. */
  | { readonly kind: 'not-ready'; readonly afterMs: number }
  /** The container exits with this code this long after its start, every time. */
  | { readonly kind: 'crash'; readonly afterMs: number; readonly exitCode: number }

/** The behaviour families the twin models. */
export type AppName = 'podinfo' | 'testapp' | 'hello-world' | 'nginx' | 'slow-cooker' | 'load-tester' | 'pause'

/** How one image version behaves: which app it is, its version and its faults. */
export interface AppSpec {
  readonly app: AppName
  /** The version the app reports; default: the image's tag. */
  readonly version?: string
  readonly faults: readonly AppFault[]
  /** Base service time of a request; default per app (about a millisecond). */
  readonly latency?: DelayDistribution
  /** Time from container start to the first byte it can serve; default per app. */
  readonly startupMs?: number
  /** Parameters of the app itself (testapp: `status`, `body`). */
  readonly options: Readonly<Record<string, string | number | boolean>>
}

/** A load generator outside the manifests: an open-loop stream of requests from a meshed client in the cluster. */
export interface LoadSpec {
  readonly name: string
  /** URL in cluster names, e.g. `http://podinfo.test:9898/`. */
  readonly to: string
  readonly ratePerSecond: number
  readonly arrivals: 'constant' | 'poisson'
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Namespace of the client pod (its identity in proxy labels); default `load`. */
  readonly namespace: string
  /** Client-side time-out; a request that takes longer counts as failed. */
  readonly timeoutMs: number
  /** Simulated start and end relative to the run's start; no end: until the run ends. */
  readonly startMs: number
  readonly endMs?: number
}

/** The service mesh of a world. */
export interface MeshSpec {
  /** Flagger's name of the mesh, the value of its `-mesh-provider` flag. */
  readonly provider: string
  /** Whether Linkerd's admin and probe requests count in the inbound metrics, as they do since 2.10. */
  readonly adminTraffic: boolean
}

/** How the canary controller of a world runs. */
export interface ControllerSpec {
  /** Flagger's own flags without dashes (`control-loop-interval`, `selector-labels`, …). */
  readonly flags: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
}
