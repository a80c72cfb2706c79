import type { Effect, Plan } from '../../model/canary/index.ts'

/** Carries out one effect and calls back with its result, at once or later, exactly once. */
export type Perform = (effect: Effect, resume: (result: unknown) => void) => void

/**
 * Runs a plan: each effect is performed and its result handed back. The same loop serves worlds that answer at once
 * and worlds that answer over a network; it never recurses, however many effects are answered at once.
 * @param perform - carries out effects
 * @param finish - called once with the plan's value, or with the error it threw
 * @returns a function that abandons the plan: as if the process had died, nothing more is performed
 */
export function drive<Value>(
  plan: Plan<Value>,
  perform: Perform,
  finish: (outcome: { readonly value: Value } | { readonly error: unknown }) => void
): () => void {
  let running = false
  let input: { readonly result: unknown } | undefined
  /** Set once the plan is over or abandoned: nothing is taken any more. */
  let over = false
  const resume = (result: unknown): void => {
    if (over) return
    input = { result }
    if (!running) run()
  }
  const run = (): void => {
    running = true
    try {
      while (input !== undefined) {
        const { result } = input
        input = undefined
        const step = plan.next(result)
        if (step.done === true) {
          over = true
          return finish({ value: step.value })
        }
        perform(step.value, resume)
      }
    } catch (error) {
      over = true
      finish({ error })
    } finally {
      running = false
    }
  }
  resume(undefined)
  return () => {
    over = true
    input = undefined
  }
}
