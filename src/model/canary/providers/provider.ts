import type { MetricTemplate } from '../../../kinds/index.ts'
import { parseDuration } from '../../../lib/golang/index.ts'
import type { HttpOutcome, HttpRequest, Plan } from '../effects.ts'
import { StepFailed } from '../failure.ts'
import { requested, transportError } from '../http.ts'

/** A metrics server that queries are put to; failures are thrown as StepFailed. */
export interface MetricProvider {
  /**
   * Runs a query.
   * @param metric - name for the trace
   * @throws NoValues, StepFailed
   */
  query(metric: string, text: string): Plan<number>
  /** Throws when the server does not answer. */
  requireOnline(): Plan<void>
}

/** What a provider is made from. */
export interface ProviderContext {
  readonly provider: MetricTemplate['spec']['provider']
  /** Data of the secret, decoded; empty without secretRef. */
  readonly credentials: Readonly<Record<string, string>>
  /** Interval of the metric as it stands; `''` where it has none. */
  readonly interval: string
  /** Counts the values of Authorization that headers in a cache gather. */
  readonly nextValues: () => number
}

/** A query had no value; Flagger reports that apart from other errors. */
export class NoValues extends StepFailed {}

/** What an error of Go is printed as by `%w` when there is none. */
export const NIL_ERROR = '%!w(<nil>)'

const TIMEOUT_MS = 5000

/** An answer, whatever its status. */
export type Answered = Extract<HttpOutcome, { ok: true }>

/**
 * Makes a query's request with the time-out that all providers have.
 * @throws StepFailed `request failed: …` when there is no answer
 */
export function* answered(
  metric: string,
  query: string,
  request: Pick<HttpRequest, 'url' | 'headers'> & { readonly insecure?: boolean }
): Plan<Answered> {
  const { url, headers, insecure } = request
  const whole: HttpRequest = {
    method: 'GET',
    url,
    headers,
    timeoutMs: TIMEOUT_MS,
    ...(insecure === true ? { insecure } : {})
  }
  const outcome = yield* requested(whole, (one) => ({ effect: 'query', metric, query, request: one }))
  if (!outcome.ok) throw new StepFailed(`request failed: ${transportError(whole, outcome)}`)
  return outcome
}

/** The secret's value for a key. @throws StepFailed with the text that says it is missing */
export function credential({ credentials }: ProviderContext, key: string, missing: string): string {
  const value = credentials[key]
  if (value === undefined) throw new StepFailed(missing)
  return value
}

/** Milliseconds of the metric's interval. @throws StepFailed */
export function intervalMs({ interval }: ProviderContext): number {
  const parsed = parseDuration(interval)
  if (!parsed.ok) throw new StepFailed(`error parsing metric interval: ${parsed.error}`)
  return parsed.ms
}
