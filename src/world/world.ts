import type { AppSpec, ControllerSpec, KubeObject, LoadSpec, MeshSpec } from '../kinds/index.ts'
import type { TraceBody, TraceEvent } from '../trace/index.ts'

/** Everything a world needs to start; plain data, so that scenarios and worlds do not meet. */
export interface WorldSpec {
  readonly name: string
  /** Seed of every draw of the run. */
  readonly seed: number
  /** Objects applied in this order before the run's time starts to count (CRDs of Flagger, SMI and Gateway API are always there). */
  readonly manifests: readonly KubeObject[]
  /** Behaviour per image, key as written in manifests (`repo/name:tag`). An image that is not here is an error. */
  readonly images: Readonly<Record<string, AppSpec>>
  readonly mesh: MeshSpec
  readonly controller: ControllerSpec
  readonly load: readonly LoadSpec[]
  /** Ceiling of simulated seconds per wall second; absent: as fast as the machine goes. */
  readonly speed?: number
  /** `stepped`: time stands still while work is done. `wall`: time follows the wall clock (`twin up`). */
  readonly time: 'stepped' | 'wall'
  /** Ports asked for by the user; 0 or absent: any free one. */
  readonly ports?: { readonly api?: number; readonly prometheus?: number }
  /** Host names outside the world that may really be called. */
  readonly allowHosts: readonly string[]
}

/** What a shell command in the world gave back. */
export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Counts of one load over the whole run. */
export interface LoadTotals {
  readonly load: string
  readonly intended: number
  readonly delivered: number
  /** Answers of status 500 and above, resets and time-outs. */
  readonly failed: number
  /** Answers per version, read from the answering pod's image. */
  readonly byVersion: Readonly<Record<string, number>>
}

/** Figures of a finished world, for the report; wall figures never reach a metric of the run. */
export interface WorldFigures {
  readonly simulatedMs: number
  readonly wallMs: number
  readonly load: readonly LoadTotals[]
  /** Wall milliseconds by what the time was spent on: requests, api, scrapes, queries, idle. */
  readonly wallMsBy: Readonly<Record<string, number>>
  readonly tlsHandshakes: number
  readonly peakRssBytes: number
}

/** Where a person or a client reaches a running world. */
export interface WorldAddresses {
  readonly kubeconfig: string
  readonly apiUrl: string
  readonly prometheusUrl: string
}

/** Time of a world, as steps see it. */
export interface WorldTime {
  /** Simulated milliseconds since the start of the run. */
  nowMs(): number
  /** Calls back at that time (milliseconds since the start); returns a function that cancels it. */
  at(dueMs: number, run: () => void): () => void
  /** Keeps simulated time standing until the returned function is called; `name` is shown when it gets stuck. */
  hold(name: string): () => void
}

/** A running world. `run` drives it through this port only; every world implements it. */
export interface World {
  readonly time: WorldTime
  readonly addresses: WorldAddresses | undefined
  /** Called for each event, synchronously, in order; simulated time stands still meanwhile. */
  onTrace(listener: (event: TraceEvent) => void): void
  /** Adds an event of the run itself (notes, errors). */
  record(body: TraceBody): void
  /** Lets simulated time start. */
  start(): void
  /** Applies objects as `kubectl apply` does. @throws TwinError TWIN_MANIFEST_REFUSED */
  apply(objects: readonly KubeObject[]): Promise<void>
  /** Current object or undefined; `kind` as kubectl spells it (`deployment`, `canary`), `name` as `namespace/name`. */
  get(kind: string, name: string): KubeObject | undefined
  /**
   * Runs a shell command in the world (its own `kubectl`, `curl`, `hey`, …), never in the host's shell.
   * `from`: `namespace/deployment` whose pod the command runs in; absent: the operator's terminal.
   */
  run(command: string, options?: { readonly from?: string }): Promise<CommandResult>
  /** Replaces the faults of an image from now on. */
  setFaults(image: string, spec: AppSpec): void
  /** Evaluates a PromQL expression on the recorded metrics at simulated now; label sets with their values. */
  query(expression: string): readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
  /** Resolves when the world cannot go on by itself (a stuck hold, a failed load generator) with the error. */
  readonly failed: Promise<never>
  figures(): WorldFigures
  /** Ends everything: no process, no port, no temporary file is left; safe to call twice. */
  stop(): Promise<void>
}
