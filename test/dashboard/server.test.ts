import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClusterConnection, connectCluster, type Dashboard, serveDashboard } from '../../src/dashboard/index.ts'
import { startTwinStand, type TwinStand } from './twin-stand.ts'

let stand: TwinStand
let cluster: ClusterConnection
let dashboard: Dashboard

beforeEach(async () => {
  stand = await startTwinStand()
  stand.objects['/api/v1/namespaces/test'] = { metadata: { name: 'test' } }
  stand.objects['/apis/split.smi-spec.io/v1alpha2/namespaces/test/trafficsplits/podinfo'] = {
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: {
      service: 'podinfo',
      backends: [
        { service: 'podinfo-canary', weight: '30' },
        { service: 'podinfo-primary', weight: '70' }
      ]
    }
  }
  cluster = await connectCluster({}, stand.env)
  dashboard = await serveDashboard(cluster, 0)
})
afterEach(async () => {
  await dashboard.close()
  cluster.close()
  await stand.close()
})

const PAGE = '/namespaces/test/trafficsplits/podinfo'

describe('serveDashboard()', () => {
  test('serves a page and its figures under the same path', async () => {
    const page = await fetch(dashboard.url + PAGE)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await page.text()).toContain('<script type="module" src="/assets/dashboard.js">')
    const data = await fetch(`${dashboard.url}/api${PAGE}`)
    expect(await data.json()).toMatchObject({
      heading: 'Traffic split test/podinfo',
      tables: [{}, { caption: 'Leaf services' }]
    })
  })

  test.each([
    ['/assets/dashboard.css', 'text/css; charset=utf-8'],
    ['/assets/dashboard.js', 'text/javascript; charset=utf-8']
  ])('serves %s, and nothing else may run on its pages', async (path, type) => {
    const answer = await fetch(dashboard.url + path)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type])
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
  })

  test('answers 404 for an unknown namespace, split or page, and says which', async () => {
    for (const [path, error] of [
      ['/namespaces/nope', 'namespaces "nope" not found'],
      ['/namespaces/test/trafficsplits/gone', 'namespaces "gone" not found'],
      ['/tap', 'There is no page /tap.']
    ]) {
      expect((await fetch(`${dashboard.url}${path}`)).status).toBe(404)
      const data = await fetch(`${dashboard.url}/api${path}`)
      expect([data.status, await data.json()]).toEqual([404, { error }])
    }
  })

  test('answers 502 while Prometheus does not, and figures again afterwards', async () => {
    await stand.stopPrometheus()
    const data = await fetch(`${dashboard.url}/api${PAGE}`)
    expect(data.status).toBe(502)
    expect(await data.json()).toEqual({ error: `cannot reach Prometheus at ${stand.prometheusUrl} (ECONNREFUSED)` })
  })

  test('answers GET and HEAD on localhost only', async () => {
    expect((await fetch(dashboard.url, { method: 'POST' })).status).toBe(405)
    const head = await fetch(dashboard.url + PAGE, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const status = await new Promise<number | undefined>((done) => {
      request(dashboard.url, { headers: { host: 'evil.example' } }, (answer) => {
        answer.resume()
        done(answer.statusCode)
      }).end()
    })
    expect(status).toBe(421)
  })

  test('refuses a port that is taken', async () => {
    await expect(serveDashboard(cluster, Number(new URL(dashboard.url).port))).rejects.toThrow(
      /^port \d+ on localhost is in use\nCheck for `linkerd dashboard` running in other terminal sessions, or use the `--port` flag\.$/
    )
  })
})
