/** What `linkerd stat` says about traffic whose size is known: slow_cooker's ten requests a second. */
import { afterEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/kinds/index.ts'
import { createEmbeddedWorld } from '../../../src/world/embedded/index.ts'
import type { World } from '../../../src/world/index.ts'
import { MANIFESTS, rolloutSpec, SET_IMAGE } from './fixture.ts'

const COOKER = 'buoyantio/slow_cooker:1.2.0'

const LOAD: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'load', namespace: 'test' },
  spec: {
    selector: { matchLabels: { app: 'load' } },
    template: {
      metadata: { labels: { app: 'load' } },
      spec: {
        containers: [
          { name: 'slow-cooker', image: COOKER, command: ['slow_cooker', '-qps', '10', 'http://podinfo.test:9898'] }
        ]
      }
    }
  }
}

let world: World | undefined

afterEach(async () => {
  await world?.stop()
})

async function start(): Promise<World> {
  const base = rolloutSpec([{ kind: 'status', status: 500, ratio: 0.5, match: {} }], { load: [] })
  const cooker = { app: 'slow-cooker', faults: [], options: {} } as const
  return await createEmbeddedWorld({
    ...base,
    manifests: [...MANIFESTS, LOAD],
    images: { ...base.images, [COOKER]: cooker }
  })
}

/** Rows of a table: its cells by heading. */
async function rows(at: World, command: string): Promise<Record<string, string>[]> {
  const { stdout, stderr } = await at.run(command)
  expect(stderr).toBe('')
  const [head = '', ...lines] = stdout.trimEnd().split('\n')
  const names = head.split(/ {2,}/)
  return lines.map((line) => Object.fromEntries(line.split(/ {2,}/).map((cell, index) => [names[index] ?? '', cell])))
}

/** Weights of canary and primary as the TrafficSplit has them. */
function weights(at: World): readonly number[] {
  interface Split {
    readonly backends: readonly { readonly weight: number | string }[]
  }
  const { backends } = (at.get('trafficsplit', 'test/podinfo')?.spec ?? { backends: [] }) as unknown as Split
  return backends.map((backend) => Number(backend.weight))
}

function until(at: World, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    at.failed.catch(reject)
    at.time.at(ms, resolve)
  })
}

describe('linkerd stat in an embedded world', () => {
  it("shows a client's ten requests a second where they went, and the half that failed", async () => {
    const running = (world = await start())
    running.start()
    await until(running, 110_000)
    expect(await rows(running, 'linkerd -n test stat deploy --from deploy/load')).toMatchObject([
      { NAME: 'podinfo-primary', MESHED: '1/1', SUCCESS: '100.00%', RPS: '10.0rps', TCP_CONN: '-' }
    ])
    await running.run(SET_IMAGE)
    while (weights(running)[0] === 0) await until(running, running.time.nowMs() + 1000)
    await until(running, running.time.nowMs() + 31_000)
    const split = await rows(running, 'linkerd viz stat ts/podinfo -n test --from deploy/load')
    expect(split).toMatchObject([
      { NAME: 'podinfo', APEX: 'podinfo', LEAF: 'podinfo-canary' },
      { NAME: 'podinfo', APEX: 'podinfo', LEAF: 'podinfo-primary', SUCCESS: '100.00%' }
    ])
    expect(split.map((row) => Number(row['WEIGHT']))).toEqual(weights(running))
    // Of thirty requests or more half fail: five standard deviations are at most 46 percent points.
    const [success = ''] = split.map((row) => row['SUCCESS'])
    expect(Math.abs(Number.parseFloat(success) - 50)).toBeLessThan(46)
    const deployments = await rows(running, 'linkerd -n test stat deploy --from deploy/load')
    expect(deployments.map((row) => row['SUCCESS'])).toEqual([success, '100.00%'])
  }, 60_000)
})
