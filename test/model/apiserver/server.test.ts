import { describe, expect, test } from 'vitest'
import { FLAGGER_CRDS } from '../../../src/kinds/crds/index.ts'
import type { ApiRequest, ApiResponse, KubeObject, KubeStatus } from '../../../src/kinds/index.ts'
import { randomStream } from '../../../src/lib/random/index.ts'
import { createApiServer, type ApiServer, type WatchEvent } from '../../../src/model/apiserver/index.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'

interface Fixture {
  readonly api: ApiServer
  send(method: ApiRequest['method'], path: string, body?: unknown, options?: Partial<ApiRequest>): ApiResponse
}

function fixture(options: { crds?: readonly KubeObject[]; watchWindow?: number } = {}): Fixture {
  const api = createApiServer({ clock: { now: () => NOW }, random: randomStream(7, 'apiserver'), ...options })
  return { api, send: (method, path, body, more) => api.handle({ method, path, body, ...more }) }
}

function object(response: ApiResponse): KubeObject {
  return response.body as KubeObject
}

function message(response: ApiResponse): string | undefined {
  return (response.body as KubeStatus).message
}

function configMap(name: string, data: Record<string, string> = { k: '1' }): Record<string, unknown> {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
}

function deployment(name: string): Record<string, unknown> {
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx:1.27' }] } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template }
  }
}

const MERGE = { headers: { 'content-type': 'application/merge-patch+json' } }

describe('createApiServer', () => {
  test('create stores a frozen object with uid, time, version and owner of its fields', () => {
    const { api, send } = fixture()
    const created = send('POST', CONFIG_MAPS, configMap('a'))
    expect(created.code).toBe(201)
    const stored = api.get('', 'configmaps', 'default', 'a')
    expect(stored).toBe(object(created))
    expect(Object.isFrozen(stored?.metadata)).toBe(true)
    expect(stored?.metadata.creationTimestamp).toBe('2026-01-02T03:04:05Z')
    expect(stored?.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(stored?.metadata.managedFields).toMatchObject([{ manager: 'unknown', operation: 'Update' }])
  })

  test('the same seed gives the same uids', () => {
    const uids = [fixture(), fixture()].map(
      ({ send }) => object(send('POST', CONFIG_MAPS, configMap('a'))).metadata.uid
    )
    expect(uids[0]).toBe(uids[1])
  })

  test('a second create of one name is AlreadyExists', () => {
    const { send } = fixture()
    send('POST', CONFIG_MAPS, configMap('a'))
    const second = send('POST', CONFIG_MAPS, configMap('a'))
    expect([second.code, message(second)]).toEqual([409, 'configmaps "a" already exists'])
  })

  test('creation in a namespace that does not exist names the namespace', () => {
    const { send } = fixture()
    const answer = send('POST', '/api/v1/namespaces/none/configmaps', configMap('a'))
    expect([answer.code, message(answer)]).toEqual([404, 'namespaces "none" not found'])
  })

  test('an update with an old version is a conflict and changes nothing', () => {
    const { api, send } = fixture()
    const first = object(send('POST', CONFIG_MAPS, configMap('a')))
    send('PATCH', `${CONFIG_MAPS}/a`, { data: { k: '2' } }, MERGE)
    const late = send('PUT', `${CONFIG_MAPS}/a`, { ...first, data: { k: '3' } })
    expect(late.code).toBe(409)
    expect(api.get('', 'configmaps', 'default', 'a')?.['data']).toEqual({ k: '2' })
  })

  test('a change that changes nothing gives no new version', () => {
    const { send } = fixture()
    const first = object(send('POST', CONFIG_MAPS, configMap('a')))
    const same = object(send('PATCH', `${CONFIG_MAPS}/a`, { data: { k: '1' } }, MERGE))
    expect(same.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  test('dryRun=All validates and stores nothing', () => {
    const { api, send } = fixture()
    const answer = send('POST', CONFIG_MAPS, configMap('a'), { query: { dryRun: 'All' } })
    expect(answer.code).toBe(201)
    expect(object(answer).metadata.resourceVersion).toBeUndefined()
    expect(api.get('', 'configmaps', 'default', 'a')).toBeUndefined()
  })

  test('generation of a Deployment counts changes of its spec, not of its status', () => {
    const { send } = fixture()
    send('POST', DEPLOYMENTS, deployment('d'))
    const scaled = object(send('PATCH', `${DEPLOYMENTS}/d`, { spec: { replicas: 3 } }, MERGE))
    const reported = object(send('PATCH', `${DEPLOYMENTS}/d/status`, { status: { replicas: 1 } }, MERGE))
    expect([scaled.metadata.generation, reported.metadata.generation]).toEqual([2, 2])
    expect(reported.status).toMatchObject({ replicas: 1 })
  })

  test('the scale door changes replicas only', () => {
    const { api, send } = fixture()
    send('POST', DEPLOYMENTS, deployment('d'))
    const scale = send('PATCH', `${DEPLOYMENTS}/d/scale`, { spec: { replicas: 5 } }, MERGE)
    expect(object(scale)).toMatchObject({ kind: 'Scale', spec: { replicas: 5 }, status: { selector: 'app=d' } })
    expect(api.get('apps', 'deployments', 'default', 'd')?.spec).toMatchObject({ replicas: 5 })
  })

  test('unknown fields are warned of by default and refused in Strict', () => {
    const { send } = fixture()
    const body = { ...configMap('a'), dada: {} }
    expect(send('POST', CONFIG_MAPS, body).headers?.['warning']).toEqual([String.raw`299 - "unknown field \"dada\""`])
    const strict = send(
      'POST',
      CONFIG_MAPS,
      { ...body, metadata: { name: 'b' } },
      { query: { fieldValidation: 'Strict' } }
    )
    expect(strict.code).toBe(400)
  })

  test('finalizers keep a deleted object until the last one goes', () => {
    const { api, send } = fixture()
    send('POST', CONFIG_MAPS, { ...configMap('a'), metadata: { name: 'a', finalizers: ['x.org/hold'] } })
    expect(object(send('DELETE', `${CONFIG_MAPS}/a`)).metadata.deletionTimestamp).toBe('2026-01-02T03:04:05Z')
    expect(api.get('', 'configmaps', 'default', 'a')).toBeDefined()
    send('PATCH', `${CONFIG_MAPS}/a`, { metadata: { finalizers: null } }, MERGE)
    expect(api.get('', 'configmaps', 'default', 'a')).toBeUndefined()
  })

  test('lists page by limit and continue, and read the version of the first page', () => {
    const { send } = fixture()
    for (const name of ['a', 'b', 'c']) send('POST', CONFIG_MAPS, configMap(name))
    const first = send('GET', CONFIG_MAPS, undefined, { query: { limit: '2' } }).body as ListBody
    send('DELETE', `${CONFIG_MAPS}/c`)
    const rest = send('GET', CONFIG_MAPS, undefined, { query: { limit: '2', continue: first.metadata.continue ?? '' } })
      .body as ListBody
    expect([first, rest].map((page) => page.items.map((one) => one.metadata.name))).toEqual([['a', 'b'], ['c']])
    expect(first.metadata.remainingItemCount).toBe(1)
  })

  test('snapshot and restore go back to an earlier state, definitions included', () => {
    const { api, send } = fixture()
    const before = api.snapshot()
    for (const crd of FLAGGER_CRDS) send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
    const canaries = '/apis/flagger.app/v1beta1/namespaces/default/canaries'
    expect(send('GET', canaries).code).toBe(200)
    const after = api.snapshot()
    api.restore(before)
    expect(send('GET', canaries).code).toBe(404)
    api.restore(after)
    expect(send('GET', canaries).code).toBe(200)
  })

  test('subscribers see nested changes in the order of their versions', () => {
    const { api, send } = fixture()
    const seen: string[] = []
    api.subscribe((change) => {
      if (change.object.metadata.name === 'a') send('POST', CONFIG_MAPS, configMap('b'))
    })
    api.subscribe((change) => void seen.push(change.object.metadata.name))
    send('POST', CONFIG_MAPS, configMap('a'))
    expect(seen).toEqual(['a', 'b'])
  })
})

interface ListBody {
  readonly metadata: {
    readonly continue?: string
    readonly remainingItemCount?: number
    readonly resourceVersion: string
  }
  readonly items: readonly KubeObject[]
}

function openWatch(api: ApiServer, query: Record<string, string>): { events: WatchEvent[]; close(): void } {
  const events: WatchEvent[] = []
  const opened = api.openWatch(
    { method: 'GET', path: CONFIG_MAPS, query: { watch: '1', ...query } },
    (event) => void events.push(event)
  )
  if (!('close' in opened)) throw new Error(JSON.stringify(opened.body))
  return { events, close: () => opened.close() }
}

describe('openWatch', () => {
  test('replays changes after a version, then follows until closed', () => {
    const { api, send } = fixture()
    const from = object(send('POST', CONFIG_MAPS, configMap('a'))).metadata.resourceVersion ?? ''
    send('PATCH', `${CONFIG_MAPS}/a`, { data: { k: '2' } }, MERGE)
    const watch = openWatch(api, { resourceVersion: from })
    send('DELETE', `${CONFIG_MAPS}/a`)
    watch.close()
    send('POST', CONFIG_MAPS, configMap('b'))
    expect(watch.events.map((event) => event.type)).toEqual(['MODIFIED', 'DELETED'])
  })

  test('an object that ceases to match a selector is deleted for the watcher', () => {
    const { api, send } = fixture()
    send('POST', CONFIG_MAPS, { ...configMap('a'), metadata: { name: 'a', labels: { w: '1' } } })
    const watch = openWatch(api, { labelSelector: 'w' })
    send('PATCH', `${CONFIG_MAPS}/a`, { metadata: { labels: { w: null } } }, MERGE)
    expect(watch.events.map((event) => event.type)).toEqual(['ADDED', 'DELETED'])
  })

  test('a version outside the window is Expired', () => {
    const { api, send } = fixture({ watchWindow: 2 })
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) send('POST', CONFIG_MAPS, configMap(name))
    const watch = openWatch(api, { resourceVersion: '2' })
    expect(watch.events).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }])
  })

  test('sendInitialEvents ends the state with a bookmark', () => {
    const { api, send } = fixture()
    send('POST', CONFIG_MAPS, configMap('a'))
    const query = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' }
    const { events } = openWatch(api, query)
    expect(events.map((event) => event.type)).toEqual(['ADDED', 'BOOKMARK'])
    expect(events[1]?.object).toMatchObject({ metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } })
  })
})
