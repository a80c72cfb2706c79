import { afterEach, describe, expect, it } from 'vitest'
import type { AppSpec } from '../../../src/kinds/index.ts'
import type { AppFetchResult } from '../../../src/model/app/index.ts'
import { createStage, type Stage } from './stage.ts'

const PODINFO: AppSpec = { app: 'podinfo', faults: [], options: {} }
const CLIENT = { namespace: 'load', name: 'users' }
let stage: Stage | undefined

afterEach(async () => {
  await stage?.close()
  stage = undefined
})

async function ready(
  images: Readonly<Record<string, AppSpec>> = { 'podinfo:6.0.1': PODINFO, 'podinfo:6.0.2': PODINFO }
): Promise<Stage> {
  const made = createStage(images)
  stage = made
  made.dataplane.startPod(
    made.pod({ name: 'primary-0', image: 'podinfo:6.0.1', ip: '10.1.0.1', deployment: 'podinfo-primary' })
  )
  made.dataplane.startPod(made.pod({ name: 'canary-0', image: 'podinfo:6.0.2', ip: '10.1.0.2', deployment: 'podinfo' }))
  made.service('podinfo', 9898, ['primary-0'])
  made.service('podinfo-primary', 9898, ['primary-0'])
  made.service('podinfo-canary', 9898, ['canary-0'])
  made.free()
  await made.run(5000)
  return made
}

async function get(on: Stage, url: string, timeoutMs = 10_000): Promise<AppFetchResult> {
  const hold = on.clock.hold('test')
  const result = await on.dataplane.fetch({ url, method: 'GET', headers: {}, body: '', timeoutMs }, CLIENT, hold)
  hold.release()
  return result
}

describe('createDataplane', () => {
  it('reaches a service by its cluster name and counts it on both sides', async () => {
    const on = await ready()
    const answer = await get(on, 'http://podinfo-canary.test:9898/version')
    expect(answer.ok && JSON.parse(answer.body)).toMatchObject({ version: '6.0.2' })
    const text = on.dataplane.admin('test/canary-0', '/metrics')?.body ?? ''
    expect(text).toMatch(
      /request_total\{direction="inbound",target_addr="10.1.0.2:9898".*client_id="default.load.serviceaccount[^}]*\} 1/
    )
    expect(text).toMatch(
      /response_total\{direction="inbound",target_addr="10.1.0.2:9898".*status_code="200",classification="success"[^}]*\} 1/
    )
    expect(on.observations.at(-1)).toMatchObject({
      status: 200,
      pod: 'test/canary-0',
      outcome: 'answered',
      image: 'podinfo:6.0.2'
    })
  })

  it('splits by weight with draws that do not depend on the order of answers', async () => {
    const on = await ready()
    on.put('split.smi-spec.io', 'trafficsplits', {
      apiVersion: 'split.smi-spec.io/v1alpha1',
      kind: 'TrafficSplit',
      metadata: { name: 'podinfo', namespace: 'test' },
      spec: {
        service: 'podinfo',
        backends: [
          { service: 'podinfo-canary', weight: '25' },
          { service: 'podinfo-primary', weight: '75' }
        ]
      }
    })
    await Promise.all(Array.from({ length: 400 }, () => get(on, 'http://podinfo.test:9898/')))
    const canary = on.observations.filter((seen) => seen.pod === 'test/canary-0').length
    expect(canary).toBeGreaterThan(70)
    expect(canary).toBeLessThan(130)
  })

  it('records simulated latency of an app delay', async () => {
    const on = await ready()
    const answer = await get(on, 'http://podinfo-canary.test:9898/delay/2')
    expect(answer.ok && answer.elapsedMs).toBeGreaterThan(2000)
    expect(answer.ok && answer.elapsedMs).toBeLessThan(2020)
  })

  it('gives up at the client time-out and leaves no response on either side', async () => {
    const on = await ready()
    const answer = await get(on, 'http://podinfo-canary.test:9898/delay/5', 1000)
    expect(answer).toMatchObject({ ok: false, reason: 'timeout', elapsedMs: 1000 })
    await on.run(10_000)
    const text = on.dataplane.admin('test/canary-0', '/metrics')?.body ?? ''
    expect(text).toMatch(/request_total\{direction="inbound",target_addr="10.1.0.2:9898"[^}]*\} 1/)
    expect(text).not.toMatch(/response_total\{direction="inbound",target_addr="10.1.0.2:9898"/)
  })

  it('answers 502 while the app does not listen, 504 after three seconds without endpoints', async () => {
    const on = await ready()
    expect(await get(on, 'http://podinfo-canary.test:9898/panic')).toMatchObject({ ok: true, status: 500 })
    on.service('podinfo-canary', 9898, [])
    const waited = await get(on, 'http://podinfo-canary.test:9898/')
    expect(waited).toMatchObject({ ok: true, status: 504 })
    expect(waited.elapsedMs).toBeGreaterThan(2999)
    expect(await get(on, 'http://podinfo-canary.test:9898/')).toMatchObject({ ok: true, status: 503 })
    on.service('podinfo-canary', 9898, ['canary-0'])
    expect(await get(on, 'http://podinfo-canary.test:9898/')).toMatchObject({ ok: true, status: 200 })
  })

  it('runs probes through the proxy and commands inside the container', async () => {
    const on = await ready()
    const pod = on.pod({ name: 'canary-0', image: 'podinfo:6.0.2', ip: '10.1.0.2', deployment: 'podinfo' })
    const probe = (spec: object): Promise<boolean> =>
      new Promise((resolve) => {
        on.dataplane.probe(pod, 'main', { timeoutSeconds: 5, ...spec }, resolve)
      })
    expect(await probe({ httpGet: { path: '/healthz', port: 9898 } })).toBe(true)
    expect(await probe({ exec: { command: ['podcli', 'check', 'http', 'localhost:9898/readyz'] } })).toBe(true)
    expect(await probe({ exec: { command: ['wget', '--spider', 'http://localhost:9898/status/500'] } })).toBe(false)
    expect(await probe({ tcpSocket: { port: 9898 } })).toBe(true)
  })
})
