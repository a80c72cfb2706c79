import type { Instant } from '../../lib/time/index.ts'
import type { ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import type { MetricEvidence, ReasonCode } from '../../trace/index.ts'
import { performed } from './performing.ts'

/** What an HTTP server answered, or why there was no answer (Go's words for a transport error). */
export type HttpOutcome =
  | {
      readonly ok: true
      readonly status: number
      readonly body: string
      /** Lower-case header names. */
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly ok: false
      readonly error: string
      /** The URL that failed, where a redirect led away from that of the request. */
      readonly url?: string
      /** Whether go-retryablehttp's default policy would try again; default true. */
      readonly retriable?: boolean
    }

/** One HTTP request, without redirects followed. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** Simulated milliseconds until the attempt is given up. */
  readonly timeoutMs: number
  readonly insecure?: boolean
}

/** Which canary an effect is about. */
export interface CanaryRef {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
}

/** Everything a plan may ask of the world; each effect has exactly one kind of result. */
export type Effect =
  /** Result: {@link ApiResponse}; code 0 when the server could not be reached, with the error text as `body.message`. */
  | { readonly effect: 'api'; readonly request: ApiRequest }
  /** A metric query. Result: {@link HttpOutcome}. */
  | { readonly effect: 'query'; readonly metric: string; readonly query: string; readonly request: HttpRequest }
  /** One attempt of a webhook. Result: {@link HttpOutcome}. */
  | { readonly effect: 'webhook'; readonly hook: string; readonly type: string; readonly request: HttpRequest }
  /** Result: {@link HttpOutcome}. */
  | { readonly effect: 'alert'; readonly receiver: string; readonly proxy: string; readonly request: HttpRequest }
  /** An object of the controller's informer cache. Result: the object or undefined. */
  | {
      readonly effect: 'lookup'
      readonly resource: 'metrictemplates' | 'alertproviders' | 'canaries'
      readonly namespace: string
      readonly name: string
    }
  /** An event for the recorder (the copy that goes to the API server). Result: none. */
  | {
      readonly effect: 'event'
      readonly canary: CanaryRef
      readonly type: 'Normal' | 'Warning'
      readonly message: string
      readonly phase: string
    }
  /** Result: none. */
  | {
      readonly effect: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      /** `<name>.<namespace>` */
      readonly canary?: string
      /** Further fields of the line. */
      readonly fields?: Readonly<Record<string, string>>
    }
  /** A change of one of the controller's own metrics. Result: none. */
  | {
      readonly effect: 'gauge'
      readonly operation: 'set' | 'increment' | 'observe'
      readonly metric: string
      readonly labels: Readonly<Record<string, string>>
      readonly value: number
    }
  /** Why the controller did what it did; for the trace only. Result: none. */
  | {
      readonly effect: 'decision'
      readonly canary: string
      readonly reason: ReasonCode
      readonly message: string
      readonly evidence: readonly MetricEvidence[]
    }
  /** Result: none, after `ms` simulated milliseconds. */
  | { readonly effect: 'sleep'; readonly ms: number }
  /** Result: {@link Instant}. */
  | { readonly effect: 'now' }
  /** Result: a random UUIDv4, ten random letters, or a fraction in [0, 1). */
  | { readonly effect: 'random'; readonly of: 'uuid' | 'letters' | 'fraction' }

/** A line of the controller's log. */
export type LogEffect = Extract<Effect, { effect: 'log' }>

/** A program that yields effects, receives their results and returns a value. */
export type Plan<Value> = Generator<Effect, Value, unknown>

/** Performs an API request. */
export function request(apiRequest: ApiRequest): Plan<ApiResponse> {
  return performed({ effect: 'api', request: apiRequest }) as Plan<ApiResponse>
}

/** Performs a query, a webhook attempt or an alert. */
export function exchange(effect: Extract<Effect, { effect: 'query' | 'webhook' | 'alert' }>): Plan<HttpOutcome> {
  return performed(effect) as Plan<HttpOutcome>
}

/** Reads an object from the informer cache; undefined when it is not there. */
export function lookup(
  resource: 'metrictemplates' | 'alertproviders' | 'canaries',
  namespace: string,
  name: string
): Plan<KubeObject | undefined> {
  return performed({ effect: 'lookup', resource, namespace, name }) as Plan<KubeObject | undefined>
}

/** The simulated time. */
export function now(): Plan<Instant> {
  return performed({ effect: 'now' }) as Plan<Instant>
}

/** Waits for simulated milliseconds. */
export function sleep(ms: number): Plan<void> {
  return performed({ effect: 'sleep', ms }) as Plan<void>
}

/** A random UUIDv4 or ten random letters. */
export function randomText(of: 'uuid' | 'letters'): Plan<string> {
  return performed({ effect: 'random', of }) as Plan<string>
}

/** A random number in [0, 1). */
export function randomFraction(): Plan<number> {
  return performed({ effect: 'random', of: 'fraction' }) as Plan<number>
}

/** Writes a log line. */
export function log(level: 'debug' | 'info' | 'warn' | 'error', message: string, canary?: string): Plan<void> {
  const effect: Effect =
    canary === undefined ? { effect: 'log', level, message } : { effect: 'log', level, message, canary }
  return performed(effect) as Plan<void>
}
