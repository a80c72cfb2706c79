import type { Hold } from '../../lib/time/index.ts'
import type {
  AppAnswer,
  AppEffect,
  AppEffectResult,
  AppFetch,
  AppFetchResult,
  AppShellResult,
  AppTask
} from '../../model/app/index.ts'
import { type Cancellable, type HeldTime, waitUntil } from './holds.ts'

/** What a plan's effects do in this world. */
export interface PlanPorts extends HeldTime {
  /** Calls another server under the hold. */
  fetch(request: AppFetch, hold: Hold | undefined, done: (result: AppFetchResult) => void): Cancellable
  /** Makes a hold for work that runs beside the plan's own; absent in a world without holds. */
  childHold(name: string): Hold | undefined
  shell(argv: readonly string[], timeoutMs: number, hold: Hold | undefined): Promise<AppShellResult>
  head(status: number, headers: Readonly<Record<string, string>>): void
  exit(code: number): void
  log(line: string): void
  spawn(name: string, task: AppTask): void
}

/** Runs a plan to its end; `done` hears the answer exactly once unless it is called off. */
export function runPlan<Answer extends AppAnswer | void>(
  plan: Generator<AppEffect, Answer, AppEffectResult>,
  ports: PlanPorts,
  hold: Hold | undefined,
  done: (answer: Answer) => void
): Cancellable {
  const run = new PlanRun(plan, ports, hold, done)
  run.go(undefined)
  return run
}

class PlanRun<Answer extends AppAnswer | void> implements Cancellable {
  readonly #plan: Generator<AppEffect, Answer, AppEffectResult>
  readonly #ports: PlanPorts
  readonly #hold: Hold | undefined
  readonly #done: (answer: Answer) => void
  #waiting: Cancellable | undefined
  #off = false

  constructor(
    plan: Generator<AppEffect, Answer, AppEffectResult>,
    ports: PlanPorts,
    hold: Hold | undefined,
    done: (answer: Answer) => void
  ) {
    this.#plan = plan
    this.#ports = ports
    this.#hold = hold
    this.#done = done
  }

  cancel(): void {
    if (this.#off) return
    this.#off = true
    this.#waiting?.cancel()
  }

  go(first: AppEffectResult): void {
    let value = first
    while (!this.#off) {
      const step = this.#plan.next(value)
      if (step.done === true) {
        this.#off = true
        this.#done(step.value)
        return
      }
      const effect = step.value
      if (effect.effect === 'now') value = this.#ports.timeline.now()
      else if (this.#startWait(effect)) return
      else value = undefined
    }
  }

  /** Whether the effect takes time; the others are done when this returns. */
  #startWait(effect: AppEffect): boolean {
    const ports = this.#ports
    switch (effect.effect) {
      case 'sleep':
        this.#waiting = waitUntil(ports, this.#hold, ports.timeline.now() + effect.ms, () => this.go(undefined))
        return true
      case 'fetch':
        this.#fetch(effect.requests)
        return true
      case 'shell':
        void this.#shell(effect.argv, effect.timeoutMs)
        return true
      case 'head':
        ports.head(effect.status, effect.headers)
        return false
      case 'exit':
        ports.exit(effect.code)
        return false
      case 'log':
        ports.log(effect.line)
        return false
      case 'spawn':
        ports.spawn(effect.name, effect.plan)
        return false
      case 'now':
        return false
    }
  }

  /** One call runs under the plan's own hold; several run beside each other, each under one of its own. */
  #fetch(requests: readonly AppFetch[]): void {
    const single = requests[0]
    if (requests.length === 1 && single !== undefined) {
      this.#waiting = this.#ports.fetch(single, this.#hold, (result) => this.go([result]))
      return
    }
    const results: AppFetchResult[] = []
    let open = requests.length
    const holds = requests.map((request) => this.#ports.childHold(`call ${request.url}`))
    const calls = requests.map((request, index) =>
      this.#ports.fetch(request, holds[index], (result) => {
        results[index] = result
        open -= 1
        if (open === 0) this.#hold?.resume()
        holds[index]?.release()
        if (open === 0) this.go(results)
      })
    )
    this.#hold?.suspend()
    this.#waiting = {
      cancel: () => {
        for (const call of calls) call.cancel()
        for (const hold of holds) hold?.release()
      }
    }
    if (requests.length === 0) this.go([])
  }

  async #shell(argv: readonly string[], timeoutMs: number): Promise<void> {
    const result = await this.#ports.shell(argv, timeoutMs, this.#hold)
    this.go(result)
  }
}
