import { parseGoDuration } from '../../lib/time/index.ts'
import type { Canary, CanaryPhase, CanaryWebhook, WebhookType } from '../../kinds/index.ts'
import { exchange, sleep, type HttpOutcome, type HttpRequest, type Plan } from './effects.ts'
import { StepFailed } from './failure.ts'
import { statusChecksum } from './hash.ts'
import { namespaceOf, statusOf } from './spec.ts'

const DEFAULT_TIMEOUT = '10s'
/** Highest status that counts as success. */
const SUCCESS_MAX = 202
const REDIRECTS_MAX = 10
const RETRY_WAIT_MIN_MS = 1000
const RETRY_WAIT_MAX_MS = 30_000

/** Body of every webhook request. */
export interface WebhookPayload {
  readonly name: string
  readonly namespace: string
  readonly phase: string
  readonly checksum: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** The hooks of one type, in list order; `rollout` includes those without type. */
export function hooksOf(canary: Canary, type: Exclude<WebhookType, ''>): readonly CanaryWebhook[] {
  return (canary.spec.analysis.webhooks ?? []).filter((hook) => (hook.type || 'rollout') === type)
}

/**
 * Calls a hook.
 * @param phase - the phase the payload tells
 * @throws StepFailed with the text that follows "failed" in events
 * @see fluxcd/flagger pkg/controller/webhook.go CallWebhook 1.44.0
 */
export function* callHook(canary: Canary, phase: CanaryPhase, hook: CanaryWebhook): Plan<void> {
  const metadata = hook.metadata ?? {}
  const payload = { ...statusPayload(canary, phase), ...(Object.keys(metadata).length > 0 ? { metadata } : {}) }
  const timeout = hook.timeout ?? ''
  yield* postHook(hook, payload, timeout.length < 2 ? DEFAULT_TIMEOUT : timeout)
}

/** The payload without metadata; its checksum tells one revision from another. */
export function statusPayload(canary: Canary, phase: CanaryPhase): WebhookPayload {
  const { trackedConfigs, lastAppliedSpec = '' } = statusOf(canary)
  const checksum = statusChecksum(trackedConfigs, lastAppliedSpec)
  return { name: canary.metadata.name, namespace: namespaceOf(canary), phase, checksum }
}

/**
 * Posts a payload with retries.
 * @param timeout - Go duration of one attempt
 * @throws StepFailed when the last answer is not 202 or below
 */
export function* postHook(hook: CanaryWebhook, payload: WebhookPayload, timeout: string): Plan<void> {
  const timeoutMs = parseGoDuration(timeout)
  if (timeoutMs === undefined) throw new StepFailed(durationError(timeout))
  const answer = yield* withRetries(hook, {
    method: 'POST',
    url: hook.url,
    headers: { 'content-type': 'application/json' },
    body: goJson(payload),
    timeoutMs,
    ...(hook.disableTLS === true ? { insecure: true } : {})
  })
  if (answer.status > SUCCESS_MAX) throw new StepFailed(answer.body)
}

/**
 * go-retryablehttp's default policy and back-off: connection errors, 429 and 5xx except 501 are repeated after
 * 1, 2, 4 … 30 seconds or what Retry-After says; after the last attempt the body is dropped.
 * @see hashicorp/go-retryablehttp client.go v0.7.8 Do, DefaultRetryPolicy, DefaultBackoff
 */
function* withRetries(hook: CanaryWebhook, request: HttpRequest): Plan<Extract<HttpOutcome, { ok: true }>> {
  const retries = hook.retries ?? 0
  for (let attempt = 0; ; attempt++) {
    const outcome = yield* followingRedirects(hook, request)
    const again = shouldRetry(outcome)
    if (outcome.ok && !again) return outcome
    if (!again || attempt >= retries) throw givingUp(request, attempt + 1, outcome)
    yield* sleep(retryWaitMs(outcome, attempt))
  }
}

/** One attempt; 307 and 308 repeat the POST, 301 to 303 become a GET without body. */
function* followingRedirects(hook: CanaryWebhook, first: HttpRequest): Plan<HttpOutcome> {
  let request = first
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const unusable = unusableUrl(request.url)
    if (unusable !== undefined) return unusable
    const outcome = yield* exchange({ effect: 'webhook', hook: hook.name, type: hook.type || 'rollout', request })
    const location = outcome.ok ? outcome.headers['location'] : undefined
    if (!outcome.ok || location === undefined || !isRedirect(outcome.status)) return outcome
    request = redirected(request, location, outcome.status)
  }
  return { ok: false, error: `stopped after ${REDIRECTS_MAX} redirects`, retriable: false }
}

/** What Go's client says about a URL before it connects. */
function unusableUrl(url: string): HttpOutcome | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
  if (scheme !== 'http' && scheme !== 'https') {
    return { ok: false, error: `unsupported protocol scheme ${JSON.stringify(scheme)}`, retriable: false }
  }
  return URL.canParse(url) ? undefined : { ok: false, error: 'http: no Host in request URL' }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

function redirected(request: HttpRequest, location: string, status: number): HttpRequest {
  const url = URL.canParse(location, request.url) ? new URL(location, request.url).href : location
  if (status === 307 || status === 308) return { ...request, url }
  const { body: _body, ...rest } = request
  return { ...rest, method: 'GET', url }
}

function shouldRetry(outcome: HttpOutcome): boolean {
  if (!outcome.ok) return outcome.retriable !== false
  return outcome.status === 429 || outcome.status === 0 || (outcome.status >= 500 && outcome.status !== 501)
}

function retryWaitMs(outcome: HttpOutcome, attempt: number): number {
  if (outcome.ok && (outcome.status === 429 || outcome.status === 503)) {
    const seconds = Number(outcome.headers['retry-after'])
    if (outcome.headers['retry-after'] !== undefined && Number.isInteger(seconds)) return seconds * 1000
  }
  return Math.min(RETRY_WAIT_MAX_MS, 2 ** attempt * RETRY_WAIT_MIN_MS)
}

function givingUp(request: HttpRequest, attempts: number, outcome: HttpOutcome): StepFailed {
  const text = `${request.method} ${withoutPassword(request.url, 'xxxxx')} giving up after ${attempts} attempt(s)`
  if (outcome.ok) return new StepFailed(text)
  return new StepFailed(`${text}: ${transportError(request, outcome.error)}`)
}

/** Go's url.Error: `Post "<url>": <error>`. */
function transportError(request: HttpRequest, error: string): string {
  const verb = request.method === 'POST' ? 'Post' : 'Get'
  return `${verb} "${withoutPassword(request.url, '***')}": ${error}`
}

function withoutPassword(url: string, mask: string): string {
  return url.replace(/^([a-z+.-]+:\/\/[^/?#@:]*):[^/?#@]*@/i, `$1:${mask}@`)
}

function durationError(text: string): string {
  if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return `time: missing unit in duration ${JSON.stringify(text)}`
  const unit = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*(?:\d+\.?\d*|\.\d+)([^\d.]+)/.exec(text)?.[1]
  if (unit !== undefined) return `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`
  return `time: invalid duration ${JSON.stringify(text)}`
}

/** JSON as Go marshals it: `<`, `>` and `&` escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
