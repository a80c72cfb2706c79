import { join, resolve } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, describe, expect, test } from 'vitest'
import { loadScenarioFile } from '../../../src/scenario/index.ts'
import { runTask } from '../../../src/run/case-task.ts'
import type { CaseResult } from '../../../src/run/index.ts'

const SCENARIOS = resolve(import.meta.dirname, '../../../scenarios')
const output = mkdtempSync(join(tmpdir(), 'twin-virtual-'))

afterAll(() => rmSync(output, { recursive: true, force: true }))

async function run(file: string, seed?: number): Promise<CaseResult> {
  const [scenario] = loadScenarioFile(join(SCENARIOS, file)).cases
  if (scenario === undefined) throw new Error(`${file} holds no case`)
  return await runTask(
    {
      scenario: seed === undefined ? scenario : { ...scenario, seed },
      world: 'virtual',
      outputFolder: output,
      repetition: 0,
      versions: {},
      verbose: false
    },
    { signal: new AbortController().signal, onLine: () => {} }
  )
}

describe('scenarios in the virtual world', () => {
  test.each([
    'aks/promote.yaml',
    'faulty-versions/crash-loop.yaml',
    'faulty-versions/half-500s.yaml',
    'faulty-versions/slow-p99.yaml',
    'flux-guide/manual-gate.yaml',
    'flux-guide/roll-back-on-404s.yaml',
    'flux-guide/roll-back-on-delays.yaml',
    'gatewayapi/promote.yaml',
    'testapp/releases.yaml',
    'traps/no-user-traffic.yaml',
    'traps/no-user-traffic-before-2-10.yaml'
  ])('%s meets its expectations', async (file) => {
    const { outcome, verdicts, error, stepFailures } = await run(file)
    expect({ outcome, error, stepFailures, unmet: verdicts.filter((verdict) => !verdict.met) }).toEqual({
      outcome: 'passed',
      error: undefined,
      stepFailures: [],
      unmet: []
    })
  })

  test('the same seed gives the same sequence through steps and hooks', async () => {
    const file = 'flux-guide/roll-back-on-500s.yaml'
    expect((await run(file, 5)).sequenceDigest).toBe((await run(file, 5)).sequenceDigest)
  })

  test('a scenario with a command outside the list is wrong usage, and says which one', async () => {
    const result = await run('linkerd-tutorial/promote.yaml')
    expect(result).toMatchObject({ outcome: 'invalid', exitCode: 2, error: { code: 'TWIN_USAGE' } })
    expect(result.error?.message).toMatch(/does not understand the shell's "for"/)
  })
})
