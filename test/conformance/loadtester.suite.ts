import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createLoadTester,
  type LoadTester,
  type LoadTesterAnswer,
  type LoadTesterPlan
} from '../../src/model/loadtester/index.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

interface Step {
  readonly flags: readonly string[]
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly answer: { readonly status?: number; readonly body?: string; readonly error?: string }
}

/** Flagger's load tester, step by step: one process per set of flags. */
export const suite: ConformanceSuite = {
  name: 'loadtester',
  defaultFolder: 'golden',
  async *run(folder) {
    const { steps }: { steps: readonly Step[] } = JSON.parse(readFileSync(join(folder, 'loadtester.json'), 'utf8'))
    const processes = new Map<string, LoadTester>()
    for (const [index, step] of steps.entries()) {
      const flags = step.flags.join(' ')
      const process = processes.get(flags) ?? start(step.flags)
      processes.set(flags, process)
      const body = typeof step.body === 'string' ? step.body : step.body === undefined ? '' : JSON.stringify(step.body)
      yield compare(`${index}: ${step.method} ${step.path}`, step, answerOf(process.serve({ path: step.path, body })))
    }
  }
}

function start(flags: readonly string[]): LoadTester {
  const pattern = flags.find((flag) => flag.startsWith('-namespace-regexp='))
  return createLoadTester({
    port: 8080,
    timeoutMs: 3_600_000,
    namespaceRegexp: pattern === undefined ? '' : pattern.slice(pattern.indexOf('=') + 1)
  })
}

function compare(id: string, step: Step, answer: LoadTesterAnswer): CaseOutcome {
  const expected = step.answer.error === undefined ? `${step.answer.status} ${step.answer.body}` : 'closed'
  const actual = answer.kind === 'close' ? 'closed' : `${answer.status} ${answer.body}`
  return expected === actual
    ? { id, passed: true }
    : { id, passed: false, firstDifference: `expected ${expected}, got ${actual}` }
}

/** Runs a plan; the few commands of the recording are answered by a table, as a shell would. */
function answerOf(plan: LoadTesterPlan): LoadTesterAnswer {
  let step = plan.next(undefined)
  while (step.done !== true) {
    const effect = step.value
    if (effect.effect === 'shell') step = plan.next(runCommand(effect.argv.at(-1) ?? ''))
    else step = plan.next(effect.effect === 'now' ? 0 : undefined)
  }
  return step.value
}

/** `echo`, redirection to stderr, `exit` and `true`, joined by `;`. */
function runCommand(script: string): { readonly exitCode: number; readonly output: string } {
  let output = ''
  for (const command of script.split(';').map((part) => part.trim())) {
    const echo = /^echo (.*?)( >&2)?$/.exec(command)
    const exit = /^exit (\d+)$/.exec(command)
    if (exit !== null) return { exitCode: Number(exit[1]), output }
    if (echo !== null) output += `${echo[1]}\n`
  }
  return { exitCode: 0, output }
}
