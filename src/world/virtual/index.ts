import { TwinError } from '../../lib/errors/index.ts'
import type { WorldSpec } from '../world.ts'
import { VirtualWorld } from './virtual-world.ts'

export { commandObstacle } from './commands/command-line.ts'
export type { VirtualWorld } from './virtual-world.ts'

/**
 * Makes a virtual world: the same models as the embedded one, no sockets, requests drawn by the dozen from seeded streams.
 * Simulated time starts with `start`, or moves under `runUntil` in the caller's own stack.
 * @throws TwinError TWIN_USAGE for a run on wall time; TWIN_IMAGE_UNKNOWN, TWIN_MANIFEST_REFUSED
 */
export function createVirtualWorld(spec: WorldSpec): VirtualWorld {
  if (spec.time === 'wall')
    throw new TwinError('TWIN_USAGE', 'the virtual world has no wall time; use --world embedded')
  return new VirtualWorld(spec)
}
