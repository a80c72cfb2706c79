import type { Canary } from '../../../kinds/index.ts'
import { sendAlert } from '../alerts.ts'
import { log, type Plan } from '../effects.ts'
import { decide, recordInfo, recordWarning } from '../events.ts'
import { failureOf } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, statusOf } from '../spec.ts'
import { setStatusPhase } from '../status.ts'
import { callHook, hooksOf } from '../webhooks.ts'

/**
 * Gates before a new revision is scaled up. A refusal puts the canary into Waiting; while it waits, refusals are silent.
 * @param untold - takes what is left to be told after the announcement of the revision
 * @returns whether every gate is open
 */
export function* rolloutConfirmed(settings: ControllerSettings, canary: Canary, untold: string[]): Plan<boolean> {
  for (const hook of hooksOf(canary, 'confirm-rollout')) {
    const { phase } = statusOf(canary)
    if ((yield* failureOf(callHook(canary, phase, hook))) === undefined) {
      const message = `Confirm-rollout check ${hook.name} passed`
      if (settings.quirks['rollout-gate-before-announcement']) yield* recordInfo(settings, canary, message)
      else untold.push(message)
      continue
    }
    if (phase === 'Waiting') return false
    const failure = yield* failureOf(setStatusPhase(canary, 'Waiting', settings.quirks))
    if (failure !== undefined) yield* log('error', failure.message, fullName(canary))
    const message = `Halt ${fullName(canary)} advancement waiting for approval ${hook.name}`
    yield* decide(canary, 'halt-gate', message)
    yield* recordWarning(settings, canary, message)
    if (hook.muteAlert !== true)
      yield* sendAlert(settings, canary, { message: 'Canary is waiting for approval.', severity: 'warn' })
    return false
  }
  return true
}
