import type { Canary } from '../../../kinds/index.ts'
import { sendAlert } from '../alerts.ts'
import type { Plan } from '../effects.ts'
import { decide, recordInfo, recordWarning } from '../events.ts'
import { failureOf } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName } from '../spec.ts'
import { callHook, hooksOf } from '../webhooks.ts'

/**
 * Gates before each step of the weights, the promotion included; a refusal is told and alerted on every tick.
 * @returns whether every gate is open
 */
export function* trafficIncreaseConfirmed(settings: ControllerSettings, canary: Canary): Plan<boolean> {
  for (const hook of hooksOf(canary, 'confirm-traffic-increase')) {
    if ((yield* failureOf(callHook(canary, 'Progressing', hook))) === undefined) {
      yield* recordInfo(settings, canary, `Confirm-traffic-increase check ${hook.name} passed`)
      continue
    }
    const message = `Halt ${fullName(canary)} advancement waiting for traffic increase approval ${hook.name}`
    yield* decide(canary, 'halt-gate', message)
    yield* recordWarning(settings, canary, message)
    const alert = { message: 'Canary traffic increase is waiting for approval.', severity: 'warn' } as const
    if (hook.muteAlert !== true) yield* sendAlert(settings, canary, alert)
    return false
  }
  return true
}
