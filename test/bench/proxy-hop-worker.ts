import { parentPort } from 'node:worker_threads'
import { SystemClock } from '../../src/lib/time/index.ts'
import { createDataplane } from '../../src/world/dataplane/index.ts'
import { createStage } from '../world/dataplane/stage.ts'

/** The side of the servers: one app behind two proxies on real time, in a thread of its own. */
const stage = createStage({
  'hello:1': { app: 'hello-world', faults: [], options: {}, startupMs: 0, latency: { kind: 'constant', ms: 0 } }
})
const pod = stage.pod({
  name: 'web-0',
  image: 'hello:1',
  ip: '10.1.0.1',
  container: { ports: [{ containerPort: 9898 }] }
})
stage.service('web', 9898, ['web-0'])
const clock = new SystemClock()
clock.onDue((delayMs) => {
  setTimeout(() => clock.runDue(), Math.max(0, delayMs))
})
const dataplane = createDataplane({
  timeline: clock,
  api: stage.api,
  seed: 1,
  mesh: { provider: 'linkerd', adminTraffic: false },
  specFor: () => ({ app: 'hello-world', faults: [], options: {}, startupMs: 0, latency: { kind: 'constant', ms: 0 } })
})
dataplane.startPod(pod)
const { port } = await dataplane.outboundFor({ namespace: 'load', name: 'bench' })
const opened = setInterval(() => {
  const direct = dataplane.podAddress('test/web-0', 9898)
  if (direct === undefined) return
  clearInterval(opened)
  parentPort?.postMessage({ direct: direct.port, proxied: port })
}, 20)
parentPort?.on('message', () => {
  parentPort?.postMessage({ cpu: process.cpuUsage() })
})
