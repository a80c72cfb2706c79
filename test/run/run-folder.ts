import { join } from 'node:path'
import { expect } from 'vitest'
import { runCase, type CaseResult } from '../../src/run/index.ts'
import { worldLoader } from '../../src/run/worlds.ts'
import { formatProblem, loadScenarioFile } from '../../src/scenario/index.ts'

/** Runs the first case of `scenario.yaml` in a folder, which must have no problems; the trace goes to its `out`. */
export async function runFolder(folder: string, world: string): Promise<CaseResult> {
  const { cases, problems } = loadScenarioFile(join(folder, 'scenario.yaml'))
  expect(problems.map(formatProblem)).toEqual([])
  const [scenario] = cases
  if (scenario === undefined) throw new Error('no case')
  return runCase(scenario, {
    world,
    createWorld: await worldLoader(world)(),
    outputFolder: join(folder, 'out'),
    repetition: 1,
    versions: { twin: '0' }
  })
}
