import type { Canary, CanaryCondition, CanaryPhase } from '../../kinds/index.ts'

/** Phases in which a change of the target restarts the analysis and failed checks are counted. */
export function isAnalysing(phase: CanaryPhase): boolean {
  return phase === 'Progressing' || phase === 'WaitingPromotion'
}

/** Phases that go on without looking for a change first. */
export function isUnderWay(phase: CanaryPhase): boolean {
  return isAnalysing(phase) || phase === 'Waiting' || phase === 'Promoting' || phase === 'Finalising'
}

/**
 * The condition list for a phase, or undefined when the present one already says so.
 * @param timestamp - RFC 3339
 * @see fluxcd/flagger pkg/canary/status.go MakeStatusConditions 1.44.0
 */
export function conditionsFor(canary: Canary, phase: CanaryPhase, timestamp: string): CanaryCondition[] | undefined {
  const current = canary.status?.conditions?.find((condition) => condition.type === 'Promoted')
  const [status, message] = conditionText(phase, canary.spec.targetRef.kind)
  if (current !== undefined && current.status === status && (current.reason ?? '') === phase) return undefined
  const lastTransitionTime = current?.status === status ? (current.lastTransitionTime ?? timestamp) : timestamp
  return [{ type: 'Promoted', status, lastUpdateTime: timestamp, lastTransitionTime, reason: phase, message }]
}

function conditionText(phase: CanaryPhase, kind: string): readonly [status: string, message: string] {
  switch (phase) {
    case 'Initialized':
      return ['True', `${kind} initialization completed.`]
    case 'Waiting':
    case 'WaitingPromotion':
      return ['Unknown', 'Waiting for approval.']
    case 'Progressing':
      return ['Unknown', 'New revision detected, progressing canary analysis.']
    case 'Promoting':
      return ['Unknown', 'Canary analysis completed, starting primary rolling update.']
    case 'Finalising':
      return ['Unknown', 'Canary analysis completed, routing all traffic to primary.']
    case 'Succeeded':
      return ['True', 'Canary analysis completed successfully, promotion finished.']
    case 'Failed':
      return ['False', `Canary analysis failed, ${kind} scaled to zero.`]
    default:
      return ['Unknown', `New ${kind} detected, starting initialization.`]
  }
}
