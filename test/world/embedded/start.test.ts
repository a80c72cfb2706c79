import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { KubeObject } from '../../../src/kinds/index.ts'
import type { ErrorCode, TwinError } from '../../../src/lib/errors/index.ts'
import { createEmbeddedWorld } from '../../../src/world/embedded/index.ts'
import type { World, WorldSpec } from '../../../src/world/index.ts'
import { MANIFESTS, rolloutSpec, USERS } from './fixture.ts'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

async function start(spec: WorldSpec): Promise<World> {
  const world = await createEmbeddedWorld(spec)
  cleanUps.push(() => world.stop())
  return world
}

async function failure(spec: WorldSpec): Promise<{ readonly code: ErrorCode; readonly message: string }> {
  const error = await createEmbeddedWorld(spec).then(
    async (world) => {
      await world.stop()
      throw new Error('the world started')
    },
    (reason: unknown) => reason as TwinError
  )
  return { code: error.code, message: error.message }
}

function until(world: World, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    world.failed.catch(reject)
    world.time.at(ms, resolve)
  })
}

const TESTER: readonly KubeObject[] = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'tester', namespace: 'test' },
    spec: {
      selector: { matchLabels: { app: 'tester' } },
      template: {
        metadata: { labels: { app: 'tester' } },
        spec: { containers: [{ name: 'tester', image: 'tester:1', ports: [{ containerPort: 9090 }] }] }
      }
    }
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'tester', namespace: 'test' },
    spec: { selector: { app: 'tester' }, ports: [{ port: 80, targetPort: 9090 }] }
  }
]
const TESTER_IMAGES: WorldSpec['images'] = {
  ...rolloutSpec().images,
  'tester:1': { app: 'load-tester', faults: [], options: {} }
}

describe('createEmbeddedWorld() refuses', () => {
  it('an image nobody has described', async () => {
    const { code, message } = await failure(rolloutSpec([], { images: {} }))
    expect([code, message]).toEqual(['TWIN_IMAGE_UNKNOWN', expect.stringContaining('Deployment test/podinfo')])
  })

  it('a manifest the API refuses, naming object and cause', async () => {
    const canary: KubeObject = {
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
      metadata: { name: 'broken', namespace: 'test' },
      spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' }, service: {} }
    }
    const { code, message } = await failure(rolloutSpec([], { manifests: [...MANIFESTS, canary] }))
    expect([code, message]).toEqual(['TWIN_MANIFEST_REFUSED', expect.stringMatching(/^Canary test\/broken: .*port/)])
  })

  it('a port that is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanUps.push(() => server.close())
    const { port } = server.address() as AddressInfo
    for (const ports of [{ api: port }, { prometheus: port }]) {
      expect((await failure(rolloutSpec([], { ports }))).code).toBe('TWIN_PORT_IN_USE')
    }
  })
})

describe('an embedded world', () => {
  it('fails with TWIN_LOAD_NOT_DELIVERED when no more connections can be opened', async () => {
    const hang = [{ kind: 'delay', delay: { kind: 'constant', ms: 600_000 }, ratio: 1, match: {} } as const]
    const images = { 'stefanprodan/podinfo:3.1.0': { app: 'podinfo', faults: hang, options: {} } as const }
    const load = [{ ...USERS, to: 'http://podinfo.test:9898/', ratePerSecond: 1500, timeoutMs: 600_000, startMs: 5000 }]
    const service: KubeObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'podinfo', namespace: 'test' },
      spec: { selector: { app: 'podinfo' }, ports: [{ port: 9898 }] }
    }
    const manifests = [...MANIFESTS.slice(0, 2), service]
    const world = await start(rolloutSpec([], { images, load, manifests }))
    world.start()
    await expect(until(world, 20_000)).rejects.toMatchObject({ code: 'TWIN_LOAD_NOT_DELIVERED' })
  })

  it('runs commands at the terminal and in pods', async () => {
    const world = await start(rolloutSpec())
    world.start()
    await until(world, 30_000)
    expect((await world.run('kubectl -n test get deploy podinfo-primary --no-headers')).stdout).toMatch(
      /^podinfo-primary +1\/1 /
    )
    const version = await world.run('curl -s http://podinfo.test:9898/version', { from: 'test/podinfo-primary' })
    expect(JSON.parse(version.stdout)).toMatchObject({ version: '3.1.0' })
    expect((await world.run('curl -s http://podinfo.test:9898/version')).exitCode).toBe(6)
    expect(await world.run('true', { from: 'test/nobody' })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'no pod of test/nobody is running\n'
    })
  })

  it('answers queries and reads objects', async () => {
    const world = await start(rolloutSpec())
    world.start()
    await until(world, 60_000)
    const [rate] = world.query(
      'sum(rate(response_total{deployment="podinfo-primary",direction="inbound"}[30s])) > bool 1'
    )
    expect(rate?.value).toBe(1)
    expect(world.get('canary', 'test/podinfo')?.status).toMatchObject({ phase: 'Initialized' })
    expect(world.get('canary', 'test/other')).toBeUndefined()
  })

  it('stops twice, leaves no file, and ends what still runs', async () => {
    const world = await start(rolloutSpec())
    const kubeconfig = world.addresses?.kubeconfig ?? ''
    expect(existsSync(kubeconfig)).toBe(true)
    world.start()
    const watching = world.run('watch -n 1 true')
    await until(world, 5000)
    const began = performance.now()
    await Promise.all([world.stop(), world.stop()])
    expect(performance.now() - began).toBeLessThan(10_000)
    expect((await watching).exitCode).toBe(130)
    expect(existsSync(kubeconfig)).toBe(false)
  })
})

describe('stop()', () => {
  it('ends the commands that apps still run, and their listeners', async () => {
    const manifests = [...MANIFESTS, ...TESTER]
    const world = await start(rolloutSpec([], { manifests, images: TESTER_IMAGES, load: [] }))
    world.start()
    await until(world, 30_000)
    const metadata = { cmd: 'hey -z 2m -q 10 -c 2 http://podinfo.test:9898/' }
    const task = JSON.stringify({ name: 'podinfo', namespace: 'test', metadata })
    const answer = await world.run(`curl -si -d '${task}' http://tester.test/`, { from: 'test/tester' })
    expect(answer.stdout).toContain('202 Accepted')
    await until(world, 60_000)
    expect(world.query('sum(request_total{deployment="tester",direction="outbound"})')[0]?.value).toBeGreaterThan(100)
    await world.stop()
    const listeners = (): string[] => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap')
    await vi.waitFor(() => expect(listeners()).toEqual([]), 2000)
  })
})
