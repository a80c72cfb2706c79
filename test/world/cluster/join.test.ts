import { describe, expect, it } from 'vitest'
import type { ApiResponse } from '../../../src/kinds/index.ts'
import { randomStream } from '../../../src/lib/random/index.ts'
import { VirtualClock } from '../../../src/lib/time/index.ts'
import { createApiServer } from '../../../src/model/apiserver/index.ts'
import { createCluster, createInstantRuntime } from '../../../src/world/cluster/index.ts'

const START = 1_700_000_000_000

function world() {
  const clock = new VirtualClock(START)
  const api = createApiServer({ clock, random: randomStream(7, 'api') })
  const random = randomStream(7, 'cluster')
  const cluster = createCluster({ timeline: clock, api, random, runtime: createInstantRuntime() })
  const send = (method: 'POST' | 'DELETE' | 'PATCH', path: string, body: object): ApiResponse => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    return api.handle({ method, path, body, headers: { 'content-type': type, accept: 'application/json' } })
  }
  send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'test' } })
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }
  const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template }
  const deployments = '/apis/apps/v1/namespaces/test/deployments'
  send('POST', deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec })
  clock.runUntil(START)
  return { api, clock, cluster, send, web: `${deployments}/web` }
}

describe('a cluster over the API server', () => {
  it('finishes a rollout without raising the generation', () => {
    const { api } = world()
    const web = api.get('apps', 'deployments', 'test', 'web')
    expect(web?.metadata.generation).toBe(1)
    expect(web?.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' })
    expect(web?.status).toMatchObject({ observedGeneration: 1, availableReplicas: 2, updatedReplicas: 2 })
  })

  it('furnishes namespaces and nodes', () => {
    const { api } = world()
    expect(api.list('', 'nodes').map((node) => node.metadata.name)).toEqual(['node-1', 'node-2'])
    for (const namespace of ['default', 'test']) {
      expect(api.get('', 'serviceaccounts', namespace, 'default')).toBeDefined()
      expect(api.get('', 'configmaps', namespace, 'kube-root-ca.crt')).toBeDefined()
    }
  })

  it.each(['Background', 'Foreground', 'Orphan'])('deletes in the %s', (propagationPolicy) => {
    const { api, clock, send, web } = world()
    send('DELETE', web, { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy })
    clock.runUntil(START + 1000)
    const left = [
      api.list('apps', 'deployments').length,
      api.list('apps', 'replicasets').length,
      api.list('', 'pods').length
    ]
    expect(left).toEqual(propagationPolicy === 'Orphan' ? [0, 1, 2] : [0, 0, 0])
  })

  it('empties a namespace that is deleted', () => {
    const { api, clock, send } = world()
    send('DELETE', '/api/v1/namespaces/test', {})
    expect(api.get('', 'namespaces', undefined, 'test')?.status).toMatchObject({ phase: 'Terminating' })
    clock.runUntil(START + 4000)
    expect(api.list('', 'pods', 'test')).toHaveLength(2)
    clock.runUntil(START + 11_000)
    expect(api.get('', 'namespaces', undefined, 'test')).toBeUndefined()
    expect(api.list('', 'pods', 'test')).toEqual([])
  })

  it('goes on from a snapshot that was restored', () => {
    const { api, clock, cluster, send, web } = world()
    const snapshot = api.snapshot()
    send('PATCH', web, { spec: { replicas: 5 } })
    clock.runUntil(START)
    expect(api.list('', 'pods', 'test')).toHaveLength(5)
    api.restore(snapshot)
    cluster.resync()
    clock.runUntil(START)
    expect(api.list('', 'pods', 'test')).toHaveLength(2)
    send('PATCH', web, { spec: { replicas: 3 } })
    clock.runUntil(START)
    expect(api.get('apps', 'deployments', 'test', 'web')?.status).toMatchObject({ availableReplicas: 3 })
  })
})
