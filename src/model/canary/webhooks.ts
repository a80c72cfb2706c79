import { parseDuration, parseUrl, urlText } from '../../lib/golang/index.ts'
import type { Canary, CanaryPhase, CanaryWebhook, WebhookType } from '../../kinds/index.ts'
import { sleep, type Effect, type HttpOutcome, type HttpRequest, type Plan } from './effects.ts'
import { StepFailed } from './failure.ts'
import { statusChecksum } from './hash.ts'
import { requested, transportError, withMaskedPassword } from './http.ts'
import { namespaceOf, statusOf } from './spec.ts'

const DEFAULT_TIMEOUT = '10s'
/** Highest status that counts as success. */
const SUCCESS_MAX = 202
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

const NO_HOOKS: readonly CanaryWebhook[] = []

/** The hooks of one type, in list order; `rollout` includes those without type. */
export function hooksOf(canary: Canary, type: Exclude<WebhookType, ''>): readonly CanaryWebhook[] {
  const { webhooks } = canary.spec.analysis
  return webhooks === undefined ? NO_HOOKS : webhooks.filter((hook) => (hook.type || 'rollout') === type)
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
  const parsed = parseUrl(hook.url)
  if (!parsed.ok) throw new StepFailed(parsed.error)
  const duration = parseDuration(timeout)
  if (!duration.ok) throw new StepFailed(duration.error)
  const answer = yield* withRetries(hook, {
    method: 'POST',
    url: urlText(parsed.url),
    headers: { 'content-type': 'application/json' },
    body: goJson(payload),
    timeoutMs: duration.ms,
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
  const attempting = (attempt: HttpRequest): Extract<Effect, { effect: 'webhook' }> => ({
    effect: 'webhook',
    hook: hook.name,
    type: hook.type || 'rollout',
    request: attempt
  })
  for (let attempt = 0; ; attempt++) {
    const outcome = yield* requested(request, attempting)
    const again = shouldRetry(outcome)
    if (outcome.ok && !again) return outcome
    if (!again || attempt >= retries) throw givingUp(request, attempt + 1, outcome)
    yield* sleep(retryWaitMs(outcome, attempt))
  }
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
  const text = `${request.method} ${withMaskedPassword(request.url, 'xxxxx')} giving up after ${attempts} attempt(s)`
  return new StepFailed(outcome.ok ? text : `${text}: ${transportError(request, outcome)}`)
}

/** JSON as Go marshals it: `<`, `>` and `&` escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}
