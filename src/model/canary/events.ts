import type { Canary, CanaryPhase } from '../../kinds/index.ts'
import type { MetricEvidence, ReasonCode } from '../../trace/index.ts'
import { log, type Plan } from './effects.ts'
import { publishEvent } from './hooks/event.ts'
import { performed } from './performing.ts'
import type { ControllerSettings } from './settings.ts'
import { fullName, namespaceOf, statusOf, targetFullName } from './spec.ts'

/** Records an ordinary Normal event. */
export function recordInfo(settings: ControllerSettings, canary: Canary, message: string): Plan<void> {
  return record(settings, canary, { type: 'Normal', level: 'info', message })
}

/** Records an ordinary Warning event; its log line has level info, as upstream. */
export function recordWarning(settings: ControllerSettings, canary: Canary, message: string): Plan<void> {
  return record(settings, canary, { type: 'Warning', level: 'info', message })
}

/** Records a Warning event whose log line has level error. */
export function recordError(settings: ControllerSettings, canary: Canary, message: string): Plan<void> {
  return record(settings, canary, { type: 'Warning', level: 'error', message })
}

/** What announcements about a release call it: some say the target's name, others the canary's. */
export function releaseName(settings: ControllerSettings, canary: Canary): string {
  return settings.quirks['events-mix-names'] ? targetFullName(canary) : fullName(canary)
}

/** The canary as it will be after a phase change; events are sometimes recorded on it before the change is written. */
export function withPhase(canary: Canary, phase: CanaryPhase): Canary {
  return { ...canary, status: { ...statusOf(canary), phase } }
}

/** Tells the trace why; nothing Flagger would do. */
export function decide(
  canary: Canary,
  reason: ReasonCode,
  message: string,
  evidence: readonly MetricEvidence[] = []
): Plan<void> {
  return performed({ effect: 'decision', canary: fullName(canary), reason, message, evidence }) as Plan<void>
}

interface EventText {
  readonly type: 'Normal' | 'Warning'
  readonly level: 'info' | 'error'
  readonly message: string
}

function* record(settings: ControllerSettings, canary: Canary, event: EventText): Plan<void> {
  yield* log(event.level, event.message, fullName(canary))
  const { name, uid = '', resourceVersion = '' } = canary.metadata
  yield* performed({
    effect: 'event',
    canary: { name, namespace: namespaceOf(canary), uid, resourceVersion },
    type: event.type,
    message: event.message,
    phase: statusOf(canary).phase
  })
  yield* publishEvent(settings, canary, event)
}
