import { randomStream } from '../../../src/lib/random/index.ts'
import { SystemClock } from '../../../src/lib/time/index.ts'
import { createApiServer, type ApiServer } from '../../../src/model/apiserver/index.ts'
import { readDescriptions } from '../../../src/world/wire/index.ts'
import { createCluster, createInstantRuntime } from '../../../src/world/cluster/index.ts'
import { bindApi, kubeconfigText } from '../../../src/world/wire/index.ts'

/** A fresh twin for one transcript. */
export interface Twin {
  readonly api: ApiServer
  readonly url: string
  readonly token: string
  readonly ca: string
  readonly kubeconfig: string
  close(): Promise<void>
}

const STARTUP_MS = 200
const SHUTDOWN_MS = 250

/** Starts API server, controllers and nodes on the wall clock. */
export async function startTwin(seed: number): Promise<Twin> {
  const clock = new SystemClock()
  let timer: ReturnType<typeof setTimeout> | undefined
  clock.onDue((delayMs) => {
    clearTimeout(timer)
    timer = setTimeout(() => clock.runDue(), delayMs)
  })
  const api = createApiServer({ clock, random: randomStream(seed, 'apiserver'), descriptions: readDescriptions() })
  const bound = await bindApi({ api })
  api.setAddress(`172.17.0.2:${bound.port}`)
  const runtime = createInstantRuntime({ startupMs: STARTUP_MS, shutdownMs: SHUTDOWN_MS })
  const cluster = createCluster({
    timeline: clock,
    api,
    random: randomStream(seed, 'cluster'),
    runtime,
    rootCertificate: bound.ca
  })
  return {
    api,
    url: bound.url,
    token: bound.token,
    ca: bound.ca,
    // The recorded sessions call their context `c`.
    kubeconfig: kubeconfigText(bound, 'c'),
    close: async () => {
      cluster.stop()
      clearTimeout(timer)
      await bound.close()
    }
  }
}
