import type { Canary, CanaryPhase } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'
import { recordInfo, recordWarning } from '../events.ts'
import { failureOf } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { callHook, hooksOf } from '../webhooks.ts'

/** Hooks after the end, good or bad; a failure skips those that follow and changes nothing else. */
export function* runPostRolloutHooks(settings: ControllerSettings, canary: Canary, phase: CanaryPhase): Plan<void> {
  for (const hook of hooksOf(canary, 'post-rollout')) {
    const failure = yield* failureOf(callHook(canary, phase, hook))
    if (failure !== undefined) {
      return yield* recordWarning(settings, canary, `Post-rollout hook ${hook.name} failed ${failure.message}`)
    }
    yield* recordInfo(settings, canary, `Post-rollout check ${hook.name} passed`)
  }
}
