import type { AppSpec } from '../../kinds/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import type { AppPlan, AppTask } from './plan.ts'

/** The container an app runs in, as its pod declares it. */
export interface AppContainer {
  readonly name: string
  readonly image: string
  /** `command` and `args` of the container; empty: the image's own. */
  readonly command: readonly string[]
  readonly args: readonly string[]
  /** In the order the container sees them. */
  readonly env: readonly (readonly [name: string, value: string])[]
  /** The pod's name. */
  readonly hostname: string
  readonly namespace: string
  /** Mounted files (ConfigMaps, Secrets) by absolute path. */
  readonly files: Readonly<Record<string, string>>
  /** Ports declared by the container, in order. */
  readonly containerPorts: readonly number[]
}

/** One request as an app sees it. */
export interface AppRequest {
  readonly method: string
  /** Path with query string. */
  readonly target: string
  /** Names and values as sent, without headers of the twin itself. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** Port of the pod the request came in on. */
  readonly port: number
  /** Identity of the request over all hops; draws are keyed by it. */
  readonly key: string
}

/** What happens on SIGTERM. */
export interface AppTermination {
  /** Milliseconds of normal service before the listeners close. */
  readonly drainMs: number
  /** Milliseconds that running requests may take after that. */
  readonly shutdownMs: number
  readonly exitCode: number
}

/** A running app: handlers as plans, plus what it does by itself. */
export interface App {
  readonly version: string
  /** Ports it listens on. */
  readonly ports: readonly number[]
  /** Milliseconds from container start to the first byte it can serve. */
  readonly startupMs: number
  /** When and how the process ends by a declared fault; absent: never. */
  crash(): { readonly afterMs: number; readonly exitCode: number } | undefined
  /** Handles one request. */
  serve(request: AppRequest, now: Instant): AppPlan
  /**
   * Whether the app's own answer to a request stands: asked again it is the same until another request, a signal or another
   * behaviour comes, and nothing is left behind but counts.
   */
  standing(request: AppRequest): boolean
  /** Whether a declared fault keeps readiness probes from succeeding. */
  ready(now: Instant): boolean
  /** Tasks that start with the process: clients, queues. */
  background(): readonly { readonly name: string; readonly task: AppTask }[]
  /** SIGTERM arrived. */
  terminate(now: Instant): AppTermination
  /** Another behaviour from now on (faults switched by a step of the scenario). */
  change(spec: AppSpec): void
}

/** What every app is made of. */
export interface AppOptions {
  readonly spec: AppSpec
  readonly container: AppContainer
  /** Seed of the run; draws are keyed by it and the request. */
  readonly seed: number
  /** Instant of the container's start. */
  readonly startedAt: Instant
}

/** An app without the parts that are the same for all. */
export interface AppCore {
  readonly version: string
  readonly ports: readonly number[]
  readonly startupMs: number
  serve(request: AppRequest, now: Instant): AppPlan
  /** See {@link App.standing}; absent: no answer stands. */
  standing?(request: AppRequest): boolean
  background?(): readonly { readonly name: string; readonly task: AppTask }[]
  terminate?(now: Instant): AppTermination
}
