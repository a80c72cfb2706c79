import type { KubeObject } from '../kinds/index.ts'
import { TwinError } from '../lib/errors/index.ts'
import type { ResolvedScenario, Step } from '../scenario/index.ts'

interface Hook {
  readonly name?: string
  readonly metadata?: Readonly<Record<string, unknown>>
}

interface Command {
  readonly text: string
  readonly where: string
}

/**
 * Checks that a world understands every command of a scenario: those of its steps and those of its canaries' hooks.
 * @param obstacleOf - what keeps the world from running a command; undefined: nothing
 * @throws TwinError TWIN_USAGE naming the command, its place and the obstacle
 */
export function requireUnderstood(
  scenario: ResolvedScenario,
  world: string,
  obstacleOf: (command: string) => string | undefined
): void {
  const commands = [...commandsOfSteps(scenario.steps), ...scenario.manifests.flatMap(commandsOfHooks)]
  for (const { text, where } of commands) {
    const obstacle = obstacleOf(text)
    if (obstacle === undefined) continue
    const message = `${where}: the world "${world}" does not understand ${obstacle} (${text.slice(0, 120)}); use --world embedded`
    throw new TwinError('TWIN_USAGE', message)
  }
}

function commandsOfSteps(steps: readonly Step[]): readonly Command[] {
  return steps.flatMap((step): readonly Command[] => {
    if (step.kind === 'run') return [{ text: step.command, where: `${step.place.file}:${step.place.line}` }]
    if (step.kind === 'apply') return step.objects.flatMap(commandsOfHooks)
    return 'steps' in step ? commandsOfSteps(step.steps) : []
  })
}

function commandsOfHooks(object: KubeObject): readonly Command[] {
  if (object.kind !== 'Canary') return []
  const spec = object.spec as { readonly analysis?: { readonly webhooks?: readonly Hook[] } } | undefined
  return (spec?.analysis?.webhooks ?? []).flatMap(({ name = '', metadata }) => {
    const command = metadata?.['cmd']
    if (typeof command !== 'string') return []
    const type = String(metadata?.['type'] ?? 'cmd')
    const text = ['kubectl', 'helm', 'helmv3'].includes(type) ? `${type} ${command}` : command
    return [{ text, where: `webhook ${name} of canary ${object.metadata.name}` }]
  })
}
