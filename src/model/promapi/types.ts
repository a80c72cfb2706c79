import type { Engine } from '../../lib/promql/index.ts'

/** A request to the Prometheus server, parsed by whatever serves it. */
export interface PromRequest {
  readonly method: string
  /** Path without query, as received. */
  readonly path: string
  /** Query parameters in order, decoded. */
  readonly query: readonly (readonly [string, string])[]
  /** Fields of an `application/x-www-form-urlencoded` body; they win over the query. */
  readonly form?: readonly (readonly [string, string])[]
  /** Header names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

/** The answer; header names in lower case. */
export interface PromResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A target as the targets API shows it (the shape of model/scrape's TargetStatus). */
export interface PromTarget {
  readonly target: {
    readonly jobName: string
    readonly labels: Readonly<Record<string, string>>
    readonly discoveredLabels: Readonly<Record<string, string>>
    readonly url: string
    readonly intervalMs: number
    readonly timeoutMs: number
  }
  readonly health: 'up' | 'down' | 'unknown'
  readonly lastError: string
  readonly lastScrapeMs: number | undefined
  readonly lastScrapeDurationMs: number
  readonly metadata: ReadonlyMap<string, { readonly type: string; readonly help: string; readonly unit: string }>
}

/** Options of {@link createPromApi}. */
export interface PromApiOptions {
  readonly engine: Engine
  /** ms since the epoch. */
  readonly now: () => number
  readonly targets?: () => readonly PromTarget[]
  readonly droppedTargets?: () => readonly { readonly discoveredLabels: Readonly<Record<string, string>> }[]
  /** Text of the configuration file that `status/config` shows. */
  readonly configYaml?: string
  /** Command-line flags over the defaults that `status/flags` shows. */
  readonly flags?: Readonly<Record<string, string>>
  /** Version that `status/buildinfo` states; default 2.55.1. */
  readonly version?: string
  /** Labels that `/federate` adds. */
  readonly externalLabels?: Readonly<Record<string, string>>
  /** Start of the server, ms; default the epoch. */
  readonly startMs?: number
}

/** Kinds of error in the API's envelope. */
export type ErrorType = 'bad_data' | 'execution' | 'timeout' | 'internal' | 'not_found' | 'unavailable'

/** A failed API call. */
export class ApiError extends Error {
  readonly errorType: ErrorType
  constructor(errorType: ErrorType, message: string) {
    super(message)
    this.errorType = errorType
  }
}

/** Parameters of one request, form before query. */
export class Parameters {
  private readonly pairs: readonly (readonly [string, string])[]

  constructor(request: PromRequest) {
    this.pairs = [...(request.form ?? []), ...request.query]
  }

  /** The first value; empty when absent. */
  get(name: string): string {
    return this.pairs.find(([key]) => key === name)?.[1] ?? ''
  }

  /** Every value. */
  all(name: string): string[] {
    return this.pairs.filter(([key]) => key === name).map(([, value]) => value)
  }
}
