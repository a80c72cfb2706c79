import type { Canary, CanaryWebhook } from '../../../kinds/index.ts'
import { log, now, type Plan } from '../effects.ts'
import { failureOf } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, statusOf } from '../spec.ts'
import { hooksOf, postHook, statusPayload } from '../webhooks.ts'

/** An event as its receivers are told about it. */
export interface PublishedEvent {
  readonly type: 'Normal' | 'Warning'
  readonly message: string
}

/**
 * Posts an event to the canary's own event hooks, or to the global one where it has none. It waits for each of them; a
 * failure is a line of the log.
 * @see fluxcd/flagger pkg/controller/events.go sendEventToWebhook 1.44.0
 */
export function* publishEvent(settings: ControllerSettings, canary: Canary, event: PublishedEvent): Plan<void> {
  for (const hook of receivers(settings, canary)) {
    const failure = yield* failureOf(post(canary, hook, event))
    if (failure !== undefined)
      yield* log('error', `error sending event to webhook: ${failure.message}`, fullName(canary))
  }
}

function receivers(settings: ControllerSettings, canary: Canary): readonly CanaryWebhook[] {
  const own = hooksOf(canary, 'event')
  if (own.length > 0 || settings.eventWebhook === '') return own
  return [{ name: 'events', type: 'event', url: settings.eventWebhook }]
}

function* post(canary: Canary, hook: CanaryWebhook, event: PublishedEvent): Plan<void> {
  const own = {
    eventMessage: event.message,
    eventType: event.type,
    timestamp: String(Math.floor(yield* now()))
  }
  const payload = { ...statusPayload(canary, statusOf(canary).phase), metadata: { ...hook.metadata, ...own } }
  yield* postHook(hook, payload, hook.timeout === undefined || hook.timeout === '' ? '10s' : hook.timeout)
}
