import type { Canary } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'
import { decide, recordWarning } from '../events.ts'
import { failureOf } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName } from '../spec.ts'
import { callHook, hooksOf } from '../webhooks.ts'

/**
 * External checks of every analysis tick, before the metrics; success is silent.
 * @returns whether all passed
 */
export function* rolloutChecksPassed(settings: ControllerSettings, canary: Canary): Plan<boolean> {
  for (const hook of hooksOf(canary, 'rollout')) {
    const failure = yield* failureOf(callHook(canary, 'Progressing', hook))
    if (failure === undefined) continue
    const message = `Halt ${fullName(canary)} advancement external check ${hook.name} failed ${failure.message}`
    yield* decide(canary, 'halt-webhook', message)
    yield* recordWarning(settings, canary, message)
    return false
  }
  return true
}
