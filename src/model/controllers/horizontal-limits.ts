import type { Instant } from '../../lib/time/index.ts'
import type { Autoscaler, AutoscalerMemory, ScalingRules } from './horizontal-shapes.ts'

/** How long a higher recommendation keeps an autoscaler without behaviour from shrinking. */
const DOWNSCALE_WINDOW_SECONDS = 300

/** A condition to set, in upstream's words. */
export interface Remark {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** A bounded number of replicas and what is to be said about it. */
export interface Bounded {
  readonly replicas: number
  readonly remarks: readonly Remark[]
}

const LIMITS: Readonly<Record<string, string>> = {
  TooManyReplicas: 'the desired replica count is more than the maximum replica count',
  TooFewReplicas: 'the desired replica count is less than the minimum replica count',
  ScaleUpLimit: 'the desired replica count is increasing faster than the maximum scale rate',
  ScaleDownLimit: 'the desired replica count is decreasing faster than the maximum scale rate',
  DesiredWithinRange: 'the desired count is within the acceptable range'
}

/**
 * Applies stabilisation, scaling policies and bounds to a recommendation.
 * @see kubernetes/pkg/controller/podautoscaler/horizontal.go normalizeDesiredReplicas…, v1.36
 */
export function boundReplicas(
  autoscaler: Autoscaler,
  memory: AutoscalerMemory,
  state: { readonly current: number; readonly recommended: number; readonly now: Instant }
): Bounded {
  const rules = behaviorOf(autoscaler)
  const stabilized = stabilize(memory, rules, state)
  const remark = stabilityRemark(state.recommended, stabilized)
  const limited = limit(autoscaler, memory, { ...state, recommended: stabilized, rules })
  return { replicas: limited.replicas, remarks: [remark, limitRemark(limited.reason)] }
}

interface Behavior {
  readonly up: ScalingRules
  readonly down: ScalingRules
}

function behaviorOf(autoscaler: Autoscaler): Behavior {
  const { behavior } = autoscaler.spec
  const up = {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 }
    ],
    ...behavior?.scaleUp
  }
  const down = {
    stabilizationWindowSeconds: DOWNSCALE_WINDOW_SECONDS,
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    ...behavior?.scaleDown
  }
  return { up, down }
}

function stabilize(
  memory: AutoscalerMemory,
  rules: Behavior,
  state: { readonly current: number; readonly recommended: number; readonly now: Instant }
): number {
  const { current, recommended, now } = state
  const upFrom = now - (rules.up.stabilizationWindowSeconds ?? 0) * 1000
  const downFrom = now - (rules.down.stabilizationWindowSeconds ?? DOWNSCALE_WINDOW_SECONDS) * 1000
  let lowest = recommended
  let highest = recommended
  for (const each of memory.recommendations) {
    if (each.at > upFrom) lowest = Math.min(lowest, each.replicas)
    if (each.at > downFrom) highest = Math.max(highest, each.replicas)
  }
  const oldest = Math.min(upFrom, downFrom)
  memory.recommendations = memory.recommendations.filter((each) => each.at > oldest)
  memory.recommendations.push({ replicas: recommended, at: now })
  // Between both bounds the current size stays.
  return Math.min(Math.max(current, lowest), highest)
}

function stabilityRemark(recommended: number, stabilized: number): Remark {
  const remark = { type: 'AbleToScale', status: 'True' }
  if (stabilized > recommended) {
    const message = 'recent recommendations were higher than current one, applying the highest recent recommendation'
    return { ...remark, reason: 'ScaleDownStabilized', message }
  }
  if (stabilized < recommended) {
    const message = 'recent recommendations were lower than current one, applying the lowest recent recommendation'
    return { ...remark, reason: 'ScaleUpStabilized', message }
  }
  return { ...remark, reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
}

function limit(
  autoscaler: Autoscaler,
  memory: AutoscalerMemory,
  state: { readonly current: number; readonly recommended: number; readonly now: Instant; readonly rules: Behavior }
): { readonly replicas: number; readonly reason: string } {
  const { current, recommended, now, rules } = state
  const min = autoscaler.spec.minReplicas ?? 1
  const max = autoscaler.spec.maxReplicas
  if (recommended > current) {
    // Without declared behaviour an older rule holds: at most double, but four are always allowed.
    const free = autoscaler.spec.behavior === undefined
    const allowed = free ? Math.max(2 * current, 4) : policyLimit(rules.up, { current, now, memory, sign: 1 })
    const ceiling = Math.max(current, allowed)
    if (recommended > Math.min(max, ceiling)) {
      return { replicas: Math.min(max, ceiling), reason: max <= ceiling ? 'TooManyReplicas' : 'ScaleUpLimit' }
    }
  } else if (recommended < current) {
    const floor = Math.min(current, policyLimit(rules.down, { current, now, memory, sign: -1 }))
    if (recommended < Math.max(min, floor)) {
      return { replicas: Math.max(min, floor), reason: min >= floor ? 'TooFewReplicas' : 'ScaleDownLimit' }
    }
  }
  return { replicas: recommended, reason: 'DesiredWithinRange' }
}

/** The farthest size the policies of one direction allow now. */
function policyLimit(
  rules: ScalingRules,
  state: { readonly current: number; readonly now: Instant; readonly memory: AutoscalerMemory; readonly sign: 1 | -1 }
): number {
  const { current, now, memory, sign } = state
  if (rules.selectPolicy === 'Disabled') return current
  const bounds = (rules.policies ?? []).map((policy) => {
    const since = now - policy.periodSeconds * 1000
    const added = sumSince(memory.ups, since)
    const removed = sumSince(memory.downs, since)
    const base = current - added + removed
    if (policy.type === 'Pods') return base + sign * policy.value
    const share = base * (1 + (sign * policy.value) / 100)
    return sign > 0 ? Math.ceil(share) : Math.trunc(share)
  })
  if (bounds.length === 0) return current
  const widest = rules.selectPolicy !== 'Min'
  return sign > 0 === widest ? Math.max(...bounds) : Math.min(...bounds)
}

function sumSince(events: readonly { readonly change: number; readonly at: Instant }[], since: Instant): number {
  return events.reduce((sum, event) => (event.at > since ? sum + event.change : sum), 0)
}

function limitRemark(reason: string): Remark {
  const limited = reason === 'DesiredWithinRange' ? 'False' : 'True'
  return { type: 'ScalingLimited', status: limited, reason, message: LIMITS[reason] ?? '' }
}
