import type { ApiRequest, ApiResponse } from '../../kinds/index.ts'
import type { Hold, Instant, Timeline } from '../../lib/time/index.ts'
import type { VizAnswer } from '../../model/viz/index.ts'

/** Where a command runs: in a container of a pod, or at the operator's terminal (outside the cluster). */
export type ShellPlace =
  | { readonly kind: 'terminal' }
  | { readonly kind: 'pod'; readonly namespace: string; readonly pod: string; readonly container?: string }

/** A time source whose time the shell's work keeps standing. */
export interface ShellClock extends Timeline {
  hold(name: string): Hold
}

/** An HTTP request of `curl`. */
export interface ShellHttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Simulated milliseconds. */
  readonly timeoutMs?: number
}

/** The outcome of a {@link ShellHttpRequest}. */
export type ShellHttpAnswer =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: readonly (readonly [string, string])[]
      /** Latin-1: one character per byte. */
      readonly body: string
    }
  | {
      readonly ok: false
      readonly reason: 'resolve' | 'refused' | 'reset' | 'timeout' | 'aborted'
      readonly message: string
    }

/** A closed loop of requests, as hey and wrk make it. */
export interface ShellLoad {
  readonly name: string
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly workers: number
  readonly ratePerWorker?: number
  readonly requestsPerWorker?: number
  readonly durationMs?: number
  readonly timeoutMs?: number
}

/** One request of a {@link ShellLoad} in simulated time. */
export interface ShellLoadSample {
  readonly offsetMs: number
  readonly latencyMs: number
  readonly status?: number
  readonly bytes: number
  readonly error?: { readonly reason: string; readonly message: string }
}

/** What a shell command gave back. */
export interface ShellResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** What the world gives its shell; the shell touches nothing else. */
export interface ShellPorts {
  readonly clock: ShellClock
  /** The API server, for `kubectl`. */
  api(request: ApiRequest): ApiResponse
  /** Sends a request from that place under that hold. */
  http(place: ShellPlace, request: ShellHttpRequest, hold: Hold, signal: AbortSignal): Promise<ShellHttpAnswer>
  /** Runs a closed loop from that place to its end. The caller holds nothing meanwhile. */
  load(place: ShellPlace, load: ShellLoad, signal: AbortSignal): Promise<readonly ShellLoadSample[]>
  /** Log lines of a container; undefined when the pod does not run. */
  logs(namespace: string, pod: string, container: string | undefined): readonly string[] | undefined
  /** The world's Prometheus at simulated now, for `linkerd stat`; absent: none. */
  metrics?(expression: string): VizAnswer
  /** Host files that may be read by `kubectl apply -f` at the terminal; absent: none. */
  readFile?(path: string): string | undefined
}

/** Options of one run of a command. */
export interface ShellRunOptions {
  readonly place: ShellPlace
  readonly stdin?: string
  /** Environment of the container. */
  readonly env?: Readonly<Record<string, string>>
  /** Ends the command; it then gives 130. */
  readonly signal?: AbortSignal
  /** Receives output as it comes, where the command is one that goes on (`watch`); the result then holds the rest. */
  readonly onOutput?: (chunk: string, stream: 'stdout' | 'stderr') => void
}

/** The world's own shell; never the host's. */
export interface WorldShell {
  run(command: string, options: ShellRunOptions): Promise<ShellResult>
  /** Runs one program with its arguments, as `kubectl exec pod -- program arguments` does. */
  exec(argv: readonly string[], options: ShellRunOptions): Promise<ShellResult>
}

/** Simulated now of a clock, whole seconds, as `date` prints it. */
export function epochSeconds(now: Instant): number {
  return Math.floor(now / 1000)
}
