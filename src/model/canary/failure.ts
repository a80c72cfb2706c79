import type { Plan } from './effects.ts'

/** What is known about a failed step besides its text. */
export interface FailureFacts {
  /** Reason of the API's Status, e.g. `Conflict`, `NotFound`; survives wrapping as Go's `%w` keeps the cause. */
  readonly reason?: string
  /** Whether the same step may succeed at a later tick; default true. */
  readonly retriable?: boolean
}

/**
 * A step failed with the text that Go's `error` would have. It never leaves a plan: the tick turns it into a Warning
 * event, a worker into a log line. Failures are a controller's daily bread and nobody looks where they were thrown:
 * it is no `Error`, whose stack costs more than the step.
 */
export class StepFailed {
  readonly message: string
  readonly reason: string
  readonly retriable: boolean

  /** @param message - the whole text, as the event shows it */
  constructor(message: string, facts: FailureFacts = {}) {
    this.message = message
    this.reason = facts.reason ?? ''
    this.retriable = facts.retriable ?? true
  }

  /** The same failure with `<prefix>` before its text (Go's `%w`). */
  under(prefix: string): StepFailed {
    return new StepFailed(prefix + this.message, this)
  }
}

/** The controller's process dies in the middle of a plan, as Go does on a panic. Whoever runs plans starts it again. */
export class ControllerPanic extends Error {
  /** @param message - Go's text after `panic: ` */
  constructor(message: string) {
    super(message)
    this.name = 'ControllerPanic'
  }
}

/** A plan without effects. */
// oxlint-disable-next-line require-yield -- it has none on purpose
export function* pure<Value>(compute: () => Value): Plan<Value> {
  return compute()
}

/** Runs a plan; a failure inside gets `<prefix>` before its text and keeps its facts. */
export function* wrapped<Value>(prefix: string, plan: Plan<Value>): Plan<Value> {
  try {
    return yield* plan
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    throw error.under(prefix)
  }
}

/** Runs a plan and gives back what came of it: its value, or its failure as a value. */
export function* outcomeOf<Value>(plan: Plan<Value>): Plan<Value | StepFailed> {
  try {
    return yield* plan
  } catch (error) {
    if (error instanceof StepFailed) return error
    throw error
  }
}

/** Runs a plan and gives back its failure as a value; undefined when it succeeded. */
export function* failureOf(plan: Plan<unknown>): Plan<StepFailed | undefined> {
  try {
    yield* plan
    return undefined
  } catch (error) {
    if (error instanceof StepFailed) return error
    throw error
  }
}
