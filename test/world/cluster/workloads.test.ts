import { describe, expect, it } from 'vitest'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import type { KubeObject } from '../../../src/kinds/index.ts'
import type { MetricsReader } from '../../../src/model/controllers/index.ts'
import { type ClusterOptions, createCluster, createInstantRuntime } from '../../../src/world/cluster/index.ts'
import { MemoryApi } from './memory-api.ts'

const START = 1_700_000_000_000

function world(options: Partial<ClusterOptions> = {}) {
  const clock = new VirtualClock(START)
  const api = new MemoryApi(clock)
  const runtime = createInstantRuntime()
  const random = randomStream(1, 'cluster')
  const cluster = createCluster({ timeline: clock, api, random, runtime, mode: 'auto', ...options })
  api.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'test' } })
  clock.runUntil(START)
  return { clock, api, runtime, cluster }
}

const TEMPLATE = {
  metadata: { labels: { app: 'web' } },
  spec: {
    restartPolicy: 'Always',
    containers: [{ name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: 80 }] }]
  }
}

function workload(kind: string, spec: object): object {
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'apps/v1'
  const selector = { matchLabels: { app: 'web' } }
  return {
    apiVersion,
    kind,
    metadata: { name: 'web', namespace: 'test' },
    spec: { selector, template: TEMPLATE, ...spec }
  }
}

function images(api: MemoryApi): string[] {
  return api.list('', 'pods').map((pod) => (pod.spec as { containers: { image: string }[] }).containers[0]?.image ?? '')
}

function useImage(image: string) {
  return (copy: KubeObject) => {
    const { template } = copy.spec as { template: typeof TEMPLATE }
    const [container] = template.spec.containers
    if (container !== undefined) container.image = image
  }
}

describe('daemonset', () => {
  it('runs one pod per node and replaces them one by one', () => {
    const { api, clock } = world()
    const created = api.create('daemonsets', workload('DaemonSet', { updateStrategy: { type: 'RollingUpdate' } }))
    clock.runUntil(START)
    expect(api.list('', 'pods').map((pod) => (pod.spec as { nodeName?: string }).nodeName)).toEqual([
      'node-1',
      'node-2'
    ])
    api.edit(created, 'daemonsets', useImage('web:2'))
    clock.runUntil(START)
    expect(images(api)).toEqual(['web:2', 'web:2'])
    expect(api.get('apps', 'daemonsets', 'test', 'web')?.status).toEqual({
      currentNumberScheduled: 2,
      desiredNumberScheduled: 2,
      numberMisscheduled: 0,
      numberReady: 2,
      numberAvailable: 2,
      updatedNumberScheduled: 2,
      observedGeneration: 2
    })
    expect(api.list('apps', 'controllerrevisions').map((each) => each['revision'])).toEqual([1, 2])
  })

  it('leaves old pods alone with OnDelete', () => {
    const { api, clock } = world()
    const created = api.create('daemonsets', workload('DaemonSet', { updateStrategy: { type: 'OnDelete' } }))
    clock.runUntil(START)
    api.edit(created, 'daemonsets', useImage('web:2'))
    clock.runUntil(START)
    expect(images(api)).toEqual(['web:1', 'web:1'])
    api.remove(api.list('', 'pods')[0] as KubeObject, 'pods')
    clock.runUntil(START)
    expect(images(api).toSorted()).toEqual(['web:1', 'web:2'])
  })

  it('removes its pods when no node fits any more', () => {
    const { api, clock } = world()
    const created = api.create('daemonsets', workload('DaemonSet', {}))
    clock.runUntil(START)
    api.edit(created, 'daemonsets', (copy) => {
      Object.assign((copy.spec as { template: { spec: object } }).template.spec, { nodeSelector: { disk: 'none' } })
    })
    clock.runUntil(START)
    expect(api.list('', 'pods')).toEqual([])
    expect(api.get('apps', 'daemonsets', 'test', 'web')?.status).toMatchObject({ desiredNumberScheduled: 0 })
  })
})

describe('job', () => {
  function job(command: string, spec: object = {}): object {
    const container = { name: 'web', image: 'web:1', command: [command] }
    const template = { metadata: { labels: { app: 'web' } }, spec: { restartPolicy: 'Never', containers: [container] } }
    return workload('Job', { parallelism: 2, completions: 3, template, ...spec })
  }

  it('completes after enough pods succeeded and goes after its time to live', () => {
    const { api, clock } = world()
    api.create('jobs', job('true', { ttlSecondsAfterFinished: 2 }))
    clock.runUntil(START)
    const stored = api.get('batch', 'jobs', 'test', 'web')?.status as {
      succeeded: number
      conditions: { type: string }[]
    }
    expect([stored.succeeded, stored.conditions.map((each) => each.type)]).toEqual([
      3,
      ['SuccessCriteriaMet', 'Complete']
    ])
    clock.runUntil(START + 3000)
    expect([api.list('batch', 'jobs'), api.list('', 'pods')]).toEqual([[], []])
  })

  it('fails when its pods fail more often than allowed', () => {
    const { api, clock } = world()
    api.create('jobs', job('false', { backoffLimit: 0 }))
    clock.runUntil(START)
    const stored = api.get('batch', 'jobs', 'test', 'web')?.status as { conditions: { type: string; reason: string }[] }
    expect(stored.conditions.map((each) => `${each.type} ${each.reason}`)).toEqual([
      'FailureTarget BackoffLimitExceeded',
      'Failed BackoffLimitExceeded'
    ])
  })
})

describe('endpoints', () => {
  it('follow ready, unready and terminating pods', () => {
    const { api, clock, runtime, cluster } = world()
    api.create('deployments', workload('Deployment', { replicas: 2 }))
    const ports = [{ name: 'http', port: 80, targetPort: 'http' }]
    const spec = { selector: { app: 'web' }, ports }
    api.create('services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'test' }, spec })
    clock.runUntil(START)
    const subsets = () => api.get('', 'endpoints', 'test', 'web')?.['subsets'] as Record<string, { ip: string }[]>[]
    expect(subsets()[0]?.['addresses']?.map((each) => each.ip)).toEqual(['10.244.0.1', '10.244.1.1'])
    runtime.loseReadiness({}, api.list('', 'pods').slice(0, 1))
    cluster.refreshPods()
    clock.runUntil(START)
    expect(subsets()[0]?.['notReadyAddresses']?.map((each) => each.ip)).toEqual(['10.244.0.1'])
    const slice = api.list('discovery.k8s.io', 'endpointslices')[0]
    const endpoints = (slice?.['endpoints'] ?? []) as { conditions: object }[]
    expect(endpoints.map((each) => each.conditions)).toEqual([
      { ready: false, serving: false, terminating: false },
      { ready: true, serving: true, terminating: false }
    ])
    api.remove(api.list('', 'services')[0] as KubeObject, 'services')
    clock.runUntil(START)
    expect([api.list('', 'endpoints'), api.list('discovery.k8s.io', 'endpointslices')]).toEqual([[], []])
  })
})

describe('horizontal pod autoscaler', () => {
  function autoscaled(metrics: MetricsReader | undefined, replicas: number) {
    const { api, clock } = world(metrics === undefined ? {} : { metrics })
    const spec = {
      ...TEMPLATE.spec,
      containers: [{ name: 'web', image: 'web:1', resources: { requests: { cpu: '100m' } } }]
    }
    api.create('deployments', workload('Deployment', { replicas, template: { ...TEMPLATE, spec } }))
    const resource = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } }
    api.create('horizontalpodautoscalers', {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: 'test' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 1,
        maxReplicas: 4,
        metrics: [{ type: 'Resource', resource }]
      }
    })
    const reasons = () => {
      const status = api.get('autoscaling', 'horizontalpodautoscalers', 'test', 'web')?.status as {
        conditions: { type: string; status: string; reason: string }[]
      }
      return status.conditions.map((each) => `${each.type}=${each.status} ${each.reason}`)
    }
    return { api, clock, reasons }
  }

  const scaleWrites = (api: MemoryApi) =>
    api.requests
      .filter((each) => each.path.endsWith('/scale'))
      .map((each) => (each.body as { spec: { replicas: number } }).spec.replicas)

  it('says that no metrics are served', () => {
    const { clock, reasons } = autoscaled(undefined, 2)
    clock.runUntil(START + 15_000)
    expect(reasons()).toEqual(['AbleToScale=True SucceededGetScale', 'ScalingActive=False FailedGetResourceMetric'])
  })

  it('keeps the bounds without metrics', () => {
    const { api, clock, reasons } = autoscaled(undefined, 9)
    clock.runUntil(START + 15_000)
    expect(scaleWrites(api)).toEqual([4])
    expect(reasons()).toEqual(['AbleToScale=True SucceededRescale'])
  })

  it('grows at once and shrinks after the stabilisation window', () => {
    let cpu = 0.1
    const { api, clock, reasons } = autoscaled({ podUsage: () => ({ web: { cpu, memory: 0 } }) }, 1)
    clock.runUntil(START + 15_000)
    expect(scaleWrites(api)).toEqual([2])
    expect(reasons()).toEqual([
      'AbleToScale=True SucceededRescale',
      'ScalingActive=True ValidMetricFound',
      'ScalingLimited=False DesiredWithinRange'
    ])
    cpu = 0.01
    clock.runUntil(START + 200_000)
    expect(scaleWrites(api)).toEqual([2])
    expect(reasons()[0]).toBe('AbleToScale=True ScaleDownStabilized')
  })
})
