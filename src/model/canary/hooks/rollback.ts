import type { Canary } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'
import { recordInfo, recordWarning } from '../events.ts'
import { failureOf } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { statusOf } from '../spec.ts'
import { callHook, hooksOf } from '../webhooks.ts'

/**
 * Hooks by which a person or a system asks for a rollback; the first success decides.
 * @returns whether to roll back
 */
export function* rollbackRequested(settings: ControllerSettings, canary: Canary): Plan<boolean> {
  for (const hook of hooksOf(canary, 'rollback')) {
    if ((yield* failureOf(callHook(canary, statusOf(canary).phase, hook))) === undefined) {
      yield* recordWarning(settings, canary, `Rollback check ${hook.name} passed`)
      return true
    }
    if (settings.quirks['rollback-hook-tells-every-tick'])
      yield* recordInfo(settings, canary, `Rollback hook ${hook.name} not signaling a rollback`)
  }
  return false
}
