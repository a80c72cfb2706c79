import { describe, expect, test } from 'vitest'
import { LinkerdError, linkerdPlan, parseLinkerd, together, type VizAsk } from '../../../src/model/viz/index.ts'
import { type Answers, MESHED, named, ownedBy, runPlan } from './answers.ts'

function stat(
  text: string,
  answers: Answers = {}
): { readonly result: { stdout: string; stderr: string }; asked: VizAsk[] } {
  const given = parseLinkerd(`stat ${text}`.split(' '))
  if (given.command !== 'stat') throw new Error('not stat')
  return runPlan(linkerdPlan(given, 'default'), answers)
}

function queries(text: string, answers: Answers): string[] {
  return stat(text, answers).asked.flatMap((ask) => (ask.ask === 'query' ? [ask.expression] : []))
}

function problem(text: string, answers: Answers = {}): string {
  try {
    stat(text, answers)
  } catch (error) {
    if (error instanceof LinkerdError) return error.message
    throw error
  }
  throw new Error(`stat ${text} went through`)
}

const lists = (namespace: string): Answers => ({
  objects: Object.fromEntries(
    ['/apis/apps/v1/NS/deployments', '/apis/apps/v1/NS/replicasets', '/api/v1/NS/pods', '/api/v1/NS/services'].map(
      (path) => [path.replace('/NS', namespace === '' ? '' : `/namespaces/${namespace}`), []]
    )
  )
})

function withNamespaces(answers: Answers, ...names: string[]): Answers {
  const known = Object.fromEntries(names.map((name) => [`/api/v1/namespaces/${name}`, named(name)]))
  return { ...answers, objects: { ...answers.objects, ...known } }
}

const TEST = withNamespaces(lists('test'), 'test', 'shop')

describe('queries of linkerd stat', () => {
  test('inbound series of the resource itself, with three latencies', () => {
    const labels = '{direction="inbound", namespace="test"}'
    const latency = (share: string): string =>
      `histogram_quantile(${share}, sum(irate(response_latency_ms_bucket${labels}[1m])) by (le, namespace, deployment))`
    expect(queries('deploy -n test', TEST)).toEqual([
      `sum(increase(response_total${labels}[1m])) by (namespace, deployment, classification, tls)`,
      latency('0.5'),
      latency('0.95'),
      latency('0.99')
    ])
  })

  test.each([
    [
      'deploy -n test --from deploy/load',
      '{deployment="load", direction="outbound", namespace="test"}',
      'dst_namespace, dst_deployment'
    ],
    [
      'deploy -n test --from deploy/load --from-namespace shop',
      '{deployment="load", direction="outbound", namespace="shop"}',
      'dst_namespace, dst_deployment'
    ],
    [
      'deploy -n test --from-namespace shop',
      '{direction="outbound", namespace="shop"}',
      'dst_namespace, dst_deployment'
    ],
    [
      'po -n test --to svc/web --to-namespace shop',
      '{direction="outbound", dst_namespace="shop", dst_service="web", namespace="test"}',
      'namespace, pod'
    ],
    ['deploy -n test -t 30s', '{direction="inbound", namespace="test"}[30s]', 'namespace, deployment'],
    [
      'svc/web -n test',
      '{authority=~"^web.test.svc.cluster.local.*", direction="outbound"}',
      'dst_namespace, dst_service'
    ],
    [
      'svc -n test --from deploy/load',
      '{authority=~"^.+.test.svc.cluster.local.*", deployment="load", direction="outbound", namespace="test"}',
      'dst_namespace, dst_service'
    ]
  ])('%s', (text, labels, by) => {
    const [requests] = queries(text, TEST)
    expect(requests).toContain(labels)
    expect(requests).toContain(`by (${by}, classification, tls)`)
  })

  test('no namespace with -A, the own name of namespaces', () => {
    expect(queries('deploy -A --from deploy/load', lists(''))[0]).toContain(
      '{deployment="load", direction="outbound"}[1m]'
    )
    const all = { objects: { '/api/v1/namespaces/test': named('test'), '/api/v1/namespaces/test/pods': [] } }
    expect(queries('ns/test', all)[0]).toBe(
      'sum(increase(response_total{direction="inbound", namespace="test"}[1m])) by (namespace, classification, tls)'
    )
  })

  test('names cannot break out of a query', () => {
    const text = String.raw`sum(increase(response_total{deployment="a\"}", direction="outbound", namespace="test"}[1m]))`
    expect(queries('deploy -n test --from deploy/a"}', TEST)[0]).toContain(text)
  })
})

const CANARY_SPLIT = named('podinfo', {
  spec: {
    service: 'podinfo',
    backends: [
      { service: 'podinfo-canary', weight: '30' },
      { service: 'podinfo-primary', weight: 70 }
    ]
  }
})

const ROLLOUT: Answers = {
  objects: {
    '/apis/apps/v1/namespaces/test/deployments': [named('podinfo'), named('podinfo-primary'), named('idle')],
    '/apis/apps/v1/namespaces/test/replicasets': [
      ownedBy('podinfo', 'podinfo-1'),
      ownedBy('podinfo-primary', 'podinfo-primary-1')
    ],
    '/api/v1/namespaces/test/pods': [
      ownedBy('podinfo-1', 'podinfo-1-a', MESHED),
      ownedBy('podinfo-primary-1', 'podinfo-primary-1-a', MESHED),
      ownedBy('podinfo-primary-1', 'podinfo-primary-1-b')
    ],
    '/apis/split.smi-spec.io/v1alpha2/namespaces/test/trafficsplits': [CANARY_SPLIT]
  },
  series: [
    [
      'by (dst_namespace, dst_deployment, classification, tls)',
      [
        series('podinfo', 'success', 178.6),
        series('podinfo', 'failure', 1.4),
        series('podinfo-primary', 'success', 420),
        { labels: { dst_namespace: 'other', dst_deployment: 'podinfo', classification: 'success' }, value: 60 }
      ]
    ],
    ['quantile(0.5', [series('podinfo', '', 1.4), series('podinfo-primary', '', Number.NaN)]],
    [
      'by (dst_service, classification, tls)',
      [{ labels: { dst_service: 'podinfo-canary', classification: 'success' }, value: 60 }]
    ]
  ]
}

function series(deployment: string, classification: string, value: number) {
  return { labels: { dst_namespace: 'test', dst_deployment: deployment, classification, tls: 'true' }, value }
}

describe('linkerd stat', () => {
  test('joins what a client measured with the pods of each destination', () => {
    expect(stat('deploy -n test --from deploy/load', ROLLOUT).result.stdout).toBe(
      'NAME              MESHED   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99   TCP_CONN\n' +
        'podinfo              1/1    99.44%   3.0rps           1ms           0ms           0ms          -\n' +
        'podinfo-primary      1/2   100.00%   7.0rps           0ms           0ms           0ms          -\n'
    )
  })

  test('asks for everything at once', () => {
    const given = parseLinkerd(['stat', 'deploy', '-n', 'test'])
    if (given.command !== 'stat') throw new Error('not stat')
    const turn = linkerdPlan(given, 'default').next([])
    expect(turn.done === false && turn.value.length).toBe(7)
  })

  test('shows the leaves of a traffic split with their weights', () => {
    const { result, asked } = stat('ts -n test', ROLLOUT)
    expect(result.stdout).toBe(
      'NAME      APEX      LEAF              WEIGHT   SUCCESS      RPS   LATENCY_P50   LATENCY_P95   LATENCY_P99\n' +
        'podinfo   podinfo   podinfo-canary        30   100.00%   1.0rps           0ms           0ms           0ms\n' +
        'podinfo   podinfo   podinfo-primary       70         -        -             -             -             -\n'
    )
    expect(asked[1]).toMatchObject({
      expression: expect.stringContaining(
        '{direction="outbound", dst_namespace="test", dst_service=~"podinfo-canary|podinfo-primary"}'
      )
    })
  })

  test('asks the API for the labels, and hides what is not in the mesh unless told', () => {
    expect(stat('deploy -n test -l app=web', ROLLOUT).asked[0]).toEqual({
      ask: 'api',
      path: '/apis/apps/v1/namespaces/test/deployments',
      query: { labelSelector: 'app=web' }
    })
    expect(stat('deploy -n test', ROLLOUT).result.stdout).not.toContain('idle')
    expect(stat('deploy -n test --unmeshed', ROLLOUT).result.stdout).toMatch(/^idle +0\/0 /m)
  })

  test('hides pods that have ended, and says how the others are', () => {
    const waiting = { name: 'a', ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } }
    const pods = [
      { ...ownedBy('x', 'crashing', MESHED), status: { phase: 'Running', containerStatuses: [waiting] } },
      { ...ownedBy('x', 'done', MESHED), status: { phase: 'Succeeded' } }
    ]
    const { stdout } = stat('po -n test', { objects: { '/api/v1/namespaces/test/pods': pods } }).result
    expect(stdout).toMatch(/^crashing +CrashLoopBackOff +1\/1 /m)
    expect(stdout).not.toContain('done')
  })

  test('says No traffic found. on stderr, and which namespace is not there', () => {
    expect(stat('deploy -n test', TEST).result).toEqual({ stdout: '', stderr: 'No traffic found.\n' })
    expect(problem('deploy -n nope', lists('nope'))).toBe('namespaces "nope" not found')
  })

  test.each([
    ['foo -n test', 'cannot find Kubernetes canonical name from friendly name [foo]'],
    ['au -n test', 'the twin keeps no statistics of au'],
    ['deploy/a/b', 'Invalid resource string: deploy/a/b'],
    ['deploy/a deploy/a', 'cannot supply duplicate resources'],
    ['all po', "'all' can't be supplied alongside other resources"],
    ['deploy --from all', "resource type 'all' is not supported as a filter"],
    [
      'deploy --from svc/web',
      "service is not supported as a target on 'from' queries, or as a target with 'to' queries"
    ],
    ['deploy --from deploy/a --to deploy/b', '--to and --from flags are mutually exclusive'],
    ['deploy --from-namespace a --to-namespace b', '--to-namespace and --from-namespace flags are mutually exclusive'],
    ['deploy -A -n test', '--all-namespaces and --namespace flags are mutually exclusive'],
    ['deploy/a -A', 'stats for a resource cannot be retrieved by name across all namespaces'],
    ['ns -n test', '--namespace flag is incompatible with namespace resource type'],
    ['ns --to-namespace a', '--to-namespace flag is incompatible with namespace resource type'],
    ['deploy -o yaml', '--output currently only supports table, json and wide'],
    ['deploy -t 10s', 'metrics time window needs to be at least 15s'],
    ['deploy -t soon', 'time: invalid duration "soon"']
  ])('refuses stat %s', (text, message) => {
    expect(problem(text)).toBe(`error creating metrics request while making stats request: ${message}`)
  })
})

describe('linkerd check', () => {
  function check(text: string): { readonly result: { readonly stdout: string }; readonly asked: VizAsk[] } {
    const given = parseLinkerd(text.split(' '))
    if (given.command !== 'check') throw new Error('not check')
    return runPlan(linkerdPlan(given, 'default'), withNamespaces({}, 'linkerd'))
  }

  test('asks both sides and says what it checked', () => {
    const { result, asked } = check('check')
    expect(asked.map((ask) => ask.ask)).toEqual(['api', 'query'])
    expect(result.stdout).toBe(
      'kubernetes-api\n--------------\n√ can initialize the client\n√ can query the Kubernetes API\n\n' +
        'linkerd-viz\n-----------\n√ prometheus is installed and configured correctly\n\n' +
        'Status check results are √\n'
    )
    expect(check('check --pre').asked.map((ask) => ask.ask)).toEqual(['api'])
  })
})

describe('together()', () => {
  function* counting(turns: number): Generator<readonly VizAsk[], number, readonly unknown[]> {
    let answers = 0
    for (let turn = 0; turn < turns; turn += 1) {
      answers += (yield Array.from({ length: turn }, () => ({ ask: 'query', expression: 'x' }) as const)).length
    }
    return answers
  }

  test('gives each plan its own answers and keeps their order', () => {
    expect(runPlan(together([counting(3), counting(0), counting(4)])).result).toEqual([3, 0, 6])
  })
})
