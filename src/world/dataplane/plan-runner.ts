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
import { gatherResults, type PlanEffects, runAppPlan } from '../joint/index.ts'
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
  return { cancel: runAppPlan(plan, effectsOf(ports, hold), done) }
}

function effectsOf(ports: PlanPorts, hold: Hold | undefined): PlanEffects {
  const { timeline } = ports
  return {
    now: () => timeline.now(),
    sleep(ms, resume) {
      const waiting = waitUntil(ports, hold, timeline.now() + ms, resume)
      return () => waiting.cancel()
    },
    fetch(requests, resume) {
      const [single] = requests
      if (requests.length !== 1 || single === undefined) return fetchAll(ports, hold, requests, resume)
      const call = ports.fetch(single, hold, (result) => resume([result]))
      return () => call.cancel()
    },
    shell(argv, timeoutMs, resume) {
      void ports.shell(argv, timeoutMs, hold).then(resume)
      return () => {}
    },
    head: (status, headers) => ports.head(status, headers),
    exit: (code) => ports.exit(code),
    log: (line) => ports.log(line),
    spawn: (name, task) => ports.spawn(name, task)
  }
}

/** One call runs under the plan's own hold; several run beside each other, each under one of its own. */
function fetchAll(
  ports: PlanPorts,
  hold: Hold | undefined,
  requests: readonly AppFetch[],
  resume: (results: readonly AppFetchResult[]) => void
): () => void {
  if (requests.length === 0) {
    resume([])
    return () => {}
  }
  const holds = requests.map((request) => ports.childHold(`call ${request.url}`))
  const calls = gatherResults(
    requests,
    (request, index, answered) =>
      ports.fetch(request, holds[index], (result) => {
        answered(result)
        holds[index]?.release()
      }),
    (results) => {
      hold?.resume()
      resume(results)
    }
  )
  hold?.suspend()
  return () => {
    for (const call of calls) call.cancel()
    for (const held of holds) held?.release()
  }
}
