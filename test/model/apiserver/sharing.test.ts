import { describe, expect, test } from 'vitest'
import type { ApiRequest, ApiResponse, KubeObject } from '../../../src/kinds/index.ts'
import { FLAGGER_CRDS } from '../../../src/kinds/crds/index.ts'
import { randomStream } from '../../../src/lib/random/index.ts'
import { createApiServer, type ApiServer, type ApiServerOptions } from '../../../src/model/apiserver/index.ts'

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const METRICS = '/apis/flagger.app/v1beta1/namespaces/default/metrictemplates'

function server(options: Partial<ApiServerOptions> = {}): ApiServer {
  const clock = { now: () => Date.UTC(2026, 0, 1) }
  return createApiServer({ clock, random: randomStream(1, 'sharing'), crds: FLAGGER_CRDS, ...options })
}

function send(api: ApiServer, request: ApiRequest, agent = 'test'): KubeObject {
  const answer: ApiResponse = api.handle({ ...request, headers: { 'user-agent': agent, ...request.headers } })
  expect(answer.code).toBeLessThan(300)
  return answer.body as KubeObject
}

function deployment(): KubeObject {
  const labels = { app: 'a' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx:1.27' }] } }
  const spec = { replicas: 1, selector: { matchLabels: labels }, template }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec }
}

describe('bodies', () => {
  test.each([
    [DEPLOYMENTS, deployment()],
    [CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { key: 'value' } }],
    [
      METRICS,
      {
        apiVersion: 'flagger.app/v1beta1',
        kind: 'MetricTemplate',
        metadata: { name: 'a', labels: { app: 'a' } },
        spec: { provider: { type: 'prometheus', address: 'http://p.test' }, query: 'q' }
      }
    ]
  ])('POST %s leaves the body to its sender', (path, body) => {
    const api = server()
    const stored = send(api, { method: 'POST', path, body })
    const text = JSON.stringify(stored)
    const draft = body as { metadata: { labels?: Record<string, string> }; spec?: object; data?: object }
    draft.metadata.labels = { changed: 'later' }
    Object.assign(draft.spec ?? draft.data ?? {}, { changed: 'later' })
    expect(JSON.stringify(stored)).toBe(text)
  })

  test.each([
    [DEPLOYMENTS, deployment(), 'spec'],
    [CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { key: 'value' } }, 'data']
  ])('POST %s stores the parts of a body that is given away, and gives the same answers', (path, body, part) => {
    const text = JSON.stringify(send(server(), { method: 'POST', path, body: structuredClone(body) }))
    const api = server()
    const first = send(api, { method: 'POST', path, body, isGiven: true })
    expect(JSON.stringify(first)).toBe(text)
    expect(Object.isFrozen((body as Record<string, unknown>)[part])).toBe(true)
    const again = JSON.parse(JSON.stringify(first)) as KubeObject
    again.metadata.labels = { changed: 'now' }
    const second = send(api, { method: 'PUT', path: `${path}/a`, body: again, isGiven: true })
    expect(second[part]).toBe(first[part])
    expect(second.metadata.labels).toBe(again.metadata.labels)
  })

  test('what comes back untouched is the same object afterwards', () => {
    const api = server()
    const created = send(api, { method: 'POST', path: DEPLOYMENTS, body: deployment() })
    const body = { ...created, status: { replicas: 1 } }
    const updated = send(api, { method: 'PUT', path: `${DEPLOYMENTS}/a/status`, body })
    expect(updated.spec).toBe(created.spec)
    expect(updated.status).toEqual({ replicas: 1 })
  })

  test('a part of a status that comes back stays, but for nulls that only the server writes', () => {
    const api = server()
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    send(api, { method: 'POST', path: '/api/v1/namespaces/default/serviceaccounts', body: account })
    const pods = '/api/v1/namespaces/default/pods'
    const spec = { containers: [{ name: 'main', image: 'nginx:1.27' }] }
    send(api, { method: 'POST', path: pods, body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec } })
    const target = { apiVersion: 'v1', kind: 'Node', name: 'node' }
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target }
    send(api, { method: 'POST', path: `${pods}/a/binding`, body: binding })
    const report = (phase: string): { conditions: unknown[] } => {
      const bound = api.get('', 'pods', 'default', 'a') as KubeObject
      const body = { ...bound, status: { ...(bound.status as object), phase } }
      return send(api, { method: 'PUT', path: `${pods}/a/status`, body }).status as { conditions: unknown[] }
    }
    const bound = api.get('', 'pods', 'default', 'a')?.status as { conditions: object[] }
    expect(bound.conditions[0]).toHaveProperty('lastProbeTime', null)
    const first = report('Running')
    expect(first.conditions[0]).not.toHaveProperty('lastProbeTime')
    expect(report('Succeeded').conditions).toBe(first.conditions)
  })

  test('what is stored is frozen, whatever it shares with what was stored before', () => {
    const api = server()
    const created = send(api, { method: 'POST', path: DEPLOYMENTS, body: deployment() })
    const metadata = { ...created.metadata, annotations: { note: 'a' } }
    const body = { ...created, metadata, spec: { ...(created.spec as object), replicas: 2 } }
    const updated = send(api, { method: 'PUT', path: `${DEPLOYMENTS}/a`, body })
    const { spec } = updated as { spec: { template: object } }
    const { annotations, managedFields } = updated.metadata
    const parts = [updated, updated.metadata, annotations, managedFields, spec, spec.template]
    expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true))
  })

  test('addresses are validated where they are new, next to stored ones too', () => {
    const api = server()
    const address = (ip: string): object => ({ addresses: [ip], conditions: {} })
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'a' },
      addressType: 'IPv4'
    }
    const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
    const stored = send(api, { method: 'POST', path: slices, body: { ...slice, endpoints: [address('10.0.0.1')] } })
    const endpoints = [...(stored['endpoints'] as object[]), address('127.0.0.1')]
    const answer = api.handle({ method: 'PUT', path: `${slices}/a`, body: { ...stored, endpoints } })
    expect(answer.body).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'endpoints[1].addresses[0]' }] }
    })
    const subset = { addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }
    const points = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'a' }, subsets: [subset] }
    const path = '/api/v1/namespaces/default/endpoints'
    const before = send(api, { method: 'POST', path, body: points })
    const subsets = [...(before['subsets'] as object[]), { ...subset, addresses: [{ ip: 'none' }] }]
    const refused = api.handle({ method: 'PUT', path: `${path}/a`, body: { ...before, subsets } })
    expect(refused.body).toMatchObject({ details: { causes: [{ field: 'subsets[1].addresses[0].ip' }] } })
  })

  test('a part that differs from the stored one keeps the order of its members, and what of it is stored', () => {
    const api = server()
    const created = send(api, { method: 'POST', path: DEPLOYMENTS, body: deployment() })
    const status = {
      observedGeneration: 1,
      replicas: 2,
      unavailableReplicas: 0,
      conditions: [{ type: 'A', status: 'True' }]
    }
    const path = `${DEPLOYMENTS}/a/status`
    const one = send(api, { method: 'PUT', path, body: { ...created, status } })
    expect(JSON.stringify(one.status)).toBe(
      '{"observedGeneration":1,"replicas":2,"conditions":[{"type":"A","status":"True"}]}'
    )
    expect(send(api, { method: 'PUT', path, body: { ...one, status } })).toBe(one)
    const { conditions, ...counts } = status
    const turned = send(api, {
      method: 'PUT',
      path,
      body: { ...one, status: { conditions, ...counts, readyReplicas: 1 } }
    })
    expect(Object.keys(turned.status as object)).toEqual([
      'conditions',
      'observedGeneration',
      'replicas',
      'readyReplicas'
    ])
    expect((turned.status as { conditions: unknown }).conditions).toBe(
      (one.status as { conditions: unknown }).conditions
    )
  })
})

describe('managed fields', () => {
  test('name every writer, though they are computed only now', () => {
    const api = server()
    let object = send(api, { method: 'POST', path: DEPLOYMENTS, body: deployment() }, 'creator/1')
    for (let replicas = 1; replicas < 200; replicas++) {
      const body = { ...object, status: { replicas } }
      object = send(api, { method: 'PUT', path: `${DEPLOYMENTS}/a/status`, body }, 'counter/1')
    }
    const spec = { ...(object.spec as object), replicas: 3 }
    object = send(api, { method: 'PUT', path: `${DEPLOYMENTS}/a`, body: { ...object, spec } }, 'scaler/1')
    const owned = object.metadata.managedFields?.map(({ manager, subresource, fieldsV1 }) => [
      manager,
      subresource,
      JSON.stringify(fieldsV1).includes('f:replicas')
    ])
    expect(owned).toEqual([
      ['counter', 'status', true],
      ['creator', undefined, false],
      ['scaler', undefined, true]
    ])
    expect(api.get('apps', 'deployments', 'default', 'a')?.metadata.managedFields).toBe(object.metadata.managedFields)
  })

  test('are absent where nobody owns anything', () => {
    const api = server()
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bare' } }
    expect(Object.keys(send(api, { method: 'POST', path: CONFIG_MAPS, body }).metadata)).not.toContain('managedFields')
  })
})

describe('snapshot', () => {
  test('sees nothing of what comes after it, and its restoration nothing of what came between', () => {
    const api = server()
    const create = (name: string): KubeObject =>
      send(api, {
        method: 'POST',
        path: CONFIG_MAPS,
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { name } }
      })
    const names = (): string[] => api.list('', 'configmaps', 'default').map(({ metadata }) => metadata.name)
    create('b')
    const first = api.snapshot()
    create('a')
    const second = api.snapshot()
    send(api, { method: 'DELETE', path: `${CONFIG_MAPS}/b` })
    expect(names()).toEqual(['a'])
    api.restore(first)
    expect(names()).toEqual(['b'])
    create('c')
    expect(names()).toEqual(['b', 'c'])
    api.restore(second)
    expect(names()).toEqual(['a', 'b'])
    api.restore(first)
    expect(names()).toEqual(['b'])
  })

  test('is what another server can begin with, definitions included', () => {
    const snapshot = server().snapshot()
    const api = server({ state: snapshot, crds: [] })
    expect(api.list('', 'namespaces').map(({ metadata }) => metadata.name)).toContain('kube-system')
    expect(send(api, { method: 'GET', path: METRICS }).kind).toBe('MetricTemplateList')
  })
})
