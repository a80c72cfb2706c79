import { advancePlan, NOT_YET, type Effect, type Plan } from '../../model/canary/index.ts'

/** Carries out one effect and calls back with its result, at once or later, exactly once. */
export type Perform = (effect: Effect, resume: (result: unknown) => void) => void

/**
 * Runs a plan: each effect is performed and its result handed back. The same loop serves worlds that answer at once, in the
 * plan's own stack, and worlds that answer over a network; it never recurses, however many effects are answered at once.
 * @param perform - carries out effects
 * @param finish - called once with the plan's value, or with the error it threw
 * @returns a function that abandons the plan: as if the process had died, nothing more is performed
 */
export function drive<Value>(
  plan: Plan<Value>,
  perform: Perform,
  finish: (outcome: { readonly value: Value } | { readonly error: unknown }) => void
): () => void {
  let performing = false
  let answer: unknown
  /** What the plan has had performed, last, in its own stack. */
  let asked: Effect | undefined
  /** Set once the plan is over or abandoned: nothing is taken any more. */
  let over = false
  /** An error of the world is none of the plan's: it hears of it as little as of the end of its process. */
  let broken: { readonly error: unknown } | undefined
  const resume = (result: unknown): void => {
    if (over) return
    if (performing) answer = result
    else run(result)
  }
  const performAtOnce = (effect: Effect): unknown => {
    asked = effect
    answer = NOT_YET
    performing = true
    try {
      perform(effect, resume)
    } catch (error) {
      over = true
      broken = { error }
    } finally {
      performing = false
    }
    return over ? NOT_YET : answer
  }
  const run = (result: unknown): void => {
    try {
      let input = result
      do {
        asked = undefined
        const step = advancePlan(plan, input, performAtOnce)
        if (step.done === true) {
          over = true
          return finish({ value: step.value })
        }
        input = step.value === asked ? NOT_YET : performAtOnce(step.value)
      } while (input !== NOT_YET)
    } catch (error) {
      over = true
      broken = { error }
    }
    if (broken !== undefined) finish(broken)
  }
  run(undefined)
  return () => {
    over = true
  }
}
