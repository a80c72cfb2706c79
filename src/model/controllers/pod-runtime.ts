import type { KubeObject } from '../../kinds/index.ts'
import type { Probe } from './shapes.ts'

/** How the processes of a pod (or of one restarted container) begin. */
export type PodStart =
  | {
      /** Simulated time until the containers are Running: image pull and creation, not the application's own warm-up. */
      readonly startupMs: number
      /** The process ends by itself that long after it began to run (a job's command, a crash on start). */
      readonly exit?: { readonly afterMs: number; readonly exitCode: number }
    }
  /** The image (of that container; absent: of all) cannot be pulled; the text is the registry's answer. */
  | { readonly imageError: string; readonly container?: string }

/** When a probe would be asked, and how it gets back to being asked. */
export interface StandingTimes {
  /** When it is due next, ms since the epoch. */
  readonly dueMs: number
  readonly periodMs: number
  resume(dueMs: number): void
}

/** What runs inside pods. Worlds implement it; nothing here throws. */
export interface PodRuntime {
  /** Begins the processes of a bound pod. With `container`: only that one is started again after it ended. */
  start(pod: KubeObject, container?: string): PodStart
  /** The pod's processes have ended: close its listeners. Called once per started pod. */
  stop(pod: KubeObject): void
  /** Runs one probe; `done` is called exactly once, now or later. A probe that takes longer than its time-out is a failure. */
  probe(pod: KubeObject, container: string, probe: Probe, done: (ok: boolean, detail: string) => void): void
  /**
   * Takes a probe over that has just succeeded, where its answer is known to stay: it need not be asked until `resume`
   * says from when on it has to be. @returns ends that; undefined where it has to be asked
   */
  standing?(pod: KubeObject, container: string, probe: Probe, next: StandingTimes): (() => void) | undefined
  /** Time the processes take to end after SIGTERM, bounded by the grace period; default 250 ms. Called at the SIGTERM, in a lean cluster also before it. */
  shutdownMs?(pod: KubeObject): number
  /** A veto on readiness beyond probes (pods held by a rule); default: no veto. Ask again with `Cluster.refreshPods`. */
  mayBeReady?(pod: KubeObject): boolean
  /** `skip`: every probe counts as successful at once; default `run`. */
  readonly probes?: 'run' | 'skip'
}
