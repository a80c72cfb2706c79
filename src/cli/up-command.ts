import { dirname } from 'node:path'
import { TwinError } from '../lib/errors/index.ts'
import type { ResolvedScenario } from '../scenario/index.ts'
import { LineFormatter } from '../trace/index.ts'
import type { WorldAddresses, WorldSpec } from '../world/index.ts'
import { interruptSignal } from './interrupt.ts'
import { writeLauncher } from './launcher.ts'
import { UP_IMAGES } from './up-images.data.ts'
import { keepYoungHeapSmall } from './young-heap.ts'

/** `twin up`: a world that follows the wall clock, until Ctrl-C. */
export async function upCommand(flags: Readonly<Record<string, unknown>>): Promise<number> {
  keepYoungHeapSmall()
  const signal = interruptSignal()
  process.stdout.write('starting a world …\n')
  const scenario = typeof flags['scenario'] === 'string' ? await loadOne(flags['scenario']) : undefined
  const { createEmbeddedWorld } = await import('../world/embedded/index.ts')
  const world = await createEmbeddedWorld(upSpec(flags, scenario), { onApi: announceApi })
  try {
    process.stdout.write(`Prometheus  ${world.addresses?.prometheusUrl ?? ''}\nCtrl-C ends it.\n`)
    const lines = new LineFormatter({ verbose: flags['verbose'] === true })
    world.onTrace((event) => {
      const line = lines.format(event)
      if (line !== undefined) process.stdout.write(`${line}\n`)
    })
    world.start()
    await Promise.race([interruption(signal), world.failed])
    return 0
  } finally {
    await world.stop()
  }
}

function upSpec(flags: Readonly<Record<string, unknown>>, scenario: ResolvedScenario | undefined): WorldSpec {
  const provider = typeof flags['provider'] === 'string' ? flags['provider'] : 'linkerd'
  return {
    name: scenario?.name ?? 'up',
    seed: Number(flags['seed'] ?? 1),
    manifests: scenario?.manifests ?? [],
    images: { ...UP_IMAGES, ...scenario?.images },
    mesh: scenario?.mesh ?? { provider, adminTraffic: true },
    controller: scenario?.controller ?? { flags: {}, env: {} },
    load: scenario?.load ?? [],
    allowHosts: scenario?.allowHosts ?? [],
    time: 'wall',
    speed: Number(flags['speed'] ?? 1),
    ports: { api: Number(flags['port'] ?? 0), prometheus: Number(flags['prometheusPort'] ?? 0) }
  }
}

async function loadOne(file: string): Promise<ResolvedScenario> {
  const { loadScenarioFile, problemsError } = await import('../scenario/index.ts')
  const { cases, problems } = loadScenarioFile(file)
  if (problems.length > 0) throw problemsError(problems)
  const [scenario] = cases
  if (scenario === undefined) throw new TwinError('TWIN_USAGE', `${file} holds no scenario`)
  return scenario
}

/** Printed before the rest of the world is there, so that nobody waits for it: kubectl is answered from here on. */
function announceApi(api: Pick<WorldAddresses, 'kubeconfig' | 'apiUrl'>): void {
  const { kubeconfig, apiUrl } = api
  process.stdout.write(`kubeconfig  ${kubeconfig}\nAPI         ${apiUrl}\n\nexport KUBECONFIG=${kubeconfig}\n`)
  process.stdout.write(`export PATH=${writeLauncher(dirname(kubeconfig), 'linkerd', 'linkerd')}:$PATH\n`)
}

function interruption(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
