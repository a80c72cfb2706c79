import { describe, expect, it } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import type { KubeObject } from '../../../src/kinds/index.ts'
import { createCluster, createInstantRuntime } from '../../../src/world/cluster/index.ts'
import { MemoryApi } from './memory-api.ts'

const START = 1_700_000_000_000

function world(mode: 'auto' | 'manual' = 'manual', detail: 'full' | 'lean' = 'full') {
  const clock = new VirtualClock(START)
  const api = new MemoryApi(clock)
  const runtime = createInstantRuntime()
  const cluster = createCluster({ timeline: clock, api, random: randomStream(1, 'cluster'), runtime, mode, detail })
  api.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'test' } })
  cluster.settle()
  return { clock, api, runtime, cluster }
}

function deployment(replicas: number, extra: Record<string, unknown> = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: {
      replicas,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: { app: 'podinfo' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: {
        metadata: { labels: { app: 'podinfo' } },
        spec: { restartPolicy: 'Always', containers: [{ name: 'podinfod', image: 'podinfo:1' }] }
      },
      ...extra
    }
  }
}

function setImage(image: string) {
  return (copy: KubeObject) => {
    const spec = copy.spec as { template: { spec: { containers: { image: string }[] } } }
    const [container] = spec.template.spec.containers
    if (container !== undefined) container.image = image
  }
}

function statusOf(api: MemoryApi): Record<string, unknown> {
  return api.get('apps', 'deployments', 'test', 'podinfo')?.status as Record<string, unknown>
}

function conditionsOf(api: MemoryApi): string[] {
  const conditions = statusOf(api)['conditions'] as {
    type: string
    status: string
    reason: string
    lastUpdateTime: string
  }[]
  return conditions.map((each) => `${each.type}=${each.status} ${each.reason} ${each.lastUpdateTime}`)
}

describe('createCluster', () => {
  it('rolls a new Deployment out within one settling', () => {
    const { api, cluster } = world()
    api.create('deployments', deployment(3))
    expect(statusOf(api)).toBeUndefined()
    cluster.settle()
    expect(statusOf(api)).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      updatedReplicas: 3,
      terminatingReplicas: 0,
      observedGeneration: 1
    })
    expect(conditionsOf(api)).toEqual([
      'Available=True MinimumReplicasAvailable 2023-11-14T22:13:20Z',
      'Progressing=True NewReplicaSetAvailable 2023-11-14T22:13:20Z'
    ])
    expect(api.get('apps', 'deployments', 'test', 'podinfo')?.metadata.annotations).toEqual({
      'deployment.kubernetes.io/revision': '1'
    })
    expect(api.list('', 'pods').map((pod) => (pod.spec as { nodeName: string }).nodeName)).toEqual([
      'node-1',
      'node-2',
      'node-1'
    ])
  })

  it('leaves Progressing alone when a finished template is scaled up with held pods', () => {
    const { api, cluster, clock, runtime } = world()
    api.create('deployments', deployment(0))
    cluster.settle()
    runtime.setRules([{ workload: 'podinfo', ready: 'hold' }])
    clock.runUntil(START + 10_000)
    api.edit(api.list('apps', 'deployments')[0] as KubeObject, 'deployments', (copy) => {
      ;(copy.spec as { replicas: number }).replicas = 1
    })
    cluster.settle()
    clock.runUntil(START + 1_000_000)
    cluster.settle()
    expect(conditionsOf(api)).toEqual([
      'Progressing=True NewReplicaSetAvailable 2023-11-14T22:13:20Z',
      'Available=False MinimumReplicasUnavailable 2023-11-14T22:13:30Z'
    ])
  })

  it('keeps a held rollout at one old and one new pod until the deadline', () => {
    const { api, cluster, clock, runtime } = world()
    const created = api.create('deployments', deployment(1, { progressDeadlineSeconds: 14 }))
    cluster.settle()
    runtime.setRules([{ image: 'podinfo:2', ready: 'hold' }])
    api.edit(created, 'deployments', setImage('podinfo:2'))
    cluster.settle()
    expect(statusOf(api)).toMatchObject({ replicas: 2, updatedReplicas: 1, availableReplicas: 1 })
    clock.runUntil(START + 20_000)
    cluster.settle()
    expect(conditionsOf(api)[1]).toBe('Progressing=False ProgressDeadlineExceeded 2023-11-14T22:13:40Z')
    runtime.setRules([])
    cluster.refreshPods()
    cluster.settle()
    expect(statusOf(api)).toMatchObject({ replicas: 1, updatedReplicas: 1, availableReplicas: 1 })
    expect(api.list('', 'pods')).toHaveLength(1)
  })

  it('reports each step of a one by one update as an event', () => {
    const { api, cluster } = world()
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
    const created = api.create('deployments', deployment(3, { strategy }))
    cluster.settle()
    api.edit(created, 'deployments', setImage('podinfo:2'))
    cluster.settle()
    const messages = api
      .list('', 'events')
      .filter((event) => event['reason'] === 'ScalingReplicaSet')
      .map((event) => String(event['message']).replace(/podinfo-\w+/, 'podinfo'))
    expect(messages).toEqual([
      'Scaled up replica set podinfo from 0 to 3',
      'Scaled up replica set podinfo from 0 to 1',
      'Scaled down replica set podinfo from 3 to 2',
      'Scaled up replica set podinfo from 1 to 2',
      'Scaled down replica set podinfo from 2 to 1',
      'Scaled up replica set podinfo from 2 to 3',
      'Scaled down replica set podinfo from 1 to 0'
    ])
  })

  it('goes as far as surge and unavailability allow when one of three new pods may be ready', () => {
    const { api, cluster, runtime } = world()
    const created = api.create('deployments', deployment(3))
    cluster.settle()
    runtime.setRules([{ image: 'podinfo:2', readyCount: 1 }])
    api.edit(created, 'deployments', setImage('podinfo:2'))
    cluster.settle()
    expect(statusOf(api)).toMatchObject({ replicas: 4, updatedReplicas: 2, availableReplicas: 3 })
  })

  it('comes to the same end with fewer writes when it is lean', () => {
    const ends = (['full', 'lean'] as const).map((detail) => {
      const { api, cluster } = world('manual', detail)
      const created = api.create('deployments', deployment(5))
      cluster.settle()
      api.edit(created, 'deployments', setImage('podinfo:2'))
      cluster.settle()
      const sets = api.list('apps', 'replicasets').map((each) => each.status)
      return { status: statusOf(api), sets, writes: api.requests.length }
    })
    const [full, lean] = ends
    expect(lean?.status).toEqual(full?.status)
    expect(lean?.sets).toEqual(full?.sets)
    expect(lean?.writes).toBeLessThan((full?.writes ?? 0) * 0.6)
  })

  it('goes on from the stored state after a resynchronisation', () => {
    const { api, cluster, runtime } = world()
    const created = api.create('deployments', deployment(2))
    cluster.settle()
    runtime.setRules([{ image: 'podinfo:2', ready: 'hold' }])
    api.edit(created, 'deployments', setImage('podinfo:2'))
    cluster.settle()
    const before = api.requests.length
    cluster.resync()
    cluster.settle()
    expect(api.requests.slice(before)).toEqual([])
    runtime.setRules([])
    cluster.refreshPods()
    cluster.settle()
    expect(statusOf(api)).toMatchObject({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 })
  })

  it('removes everything an owner leaves behind', () => {
    const { api, cluster } = world()
    const created = api.create('deployments', deployment(2))
    cluster.settle()
    api.remove(created, 'deployments')
    cluster.settle()
    expect(api.list('apps', 'replicasets')).toEqual([])
    expect(api.list('', 'pods')).toEqual([])
  })

  it('deletes dependents before an owner that is deleted in the foreground', () => {
    const { api, cluster } = world()
    const created = api.create('deployments', deployment(2))
    cluster.settle()
    api.remove(created, 'deployments', { propagationPolicy: 'Foreground' })
    expect(api.list('apps', 'deployments')).toHaveLength(1)
    cluster.settle()
    expect(api.list('apps', 'deployments')).toEqual([])
    expect(api.list('', 'pods')).toEqual([])
  })

  it('lets go of dependents that are orphaned and takes them back by selector', () => {
    const { api, cluster } = world()
    const created = api.create('deployments', deployment(1))
    cluster.settle()
    const [set] = api.list('apps', 'replicasets')
    api.remove(created, 'deployments', { propagationPolicy: 'Orphan' })
    cluster.settle()
    expect(api.list('apps', 'deployments')).toEqual([])
    expect(api.list('apps', 'replicasets').map((each) => each.metadata.ownerReferences)).toEqual([undefined])
    const again = api.create('deployments', deployment(1))
    cluster.settle()
    const [adopted] = api.list('apps', 'replicasets')
    expect([adopted?.metadata.uid, adopted?.metadata.ownerReferences?.[0]?.uid]).toEqual([
      set?.metadata.uid,
      again.metadata.uid
    ])
    expect(api.list('', 'pods')).toHaveLength(1)
  })

  it('replaces a pod whose labels no longer match', () => {
    const { api, cluster } = world()
    api.create('deployments', deployment(1))
    cluster.settle()
    const [pod] = api.list('', 'pods')
    api.edit(pod as KubeObject, 'pods', (copy) => {
      copy.metadata.labels = { app: 'free' }
    })
    cluster.settle()
    expect(api.list('', 'pods').map((each) => each.metadata.ownerReferences?.[0]?.kind)).toEqual([
      undefined,
      'ReplicaSet'
    ])
  })

  it('empties a namespace some time after its deletion, before it goes', () => {
    const { api, clock, cluster } = world()
    api.create('deployments', deployment(2))
    cluster.settle()
    expect(api.get('', 'configmaps', 'test', 'kube-root-ca.crt')).toBeDefined()
    api.remove(api.get('', 'namespaces', undefined, 'test') as KubeObject, 'namespaces')
    cluster.settle()
    expect(api.list('', 'configmaps')).toHaveLength(1)
    for (const seconds of [5, 6, 11]) {
      clock.runUntil(START + seconds * 1000)
      cluster.settle()
    }
    expect(api.get('', 'namespaces', undefined, 'test')).toBeUndefined()
    expect(api.list('', 'pods')).toEqual([])
    expect(api.list('', 'configmaps')).toEqual([])
  })

  it('acts in the same instant in auto mode', () => {
    const { api, clock } = world('auto')
    api.create('deployments', deployment(2))
    clock.runUntil(START)
    expect(statusOf(api)).toMatchObject({ availableReplicas: 2 })
  })

  it('backs off a container that keeps ending', () => {
    const { api, cluster, clock } = world('auto')
    api.create('deployments', deployment(1))
    clock.runUntil(START)
    const pod = api.list('', 'pods')[0] as KubeObject
    const waiting = () => {
      const status = api.get('', 'pods', 'test', pod.metadata.name)?.status as {
        containerStatuses: { restartCount: number; state: { waiting?: { reason: string } } }[]
      }
      const [container] = status.containerStatuses
      return `${container?.restartCount} ${container?.state.waiting?.reason ?? 'running'}`
    }
    const key = `test/${pod.metadata.name}`
    const seen: string[] = []
    for (const waitMs of [1000, 9000, 1000, 10_000, 10_000]) {
      if (waiting().endsWith('running')) cluster.containerExited(key, 'podinfod', 1)
      clock.runUntil(clock.now() + waitMs)
      seen.push(waiting())
    }
    expect(seen).toEqual(['1 running', '1 CrashLoopBackOff', '2 running', '2 CrashLoopBackOff', '3 running'])
  })
})
