import type { Canary } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'
import { decide, recordInfo, recordWarning } from '../events.ts'
import { failureOf } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName } from '../spec.ts'
import { callHook, hooksOf } from '../webhooks.ts'

/**
 * Acceptance tests before the first traffic.
 * @returns whether all passed
 */
export function* preRolloutPassed(settings: ControllerSettings, canary: Canary): Plan<boolean> {
  for (const hook of hooksOf(canary, 'pre-rollout')) {
    const failure = yield* failureOf(callHook(canary, 'Progressing', hook))
    if (failure !== undefined) {
      const message = `Halt ${fullName(canary)} advancement pre-rollout check ${hook.name} failed ${failure.message}`
      yield* decide(canary, 'halt-webhook', message)
      yield* recordWarning(settings, canary, message)
      return false
    }
    yield* recordInfo(settings, canary, `Pre-rollout check ${hook.name} passed`)
  }
  return true
}
