import type { ResolvedScenario } from '../scenario/index.ts'
import { LineFormatter } from '../trace/index.ts'
import { runCase } from './case.ts'
import type { CaseResult } from './result.ts'
import { requireUnderstood } from './understood-commands.ts'
import { commandObstacleOf, worldLoader } from './worlds.ts'

/** What a worker is given: plain data and a port for lines out and the word to stop in. */
export interface CaseTask {
  readonly scenario: ResolvedScenario
  readonly world: string
  readonly outputFolder: string
  readonly repetition: number
  readonly speed?: number
  readonly versions: Readonly<Record<string, string>>
  readonly verbose: boolean
}

/** Runs a case and hands its lines out as they come. */
export async function runTask(
  task: CaseTask,
  options: { readonly signal: AbortSignal; readonly onLine: (line: string) => void }
): Promise<CaseResult> {
  const { scenario, world, outputFolder, repetition, speed, versions } = task
  const lines = new LineFormatter({ thresholds: thresholds(scenario), verbose: task.verbose })
  return runCase(scenario, {
    world,
    createWorld: async (spec) => {
      requireUnderstood(scenario, world, await commandObstacleOf(world))
      return (await worldLoader(world)())(spec)
    },
    outputFolder,
    repetition,
    ...(speed === undefined ? {} : { speed }),
    versions,
    signal: options.signal,
    onEvent: (event) => {
      const line = lines.format(event)
      if (line !== undefined) options.onLine(line)
    }
  })
}

function thresholds(scenario: ResolvedScenario): Record<string, number> {
  return Object.fromEntries(
    scenario.manifests.flatMap((object) => {
      if (object.kind !== 'Canary') return []
      const spec = object.spec as { analysis?: { threshold?: unknown } } | undefined
      const threshold = spec?.analysis?.threshold
      return typeof threshold === 'number'
        ? [[`${object.metadata.name}.${object.metadata.namespace ?? 'default'}`, threshold]]
        : []
    })
  )
}
