import type { Instant } from '../../../src/lib/time/index.ts'
import type { App, AppAnswer, AppEffectResult, AppPlan, AppRequest } from '../../../src/model/app/index.ts'

/** What a plan did on the way to its answer, in virtual time. */
export interface Driven {
  readonly answer: AppAnswer
  readonly elapsedMs: number
  readonly exitCode: number | undefined
  /** Headers that went out before the body. */
  readonly head: Readonly<Record<string, string>> | undefined
  readonly shell: readonly (readonly string[])[]
}

/** Runs an app's plan to its end at once; sleeping only adds up. */
export function drive(app: App, request: Partial<AppRequest>, now: Instant): Driven {
  return drivePlan(
    app.serve({ method: 'GET', target: '/', headers: [], body: '', port: 9898, key: 'k', ...request }, now),
    now
  )
}

/** Runs a plan to its end at once. */
export function drivePlan(plan: AppPlan, start: Instant): Driven {
  let now = start
  let exitCode: number | undefined
  let head: Readonly<Record<string, string>> | undefined
  const shell: (readonly string[])[] = []
  let value: AppEffectResult
  for (;;) {
    const step = plan.next(value)
    value = undefined
    if (step.done === true) return { answer: step.value, elapsedMs: now - start, exitCode, head, shell }
    const effect = step.value
    if (effect.effect === 'sleep') now += effect.ms
    else if (effect.effect === 'now') value = now
    else if (effect.effect === 'exit') exitCode = effect.code
    else if (effect.effect === 'head') ({ headers: head } = effect)
    else if (effect.effect === 'fetch') {
      value = effect.requests.map(() => ({
        ok: false as const,
        reason: 'refused' as const,
        message: 'refused',
        elapsedMs: 0
      }))
    } else if (effect.effect === 'shell') {
      shell.push(effect.argv)
      value = { exitCode: 0, output: '' }
    }
  }
}
