import type { Scheduled, Timeline } from '../../lib/time/index.ts'
import type {
  AppEffect,
  AppEffectResult,
  AppFetch,
  AppFetchResult,
  AppShellResult,
  AppTask
} from '../../model/app/index.ts'

/** Who carries out the effects of an app's plan. */
export interface PlanPorts {
  readonly timeline: Timeline
  fetch(request: AppFetch, done: (result: AppFetchResult) => void): void
  shell(argv: readonly string[], timeoutMs: number, done: (result: AppShellResult) => void): void
  exit(code: number): void
  log(line: string): void
  spawn(name: string, task: AppTask): void
}

/**
 * Runs an app's plan on the timeline; `done` hears its value, at once where the plan waits for nothing.
 * @returns abandons the plan
 */
export function runPlan<Value>(
  plan: Generator<AppEffect, Value, AppEffectResult>,
  ports: PlanPorts,
  done: (value: Value) => void
): () => void {
  let over = false
  let timer: Scheduled | undefined
  const resume = (result: AppEffectResult): void => {
    let input = result
    while (!over) {
      const step = plan.next(input)
      if (step.done === true) {
        over = true
        return done(step.value)
      }
      const effect = step.value
      if (effect.effect === 'sleep') {
        timer = ports.timeline.at(ports.timeline.now() + effect.ms, () => resume(undefined))
        return
      }
      if (effect.effect === 'fetch') return fetchAll(ports, effect.requests, resume)
      if (effect.effect === 'shell') return ports.shell(effect.argv, effect.timeoutMs, resume)
      input = answer(ports, effect)
    }
  }
  resume(undefined)
  return () => {
    over = true
    timer?.cancel()
  }
}

function answer(
  ports: PlanPorts,
  effect: Exclude<AppEffect, { effect: 'sleep' | 'fetch' | 'shell' }>
): AppEffectResult {
  switch (effect.effect) {
    case 'now':
      return ports.timeline.now()
    case 'exit':
      ports.exit(effect.code)
      return undefined
    case 'log':
      ports.log(effect.line)
      return undefined
    case 'spawn':
      ports.spawn(effect.name, effect.plan)
      return undefined
    case 'head':
      return undefined
  }
}

function fetchAll(
  ports: PlanPorts,
  requests: readonly AppFetch[],
  done: (results: readonly AppFetchResult[]) => void
): void {
  const results: AppFetchResult[] = []
  let left = requests.length
  if (left === 0) return done(results)
  for (const [index, request] of requests.entries()) {
    ports.fetch(request, (result) => {
      results[index] = result
      left -= 1
      if (left === 0) done(results)
    })
  }
}
