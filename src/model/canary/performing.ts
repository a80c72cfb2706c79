import type { Effect, Plan } from './effects.ts'

/** Stands for the result of an effect that is not there yet. */
export const NOT_YET: unique symbol = Symbol('not yet')

/** Carries out an effect in the stack of the plan that has it; gives {@link NOT_YET} where its result comes later. */
export type PerformAtOnce = (effect: Effect) => unknown

/** How the plan that is running now has its effects carried out; undefined: whoever runs it takes what it yields. */
let performAtOnce: PerformAtOnce | undefined

/**
 * Takes a plan on to the next effect that is not answered at once, or to its end. Most effects are: a plan that yields each of
 * them hands it up and its result down through all the generators that are open, which costs more than its steps do.
 * An effect that is yielded was carried out already when `perform` was asked for it.
 */
export function advancePlan<Value>(
  plan: Plan<Value>,
  input: unknown,
  perform: PerformAtOnce
): IteratorResult<Effect, Value> {
  const before = performAtOnce
  performAtOnce = perform
  try {
    return plan.next(input)
  } finally {
    performAtOnce = before
  }
}

/** Has an effect carried out, in place where that is possible: the one way in which plans do so. */
export function* performed(effect: Effect): Plan<unknown> {
  const result = performedAtOnce(effect)
  return result === NOT_YET ? yield effect : result
}

/** The result of an effect, or {@link NOT_YET}: then the plan has to yield it. For plans that need no generator more. */
export function performedAtOnce(effect: Effect): unknown {
  return performAtOnce === undefined ? NOT_YET : performAtOnce(effect)
}

/** Runs a plan. @returns whether it replaced an object */
export function* noticingUpdates(plan: Plan<unknown>): Plan<boolean> {
  let noticed = false
  let input: unknown
  for (;;) {
    const within = performAtOnce
    const step = advancePlan(plan, input, (effect) => {
      if (effect.effect === 'api' && effect.request.method === 'PUT') noticed = true
      return within === undefined ? NOT_YET : within(effect)
    })
    if (step.done === true) return noticed
    input = yield step.value
  }
}
