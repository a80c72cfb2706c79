import { describe, expect, it } from 'vitest'
import type { AppFault, AppSpec } from '../../../src/kinds/index.ts'
import { type App, type AppContainer, createApp, judgeFaults, shellWords } from '../../../src/model/app/index.ts'
import { drive } from '../../conformance/podinfo/app-driver.ts'

const START = Date.UTC(2026, 0, 1)

function container(extra: Partial<AppContainer> = {}): AppContainer {
  return {
    name: 'main',
    image: 'stefanprodan/podinfo:6.0.1',
    command: [],
    args: [],
    env: [],
    hostname: 'pod-0',
    namespace: 'test',
    files: {},
    containerPorts: [],
    ...extra
  }
}

function app(spec: Partial<AppSpec>, extra: Partial<AppContainer> = {}): App {
  return createApp({
    spec: { app: 'podinfo', faults: [], options: {}, ...spec },
    container: container(extra),
    seed: 5,
    startedAt: START
  })
}

const fault = (rest: Partial<AppFault>): AppFault =>
  ({ kind: 'status', status: 500, ratio: 1, match: {}, ...rest }) as AppFault

describe('createApp', () => {
  it('answers the declared share of requests with a status and the same ones each time', () => {
    const half = app({ faults: [fault({ ratio: 0.5 })] })
    const statuses = (): string =>
      Array.from({ length: 400 }, (_none, index) => drive(half, { key: `k${index}` }, START).answer)
        .map((answer) => (answer.kind === 'response' ? answer.status : 0))
        .join()
    const failed = statuses()
      .split(',')
      .filter((status) => status === '500').length
    expect(failed).toBeGreaterThan(160)
    expect(failed).toBeLessThan(240)
    expect(statuses()).toBe(statuses())
  })

  it('leaves probes alone unless a fault names their path', () => {
    const request = { method: 'GET', target: '/healthz', headers: [], body: '', port: 9898, key: 'k' }
    const spec: AppSpec = { app: 'podinfo', faults: [fault({})], options: {} }
    expect(judgeFaults(spec, request, 1).status).toBeUndefined()
    expect(judgeFaults({ ...spec, faults: [fault({ match: { path: '/health*' } })] }, request, 1).status).toBe(500)
  })

  it('fails readiness from the declared time on', () => {
    const late = app({ faults: [{ kind: 'not-ready', afterMs: 5000 }] })
    expect(drive(late, { target: '/readyz' }, START + 4999).answer).toMatchObject({ status: 200 })
    expect(drive(late, { target: '/readyz' }, START + 5000).answer).toMatchObject({ status: 503 })
  })

  it('reads podinfo settings from flags before environment', () => {
    const env: AppContainer['env'] = [
      ['PODINFO_UI_COLOR', 'green'],
      ['PODINFO_UI_MESSAGE', 'hi']
    ]
    const answer = drive(app({}, { command: ['./podinfo', '--ui-color=red'], env }), {}, START).answer
    expect(answer.kind === 'response' && JSON.parse(answer.body)).toMatchObject({ color: 'red', message: 'hi' })
  })

  it('gives the versions of the test service their own answers', () => {
    const answer = (tag: string): unknown =>
      drive(app({ app: 'testapp' }, { image: `cyrilbkr/testapp:${tag}` }), { port: 8080 }, START).answer
    expect(answer('1.0')).toMatchObject({ status: 200, body: 'Hello v1' })
    expect(answer('3.0')).toMatchObject({ status: 404 })
  })

  it('passes requests on as the mounted nginx configuration says', () => {
    const conf =
      'events {}\nhttp { server { listen 8080; location / { proxy_pass http://podinfo:9898; } location = /ping { return 200 "pong"; } } }'
    const nginx = app({ app: 'nginx' }, { files: { '/etc/nginx/nginx.conf': conf } })
    expect(nginx.ports).toEqual([8080])
    expect(drive(nginx, { port: 8080, target: '/ping' }, START).answer).toMatchObject({ status: 200, body: 'pong' })
    expect(drive(nginx, { port: 8080, target: '/x' }, START).answer).toMatchObject({ status: 502 })
  })

  it('starts slow_cooker from the words of its shell script', () => {
    const script = 'slow_cooker -qps ${QPS} -concurrency ${CONCURRENCY} http://podinfo:9898'
    const env: AppContainer['env'] = [
      ['QPS', '10'],
      ['CONCURRENCY', '2']
    ]
    const cooker = app({ app: 'slow-cooker' }, { command: ['/bin/sh', '-c'], args: [script], env })
    expect(cooker.background().map(({ name }) => name)).toEqual(['worker-0', 'worker-1', 'report'])
  })
})

describe('slow_cooker', () => {
  it('paces a worker by the rate and drops ticks while a request is slow', () => {
    const cooker = app({ app: 'slow-cooker' }, { command: ['slow_cooker', '-qps', '10', 'http://podinfo:9898'] })
    const [worker] = cooker.background()
    let now = START
    let value: unknown
    const sent: number[] = []
    for (let step = 0; step < 100 && sent.length < 5; step++) {
      const next = worker?.task.next(value as never)
      value = undefined
      if (next?.done !== false) break
      if (next.value.effect === 'sleep') now += next.value.ms
      else if (next.value.effect === 'now') value = now
      else if (next.value.effect === 'fetch') {
        sent.push(now - START)
        now += sent.length === 2 ? 350 : 1
        value = [{ ok: true, status: 200, headers: {}, body: '', elapsedMs: 1 }]
      }
    }
    // The second request takes 350 ms: one waiting tick is served at once, the others are lost.
    expect(sent).toEqual([100, 200, 550, 600, 700])
  })
})

describe('shellWords', () => {
  it('splits quotes, variables and separators', () => {
    expect(shellWords(`a "b $X" 'c $X' d\\ e && f \${X}; g`, () => 'v')).toEqual([
      ['a', 'b v', 'c $X', 'd e'],
      ['f', 'v'],
      ['g']
    ])
  })
})
