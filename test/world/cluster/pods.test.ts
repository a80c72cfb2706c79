import { describe, expect, it } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import type { KubeObject } from '../../../src/kinds/index.ts'
import type { Condition, PodRuntime, PodStatus } from '../../../src/model/controllers/index.ts'
import { createCluster, createInstantRuntime } from '../../../src/world/cluster/index.ts'
import { MemoryApi } from './memory-api.ts'

const START = 1_700_000_000_000

interface Script {
  /** Whether probes succeed, by milliseconds since the start. */
  healthy?: (atMs: number) => boolean
  imageError?: string
  startupMs?: number
  shutdownMs?: number
}

function run(script: Script, container: object, spec: object = {}) {
  const clock = new VirtualClock(START)
  const api = new MemoryApi(clock)
  const calls: string[] = []
  const at = () => `${(clock.now() - START) / 1000}s`
  const runtime: PodRuntime = {
    start: (_pod, name) => {
      calls.push(`${at()} start${name === undefined ? '' : ` ${name}`}`)
      return script.imageError === undefined ? { startupMs: script.startupMs ?? 0 } : { imageError: script.imageError }
    },
    stop: () => void calls.push(`${at()} stop`),
    probe: (_pod, _name, _probe, done) =>
      done(script.healthy?.(clock.now() - START) ?? true, 'HTTP probe failed with statuscode: 503'),
    shutdownMs: () => script.shutdownMs ?? 250
  }
  const cluster = createCluster({ timeline: clock, api, random: randomStream(1, 'cluster'), runtime })
  api.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'test' } })
  const pod = api.create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'test' },
    spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: 'web:1', ...container }], ...spec }
  })
  const stored = () => api.get('', 'pods', 'test', 'web')
  const state = (): string => {
    const status = stored()?.status as
      | {
          phase: string
          containerStatuses?: { ready: boolean; restartCount: number; state: Record<string, { reason?: string }> }[]
        }
      | undefined
    if (stored() === undefined) return 'gone'
    const [first] = status?.containerStatuses ?? []
    const [kind, detail] = Object.entries(first?.state ?? {})[0] ?? ['none', {}]
    return `${status?.phase} ${kind}${detail.reason === undefined ? '' : ` ${detail.reason}`} ${first?.ready ? 'ready' : 'unready'} ${first?.restartCount}`
  }
  const states = (...times: number[]): string[] =>
    times.map((time) => {
      clock.runUntil(START + time * 1000)
      return `${time}s ${state()}`
    })
  const conditions = (): readonly Condition[] => (stored()?.status as PodStatus | undefined)?.conditions ?? []
  return { api, clock, cluster, calls, pod, states, stored, conditions }
}

const PROBE = { httpGet: { path: '/', port: 80 }, periodSeconds: 10, failureThreshold: 3, successThreshold: 1 }

function messages(api: MemoryApi): string[] {
  return api.list('', 'events').map((event) => `${String(event['reason'])}: ${String(event['message'])}`)
}

describe('a pod', () => {
  it('is created, runs and becomes ready with its readiness probe', () => {
    const readinessProbe = { ...PROBE, initialDelaySeconds: 5, periodSeconds: 3 }
    const { states, api } = run({ startupMs: 2000, healthy: (at) => at >= 9000 }, { readinessProbe })
    expect(states(0, 2, 9, 10, 11)).toEqual([
      '0s Pending waiting ContainerCreating unready 0',
      '2s Running running unready 0',
      '9s Running running unready 0',
      '10s Running running ready 0',
      '11s Running running ready 0'
    ])
    expect(messages(api)).toEqual([
      'Scheduled: Successfully assigned test/web to node-1',
      'Pulled: Container image "web:1" already present on machine and can be accessed by the pod',
      'Created: Container created',
      'Started: Container started',
      'Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503'
    ])
  })

  it('loses readiness after as many failures as its threshold says', () => {
    const { states } = run({ healthy: (at) => at < 5000 }, { readinessProbe: { ...PROBE, failureThreshold: 2 } })
    expect(states(1, 10, 20)).toEqual([
      '1s Running running ready 0',
      '10s Running running ready 0',
      '20s Running running unready 0'
    ])
  })

  it('is restarted when its liveness probe fails', () => {
    const { states, calls, api } = run({ healthy: (at) => at < 5000 || at > 30_000 }, { livenessProbe: PROBE })
    expect(states(29, 31)).toEqual(['29s Running running ready 0', '31s Running running ready 1'])
    expect(calls).toEqual(['0s start', '30s start main'])
    expect(messages(api)).toContain('Killing: Container main failed liveness probe, will be restarted')
  })

  it('starts a container again when its image changes', () => {
    const { api, states, stored, calls } = run({}, {})
    states(1)
    api.edit(stored() as KubeObject, 'pods', (copy) => {
      Object.assign((copy.spec as { containers: object[] }).containers[0] ?? {}, { image: 'web:2' })
    })
    expect(states(2)).toEqual(['2s Running running ready 1'])
    expect(calls).toEqual(['0s start', '1s start main'])
  })

  it('waits for its startup probe before it is ready', () => {
    const { states } = run({ healthy: (at) => at >= 15_000 }, { startupProbe: PROBE, livenessProbe: PROBE })
    expect(states(15, 20)).toEqual(['15s Running running unready 0', '20s Running running ready 0'])
  })

  it('backs off when its image cannot be pulled', () => {
    const { states, calls } = run({ imageError: 'no such host' }, {})
    expect(states(0, 1, 10, 11)).toEqual([
      '0s Pending waiting ErrImagePull unready 0',
      '1s Pending waiting ImagePullBackOff unready 0',
      '10s Pending waiting ErrImagePull unready 0',
      '11s Pending waiting ImagePullBackOff unready 0'
    ])
    expect(states(29, 30).map((each) => each.split(' ')[3])).toEqual(['ImagePullBackOff', 'ErrImagePull'])
    expect(calls).toEqual(['0s start', '10s start main', '30s start main'])
  })

  it('ends after its shutdown, at the latest after its grace period', () => {
    const grace = { terminationGracePeriodSeconds: 5 }
    const { api, states, calls, pod, stored, clock } = run({ shutdownMs: 60_000 }, {}, grace)
    clock.runUntil(START + 1000)
    api.remove(pod, 'pods')
    expect(stored()?.metadata.deletionTimestamp).toBeDefined()
    expect(states(5, 6)).toEqual(['5s Running running ready 0', '6s gone'])
    expect(calls).toEqual(['0s start', '6s stop'])
  })

  it('stays pending with a reason when no node fits', () => {
    const { api, states, conditions } = run({}, {}, { nodeSelector: { disk: 'none' } })
    states(0)
    expect(conditions().map((each) => `${each.type} ${each.reason}`)).toEqual(['PodScheduled Unschedulable'])
    expect(messages(api)[0]).toMatch(
      /^FailedScheduling: 0\/2 nodes are available: 2 node\(s\) didn't match Pod's node affinity/
    )
  })

  it('waits for its readiness gates', () => {
    const { api, clock, stored, conditions } = run({}, {}, { readinessGates: [{ conditionType: 'example.org/up' }] })
    const ready = () => {
      const found = conditions().find((each) => each.type === 'Ready')
      return `${found?.status} ${found?.reason ?? ''}`.trim()
    }
    clock.runUntil(START)
    expect(ready()).toBe('False ReadinessGatesNotReady')
    api.edit(stored() as KubeObject, 'pods', (copy) => {
      const { conditions } = copy.status as { conditions: object[] }
      conditions.push({ type: 'example.org/up', status: 'True' })
    })
    clock.runUntil(START)
    expect(ready()).toBe('True')
  })

  it('is taken over as it is by a cluster over restored state', () => {
    const { api, clock, cluster, calls, stored } = run({}, {})
    clock.runUntil(START)
    cluster.stop()
    const before = stored()
    const runtime = createInstantRuntime()
    const second = createCluster({ timeline: clock, api, random: randomStream(2, 'cluster'), runtime, mode: 'manual' })
    second.settle()
    expect(stored()).toBe(before)
    expect(calls).toEqual(['0s start', '0s stop'])
  })
})
