import type { ApiRequest, ApiResponse } from '../../kinds/index.ts'
import type { ControllerEvent, Plan, Requeue } from '../../model/controllers/index.ts'

/** Most effects one plan may have; more means a plan that never ends. */
const MAX_EFFECTS = 1_000_000
const NO_ANSWER: ApiResponse = { code: 200, body: {} }

/** Executes effects of plans. */
export interface PlanPort {
  send(request: ApiRequest): ApiResponse
  record(event: ControllerEvent): void
}

/** Runs a plan to its end, or to its first refused write. */
export function runPlan(plan: Plan<Requeue>, port: PlanPort): Requeue {
  let answer = NO_ANSWER
  for (let step = 0; step < MAX_EFFECTS; step++) {
    const next = plan.next(answer)
    if (next.done === true) return next.value
    const effect = next.value
    answer = NO_ANSWER
    if (effect.effect === 'event') port.record(effect.event)
    else {
      answer = port.send(effect.request)
      if (answer.code >= 400 && !effect.tolerate) return { retry: true }
    }
  }
  return { retry: true }
}
