import { createTraceLog } from './trace-log.ts'
import { createWorldClock } from './clock.ts'
import { startControlPlane } from './control-plane.ts'
import { startFigures } from './figures.ts'
import type { World, WorldAddresses, WorldSpec } from '../world.ts'

/** Options of {@link createEmbeddedWorld}. */
export interface EmbeddedWorldOptions {
  /** Called as soon as the API listens: it answers from then on, writes as soon as the mesh's injector is there. */
  readonly onApi?: (api: Pick<WorldAddresses, 'kubeconfig' | 'apiUrl'>) => void
}

/**
 * Starts an embedded world: real HTTP requests, sockets, Kubernetes API, Prometheus and controller in one process.
 * The API listener is bound first; what is heavy to load comes after it. Simulated time starts with {@link World.start}.
 * @throws TwinError TWIN_IMAGE_UNKNOWN, TWIN_MANIFEST_REFUSED, TWIN_PORT_IN_USE, TWIN_WORLD_START
 */
export async function createEmbeddedWorld(spec: WorldSpec, options: EmbeddedWorldOptions = {}): Promise<World> {
  const figures = startFigures()
  const { promise: failed, reject } = Promise.withResolvers<never>()
  // Whoever drives the world awaits this; a failure nobody waits for must not end the process unnamed.
  failed.catch(() => {})
  const clock = createWorldClock({
    time: spec.time,
    ...(spec.speed === undefined ? {} : { speed: spec.speed }),
    onFailure: reject
  })
  const fail = (error: unknown): void => {
    clock.stop()
    reject(error)
  }
  const controlPlane = await startControlPlane({
    clock,
    seed: spec.seed,
    ...(spec.ports?.api === undefined ? {} : { port: spec.ports.api }),
    figures,
    ...(options.onApi === undefined ? {} : { onListening: options.onApi })
  })
  try {
    // Loading the rest keeps the thread busy for a quarter of a second: whoever was told of the API goes first.
    if (options.onApi !== undefined) await controlPlane.firstAnswered()
    const { assembleWorld } = await import('./assemble.ts')
    return await assembleWorld({ spec, clock, trace: createTraceLog(clock), figures, controlPlane, failed, fail })
  } catch (error) {
    clock.stop()
    figures.stop()
    await controlPlane.close()
    throw error
  }
}
