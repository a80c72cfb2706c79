import { TwinError } from '../lib/errors/index.ts'
import type { CreateWorld } from './case.ts'

/** Worlds of the design; those without a loader are not built yet. */
export const WORLD_NAMES: readonly string[] = ['embedded', 'virtual', 'kind', 'k3s', 'cluster']

const LOADERS: Readonly<Record<string, () => Promise<CreateWorld>>> = {
  embedded: async () => (await import('../world/embedded/index.ts')).createEmbeddedWorld
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
