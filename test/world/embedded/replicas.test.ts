import { afterEach, describe, expect, it } from 'vitest'
import type { Canary, KubeObject } from '../../../src/kinds/index.ts'
import type { TraceEvent } from '../../../src/trace/index.ts'
import { createEmbeddedWorld } from '../../../src/world/embedded/index.ts'
import type { World } from '../../../src/world/index.ts'
import { MANIFESTS, rolloutSpec, SET_IMAGE } from './fixture.ts'

const worlds: World[] = []

afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})

const POD_LABELS = { 'app.kubernetes.io/name': 'flagger' }

/** The controller as its chart installs it. */
function flagger(replicas: number, args: readonly string[]): KubeObject[] {
  const metadata = { name: 'flagger', namespace: 'flagger-system' }
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flagger-system' } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas,
        selector: { matchLabels: POD_LABELS },
        template: {
          metadata: {
            labels: POD_LABELS,
            annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' }
          },
          spec: {
            containers: [
              {
                name: 'flagger',
                image: 'ghcr.io/fluxcd/flagger:1.44.0',
                args: [...args],
                ports: [{ name: 'http', containerPort: 8080 }]
              }
            ]
          }
        }
      }
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: POD_LABELS, ports: [{ name: 'http', port: 8080 }] }
    }
  ]
}

interface Running {
  readonly world: World
  readonly events: TraceEvent[]
  /** Lets time run up to that many seconds after the start. */
  until(seconds: number): Promise<void>
  readonly holder: string
}

async function start(replicas: number, args: readonly string[]): Promise<Running> {
  const world = await createEmbeddedWorld(
    rolloutSpec([], { manifests: [...flagger(replicas, args), ...MANIFESTS], load: [] })
  )
  worlds.push(world)
  const events: TraceEvent[] = []
  world.onTrace((event) => void events.push(event))
  let release: (() => void) | undefined = world.time.hold('test')
  world.start()
  const until = async (seconds: number): Promise<void> => {
    const reached = new Promise<void>((resolve, reject) => {
      world.failed.catch(reject)
      world.time.at(seconds * 1000, () => {
        release = world.time.hold('test')
        resolve()
      })
    })
    release?.()
    await reached
  }
  return {
    world,
    events,
    until,
    get holder(): string {
      const lease = world.get('lease', 'flagger-system/flagger-leader-election')
      return (
        String((lease?.spec as { readonly holderIdentity?: string } | undefined)?.holderIdentity).split('_')[0] ?? ''
      )
    }
  }
}

function podsOf(world: World): Promise<readonly string[]> {
  return world
    .run('kubectl -n flagger-system get pods -o name')
    .then(({ stdout }) => stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.replace('pod/', '')])))
}

describe('replicas of the controller', () => {
  it('elect one of them, and another goes on with the rollout when its pod is gone', async () => {
    const running = await start(2, ['-enable-leader-election', '-leader-election-namespace=flagger-system'])
    const { world } = running
    await running.until(40)
    const canary = (): Canary => world.get('canary', 'test/podinfo') as Canary
    expect(canary().status?.phase).toBe('Initialized')
    const pods = await podsOf(world)
    const leader = running.holder
    const follower = pods.find((pod) => pod !== leader) ?? ''
    expect(pods).toContain(leader)
    expect((await world.run(`kubectl -n flagger-system logs ${leader}`)).stdout).toContain('Acting as elected leader')
    const followed = (await world.run(`kubectl -n flagger-system logs ${follower}`)).stdout
    expect(followed).toContain(`Another instance has been elected as leader: ${leader}_`)
    expect(followed).not.toContain('Initialization done!')

    await world.run(`kubectl -n flagger-system delete pod ${leader}`)
    await running.until(55)
    expect(running.holder).not.toBe(leader)
    expect(await podsOf(world)).toContain(running.holder)
    await world.run(SET_IMAGE)
    await running.until(90)
    expect(canary().status?.phase).toBe('Progressing')
    expect((await world.run(`kubectl -n flagger-system logs ${running.holder}`)).stdout).toContain(
      'New revision detected!'
    )
  })

  it('show their metrics and health on port 8080', async () => {
    const running = await start(1, ['-mesh-provider=linkerd'])
    const { world } = running
    await running.until(40)
    let second = 40
    const get = async (path: string): Promise<string> => {
      const answer = world.run(`curl -s http://flagger.flagger-system:8080${path}`, { from: 'test/podinfo-primary' })
      await running.until((second += 1))
      return (await answer).stdout
    }
    expect(await get('/healthz')).toBe('OK')
    expect(await get('/other')).toBe('404 page not found\n')
    expect((await get('/metrics')).split('\n')).toEqual([
      '# HELP flagger_canary_status Last canary analysis result',
      '# TYPE flagger_canary_status gauge',
      'flagger_canary_status{name="podinfo",namespace="test"} 1',
      '# HELP flagger_canary_total Total number of canary object',
      '# TYPE flagger_canary_total gauge',
      'flagger_canary_total{namespace="test"} 1',
      '# HELP flagger_info Flagger version and mesh provider information',
      '# TYPE flagger_info gauge',
      'flagger_info{mesh_provider="linkerd",version="1.44.0"} 1',
      ''
    ])
  })
})
