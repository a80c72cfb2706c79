/**
 * What an app needs of the world around it, as typed effects: an app never waits or calls by itself,
 * so that the same app runs on sockets, on a virtual clock and in a process of its own.
 */

/** A call an app makes to another server of the cluster. */
export interface AppFetch {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Client-side limit in simulated milliseconds. */
  readonly timeoutMs: number
}

/** What became of an {@link AppFetch}. */
export type AppFetchResult =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      /** Simulated milliseconds from the call to the whole answer. */
      readonly elapsedMs: number
    }
  | {
      readonly ok: false
      readonly reason: 'refused' | 'reset' | 'timeout' | 'unresolved'
      readonly message: string
      readonly elapsedMs: number
    }

/** What a shell command gave back; `output` is stdout and stderr in the order written. */
export interface AppShellResult {
  readonly exitCode: number
  readonly output: string
}

/** Something an app asks of its world. */
export type AppEffect =
  | { readonly effect: 'sleep'; readonly ms: number }
  | { readonly effect: 'now' }
  /** Calls run side by side; the results come in the order of the calls. */
  | { readonly effect: 'fetch'; readonly requests: readonly AppFetch[] }
  | { readonly effect: 'shell'; readonly argv: readonly string[]; readonly timeoutMs: number }
  /** Status line and headers go out before the body is there. */
  | { readonly effect: 'head'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  /** The container's process ends. */
  | { readonly effect: 'exit'; readonly code: number }
  | { readonly effect: 'log'; readonly line: string }
  /** Runs another plan beside this one. */
  | { readonly effect: 'spawn'; readonly name: string; readonly plan: AppTask }

/** Result of an effect: a time for `now`, results for `fetch` and `shell`, nothing for the others. */
export type AppEffectResult = undefined | number | readonly AppFetchResult[] | AppShellResult

/** How an app answers a request. */
export type AppAnswer =
  | {
      readonly kind: 'response'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  /** No answer, ever; the connection stays open. */
  | { readonly kind: 'hang' }
  /** The connection is reset (RST). */
  | { readonly kind: 'reset' }
  /** The connection is closed in order (FIN) without an answer. */
  | { readonly kind: 'close' }

/** The handling of one request. */
export type AppPlan = Generator<AppEffect, AppAnswer, AppEffectResult>

/** Work that answers nobody. */
export type AppTask = Generator<AppEffect, void, AppEffectResult>

/** Waits for simulated milliseconds. */
export function* sleep(ms: number): Generator<AppEffect, void, AppEffectResult> {
  if (ms > 0) yield { effect: 'sleep', ms }
}

/** Reads simulated time. */
export function* readNow(): Generator<AppEffect, number, AppEffectResult> {
  const now = yield { effect: 'now' }
  return typeof now === 'number' ? now : 0
}

/** Calls other servers side by side. */
export function* fetchAll(
  requests: readonly AppFetch[]
): Generator<AppEffect, readonly AppFetchResult[], AppEffectResult> {
  const results = yield { effect: 'fetch', requests }
  return Array.isArray(results) ? results : []
}

/** A response with a body. */
export function respond(status: number, headers: Readonly<Record<string, string>>, body: string): AppAnswer {
  return { kind: 'response', status, headers, body }
}
