import { TwinError } from '../lib/errors/index.ts'
import type { CreateWorld } from './case.ts'

/** Worlds of the design; those without a loader are not built yet. */
export const WORLD_NAMES: readonly string[] = ['embedded', 'virtual', 'kind', 'k3s', 'cluster']

const LOADERS: Readonly<Record<string, () => Promise<CreateWorld>>> = {
  embedded: async () => (await import('../world/embedded/index.ts')).createEmbeddedWorld,
  virtual: async () => {
    const { createVirtualWorld } = await import('../world/virtual/index.ts')
    return (spec) => Promise.resolve().then(() => createVirtualWorld(spec))
  }
}

/** How a world is loaded; nothing is imported before it is called. @throws TwinError TWIN_USAGE when there is none */
export function worldLoader(name: string): () => Promise<CreateWorld> {
  const load = LOADERS[name]
  if (load !== undefined) return load
  const message = WORLD_NAMES.includes(name)
    ? `the world "${name}" is not available yet; use --world embedded`
    : `no world is called "${name}"; known: ${WORLD_NAMES.join(', ')}`
  throw new TwinError('TWIN_USAGE', message)
}

/** What keeps a world from running a command of a scenario; worlds that run any have nothing to say. */
export async function commandObstacleOf(world: string): Promise<(command: string) => string | undefined> {
  if (world !== 'virtual') return () => undefined
  return (await import('../world/virtual/index.ts')).commandObstacle
}
