import type { Instant } from '../../lib/time/index.ts'
import type { AppEffect, AppEffectResult, AppFetch, AppFetchResult, AppTask } from '../../model/app/index.ts'

/** Calls something off that is still going on. */
export type CallOff = () => void

/** Who carries out the effects of an app's plan. Each `resume` is called at most once, at once or later. */
export interface PlanEffects {
  now(): Instant
  sleep(ms: number, resume: () => void): CallOff
  fetch(requests: readonly AppFetch[], resume: (results: readonly AppFetchResult[]) => void): CallOff
  shell(argv: readonly string[], timeoutMs: number, resume: (result: AppEffectResult) => void): CallOff
  head(status: number, headers: Readonly<Record<string, string>>): void
  exit(code: number): void
  log(line: string): void
  spawn(name: string, task: AppTask): void
}

/**
 * Runs an app's plan; `done` hears its value once, at once where the plan waits for nothing.
 * @returns abandons the plan and what it waits for
 */
export function runAppPlan<Value>(
  plan: Generator<AppEffect, Value, AppEffectResult>,
  effects: PlanEffects,
  done: (value: Value) => void
): CallOff {
  const run = new PlanRun(plan, effects, done)
  run.go(undefined)
  return () => run.abandon()
}

class PlanRun<Value> {
  readonly #plan: Generator<AppEffect, Value, AppEffectResult>
  readonly #effects: PlanEffects
  readonly #done: (value: Value) => void
  #callOff: CallOff | undefined
  #steps = 0
  #over = false

  constructor(plan: Generator<AppEffect, Value, AppEffectResult>, effects: PlanEffects, done: (value: Value) => void) {
    this.#plan = plan
    this.#effects = effects
    this.#done = done
  }

  abandon(): void {
    if (this.#over) return
    this.#over = true
    this.#callOff?.()
  }

  go(first: AppEffectResult): void {
    let value = first
    while (!this.#over) {
      this.#steps += 1
      const step = this.#plan.next(value)
      if (step.done === true) {
        this.#over = true
        return this.#done(step.value)
      }
      const effect = step.value
      if (effect.effect === 'sleep' || effect.effect === 'fetch' || effect.effect === 'shell') return this.#wait(effect)
      value = this.#perform(effect)
    }
  }

  #wait(effect: Extract<AppEffect, { effect: 'sleep' | 'fetch' | 'shell' }>): void {
    const step = this.#steps
    this.#callOff = undefined
    const callOff = this.#begin(effect)
    // What was answered at once has taken the plan further: then there is nothing to call off here.
    if (this.#steps === step) this.#callOff = callOff
  }

  #begin(effect: Extract<AppEffect, { effect: 'sleep' | 'fetch' | 'shell' }>): CallOff {
    switch (effect.effect) {
      case 'sleep':
        return this.#effects.sleep(effect.ms, () => this.go(undefined))
      case 'fetch':
        return this.#effects.fetch(effect.requests, (results) => this.go(results))
      case 'shell':
        return this.#effects.shell(effect.argv, effect.timeoutMs, (result) => this.go(result))
    }
  }

  #perform(effect: Exclude<AppEffect, { effect: 'sleep' | 'fetch' | 'shell' }>): AppEffectResult {
    switch (effect.effect) {
      case 'now':
        return this.#effects.now()
      case 'head':
        this.#effects.head(effect.status, effect.headers)
        return undefined
      case 'exit':
        this.#effects.exit(effect.code)
        return undefined
      case 'log':
        this.#effects.log(effect.line)
        return undefined
      case 'spawn':
        this.#effects.spawn(effect.name, effect.plan)
        return undefined
    }
  }
}

/** Makes calls side by side; `done` hears all results in the order of the calls, once the last has come. */
export function gatherResults<Call>(
  requests: readonly AppFetch[],
  start: (request: AppFetch, index: number, answered: (result: AppFetchResult) => void) => Call,
  done: (results: readonly AppFetchResult[]) => void
): readonly Call[] {
  const results: AppFetchResult[] = []
  let open = requests.length
  if (open === 0) done(results)
  return requests.map((request, index) =>
    start(request, index, (result) => {
      results[index] = result
      open -= 1
      if (open === 0) done(results)
    })
  )
}
