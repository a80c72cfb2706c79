import type { Canary } from '../../../kinds/index.ts'
import { sendAlert } from '../alerts.ts'
import { log, type Plan } from '../effects.ts'
import { decide, recordInfo, recordWarning } from '../events.ts'
import { failureOf } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, statusOf } from '../spec.ts'
import { setStatusCounter, setStatusPhase } from '../status.ts'
import { callHook, hooksOf } from '../webhooks.ts'

/**
 * Gates before the promotion. The first refusal puts the canary into WaitingPromotion, later ones set the iterations
 * back by one and are silent.
 * @returns whether every gate is open
 */
export function* promotionConfirmed(settings: ControllerSettings, canary: Canary): Plan<boolean> {
  for (const hook of hooksOf(canary, 'confirm-promotion')) {
    if ((yield* failureOf(callHook(canary, 'Progressing', hook))) === undefined) {
      yield* recordInfo(settings, canary, `Confirm-promotion check ${hook.name} passed`)
      continue
    }
    if (statusOf(canary).phase === 'WaitingPromotion') {
      const iterations = (canary.spec.analysis.iterations ?? 0) - 1
      const failure = yield* failureOf(setStatusCounter(canary, 'iterations', iterations))
      if (failure !== undefined) yield* recordWarning(settings, canary, failure.message)
      return false
    }
    const failure = yield* failureOf(setStatusPhase(canary, 'WaitingPromotion', settings.quirks))
    if (failure !== undefined) yield* log('error', failure.message, fullName(canary))
    const message = `Halt ${fullName(canary)} advancement waiting for promotion approval ${hook.name}`
    yield* decide(canary, 'halt-gate', message)
    yield* recordWarning(settings, canary, message)
    const alert = { message: 'Canary promotion is waiting for approval.', severity: 'warn' } as const
    if (hook.muteAlert !== true) yield* sendAlert(settings, canary, alert)
    return false
  }
  return true
}
