import { expect } from 'vitest'
import type { Action, GoldenTrace, TraceRecord } from '../../conformance/golden/case.ts'
import type { KubeObject } from '../../../src/kinds/index.ts'
import type { QuirkName } from '../../../src/model/canary/index.ts'
import { canaryPatch, image, messages, NEW_IMAGE, recordsOf, type CaseOptions } from './quirk-cases.ts'

/** A small rollout in which a quirk shows. */
export interface QuirkCase {
  readonly options: CaseOptions
  /** What tells the difference. */
  readonly observe: (trace: GoldenTrace) => unknown
  readonly on: unknown
  readonly off: unknown
}

const SLACK: KubeObject = {
  apiVersion: 'flagger.app/v1beta1',
  kind: 'AlertProvider',
  metadata: { name: 'slack' },
  spec: { type: 'slack', address: 'http://slack.test/x' }
}
const GATE = { name: 'p', type: 'confirm-promotion', url: 'http://webhooks.test/p' } as const

const alerts = (trace: GoldenTrace): number => recordsOf(trace).filter((record) => record.t === 'alert').length
const has =
  (text: string) =>
  (trace: GoldenTrace): boolean =>
    messages(trace, text).length > 0
const count =
  (text: string) =>
  (trace: GoldenTrace): number =>
    messages(trace, text).length
const bodies = (trace: GoldenTrace, resource: string, name: string): Record<string, never>[] =>
  recordsOf(trace)
    .filter((record) => record['resource'] === resource && record['name'] === name && record['verb'] === 'update')
    .map((record) => record['body'] as Record<string, never>)

/** The next write of a canary's status fails. */
const STATUS_FAULT: Action = {
  apiFault: {
    verb: 'update',
    resource: 'canaries',
    subresource: 'status',
    code: 500,
    reason: 'InternalError',
    message: 'etcdserver: leader changed'
  }
}

/** A second, held replica keeps the primary from being ready. */
const holdPrimary = (replicas: number): CaseOptions['script'] & object => [
  {
    after: { tick: 3 },
    do: [
      { setPods: [{ workload: 'podinfo-primary', ready: 'hold' }] },
      {
        patch: {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: 'podinfo-primary',
          type: 'merge',
          body: { spec: { replicas } }
        }
      },
      image('2.0.0')
    ]
  }
]

const isMessage =
  (text: string) =>
  (record: TraceRecord): boolean =>
    record.t === 'event' && String(record['message']).includes(text)
const isWrite =
  (resource: string, name: string) =>
  (record: TraceRecord): boolean =>
    record['resource'] === resource && record['name'] === name && record['verb'] === 'update'

/** Cases by quirk. */
export const CASES: Readonly<Partial<Record<QuirkName, QuirkCase>>> = {
  'weight-overshoots-max': {
    options: { analysis: { stepWeight: 20, maxWeight: 50 } },
    observe: (trace) => messages(trace, 'canary weight').map((message) => message.split(' ').at(-1)),
    on: ['20', '40', '60'],
    off: ['20', '40', '50']
  },
  'max-weight-above-total-never-promotes': {
    options: { analysis: { stepWeight: 50, maxWeight: 150 } },
    observe: has('Copying'),
    on: false,
    off: true
  },
  'failed-loses-revisions': {
    options: {
      analysis: { threshold: 1 },
      answers: [1],
      script: [
        NEW_IMAGE,
        {
          after: { phase: 'Failed' },
          do: [
            { setPods: [{ workload: 'podinfo-primary', ready: 'hold' }] },
            {
              patch: {
                apiVersion: 'apps/v1',
                kind: 'Deployment',
                name: 'podinfo-primary',
                type: 'merge',
                body: { spec: { replicas: 2 } }
              }
            },
            image('3.0.0')
          ]
        },
        { after: { phase: 'Failed', plus: 2 }, do: [{ setPods: [] }] }
      ]
    },
    observe: count('New revision detected! Scaling up'),
    on: 1,
    off: 2
  },
  'revision-during-init-is-lost': {
    options: { script: [{ after: { tick: 1 }, do: [image('2.0.0')] }] },
    observe: has('New revision detected!'),
    on: false,
    off: true
  },
  'not-ready-rollback-is-silent': {
    options: {
      spec: { progressDeadlineSeconds: 15 },
      analysis: { alerts: [{ name: 's', severity: 'error', providerRef: { name: 'slack' } }] },
      manifests: [SLACK],
      pods: [{ image: 'podinfo:2', ready: 'hold' }]
    },
    observe: alerts,
    on: 0,
    off: 1
  },
  'alert-without-severity-never-fires': {
    options: { analysis: { alerts: [{ name: 's', providerRef: { name: 'slack' } }] }, manifests: [SLACK] },
    observe: (trace) => alerts(trace) > 0,
    on: false,
    off: true
  },
  'waiting-promotion-shows-weight-zero': {
    options: { analysis: { webhooks: [GATE] }, webhooks: { '/p': [403] }, maxTicks: 6 },
    observe: (trace) =>
      trace.ticks.find((tick) => tick.after?.['phase'] === 'WaitingPromotion')?.after?.['canaryWeight'],
    on: 0,
    off: 50
  },
  'failed-checks-survive-success': {
    options: { answers: [1, 100] },
    observe: (trace) => trace.ticks.find((tick) => tick.after?.['phase'] === 'Succeeded')?.after?.['failedChecks'],
    on: 1,
    off: 0
  },
  'analysis-match-errors-are-dropped': {
    options: {
      provider: 'gatewayapi:v1',
      spec: { service: { port: 80, gatewayRefs: [{ name: 'gw' }] } },
      analysis: { iterations: 2, match: [{ headers: { 'x-user': { prefix: 'a' } } }] }
    },
    observe: has("Gateway API doesn't support the specified header matching selector"),
    on: false,
    off: true
  },
  'template-interval-has-no-default': {
    options: {
      analysis: {
        metrics: [{ name: 'success-rate', thresholdRange: { min: 99 }, templateRef: { name: 'success-rate' } }]
      }
    },
    observe: (trace) => recordsOf(trace).find((record) => record['metric'] === 'success-rate')?.['query'],
    on: 'requests_ok[]',
    off: 'requests_ok[1m]'
  },
  'builtin-name-with-template-runs-both': {
    options: {
      analysis: {
        metrics: [
          {
            name: 'request-success-rate',
            interval: '1m',
            thresholdRange: { min: 9 },
            templateRef: { name: 'success-rate' }
          }
        ]
      },
      metrics: [
        { name: 'any', match: 'rate', answers: [100] },
        { name: 'success-rate', match: 'requests_ok', answers: [100] }
      ]
    },
    observe: (trace) => recordsOf(trace).some((record) => String(record['query']).includes('istio_requests_total')),
    on: true,
    off: false
  },
  'infinite-duration-passes': {
    options: {
      analysis: { metrics: [{ name: 'request-duration', interval: '1m', thresholdRange: { max: 500 } }] },
      metrics: [{ name: 'd', match: 'histogram_quantile', answers: ['+Inf'] }]
    },
    observe: has('Promotion completed!'),
    on: true,
    off: false
  },
  'duration-bounds-are-truncated': {
    options: {
      analysis: { metrics: [{ name: 'request-duration', interval: '1m', thresholdRange: { max: 0.5 } }] },
      metrics: [{ name: 'd', match: 'histogram_quantile', answers: [1] }]
    },
    observe: (trace) => messages(trace, 'request duration')[0],
    on: 'Halt podinfo.test advancement request duration 1ms > 0s',
    off: 'Halt podinfo.test advancement request duration 1ms > 500µs'
  },
  'primary-cookie-without-name': {
    options: { provider: 'istio', analysis: { sessionAffinity: { cookieName: 'c' } } },
    observe: (trace) => JSON.stringify(trace).includes('primarySessionAffinityCookie'),
    on: true,
    off: false
  },
  'istio-default-route-carries-primary-weight': {
    options: { provider: 'istio', analysis: { iterations: 1, match: [{ headers: { x: { exact: 'y' } } }] } },
    observe: (trace) => {
      const [first] = bodies(trace, 'virtualservices', 'podinfo') as unknown as {
        spec: { http: { route: { weight: number }[] }[] }
      }[]
      return first?.spec.http[1]?.route[0]?.weight
    },
    on: 0,
    off: 100
  },
  'mirror-step-waits-for-mirroring': {
    options: { analysis: { mirror: true } },
    observe: has('canary weight 50'),
    on: false,
    off: true
  },
  'promotion-step-at-zero-hangs': {
    options: {
      analysis: { stepWeightPromotion: 50 },
      script: [
        NEW_IMAGE,
        {
          after: { event: 'Copying' },
          do: [
            {
              patch: {
                apiVersion: 'split.smi-spec.io/v1alpha2',
                kind: 'TrafficSplit',
                name: 'podinfo',
                type: 'merge',
                body: {
                  spec: {
                    backends: [
                      { service: 'podinfo-canary', weight: 0 },
                      { service: 'podinfo-primary', weight: 100 }
                    ]
                  }
                }
              }
            }
          ]
        }
      ]
    },
    observe: has('Promotion completed!'),
    on: false,
    off: true
  },
  'iterations-lowered-stall-ab': {
    options: {
      provider: 'istio',
      analysis: { iterations: 3, match: [{ headers: { x: { exact: 'y' } } }] },
      script: [NEW_IMAGE, { after: { event: 'iteration 2/3' }, do: [canaryPatch({ analysis: { iterations: 1 } })] }]
    },
    observe: has('Copying'),
    on: false,
    off: true
  },
  'service-target-keeps-cluster-ips': {
    options: {
      withoutDeployment: true,
      spec: { targetRef: { apiVersion: 'v1', kind: 'Service', name: 'web' }, service: { port: 80 } },
      manifests: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'web' },
          spec: { ports: [{ port: 80 }], selector: { app: 'x' } }
        }
      ],
      script: [],
      maxTicks: 2
    },
    observe: has('Initialization done!'),
    on: false,
    off: true
  },
  'service-promotion-drops-owner': {
    options: {
      withoutDeployment: true,
      spec: { targetRef: { apiVersion: 'v1', kind: 'Service', name: 'web' }, service: { port: 80 } },
      manifests: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'web' },
          spec: { type: 'ExternalName', externalName: 'a.example.com' }
        }
      ],
      script: [
        {
          after: { event: 'Initialization done!' },
          do: [
            {
              patch: {
                apiVersion: 'v1',
                kind: 'Service',
                name: 'web',
                type: 'merge',
                body: { spec: { externalName: 'b.example.com' } }
              }
            }
          ]
        }
      ]
    },
    observe: (trace) => bodies(trace, 'services', 'web-primary').some((body) => 'ownerReferences' in body),
    on: false,
    off: true
  },
  'skipper-needs-annotations': {
    options: {
      provider: 'skipper',
      spec: { ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'podinfo' } },
      manifests: [
        {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          metadata: { name: 'podinfo' },
          spec: {
            rules: [
              {
                host: 'h.example.com',
                http: {
                  paths: [
                    { path: '/', pathType: 'Prefix', backend: { service: { name: 'podinfo', port: { number: 80 } } } }
                  ]
                }
              }
            ]
          }
        }
      ],
      script: [],
      maxTicks: 2
    },
    observe: has('Initialization done!'),
    on: false,
    off: true
  },
  'promotion-copies-zero-replicas': {
    options: {
      spec: { skipAnalysis: true },
      script: [NEW_IMAGE, { after: { event: 'New revision detected!' }, do: [STATUS_FAULT] }],
      maxTicks: 8
    },
    observe: (trace) => trace.ticks.at(-1)?.after?.['primaryReplicas'],
    on: 0,
    off: 1
  },
  'zero-replicas-are-ready': {
    options: {
      spec: { progressDeadlineSeconds: 15 },
      script: [
        {
          after: { event: 'Initialization done!' },
          do: [{ setPods: [{ image: '2.0.0', ready: 'hold' }] }, image('2.0.0')]
        },
        { after: { event: 'New revision detected!' }, do: [STATUS_FAULT] }
      ],
      maxTicks: 10
    },
    observe: has('Starting canary analysis'),
    on: true,
    off: false
  },
  'rollout-gate-before-announcement': {
    options: {
      analysis: { webhooks: [{ name: 'g', type: 'confirm-rollout', url: 'http://webhooks.test/g' }] },
      webhooks: { '/g': [200] },
      maxTicks: 4
    },
    observe: (trace) => messages(trace, '').filter((text) => /^Confirm-rollout|^New revision/.test(text)),
    on: ['Confirm-rollout check g passed', 'New revision detected! Scaling up podinfo.test'],
    off: ['New revision detected! Scaling up podinfo.test', 'Confirm-rollout check g passed']
  },
  'one-change-per-tick': {
    options: {},
    observe: (trace) => trace.ticks.filter((tick) => tick.after?.['phase'] === 'Finalising').length,
    on: 1,
    off: 0
  },
  'announced-before-done': {
    options: {},
    observe: (trace) => {
      const records = recordsOf(trace)
      const copy = records.findLastIndex(isWrite('deployments', 'podinfo-primary'))
      return records.findIndex(isMessage('Copying')) < copy
    },
    on: true,
    off: false
  },
  'events-mix-names': {
    options: { canaryName: 'release', maxTicks: 10 },
    observe: (trace) => messages(trace, 'New revision detected!')[0],
    on: 'New revision detected! Scaling up podinfo.test',
    off: 'New revision detected! Scaling up release.test'
  },
  'iterations-show-weight-zero': {
    options: { analysis: { iterations: 1 } },
    observe: (trace) => Math.max(...trace.ticks.map((tick) => Number(tick.after?.['canaryWeight'] ?? 0))),
    on: 0,
    off: 100
  },
  'failed-resets-failed-checks': {
    options: { analysis: { threshold: 2 }, answers: [1] },
    observe: (trace) => trace.ticks.find((tick) => tick.after?.['phase'] === 'Failed')?.after?.['failedChecks'],
    on: 0,
    off: 2
  },
  'traffic-gate-asked-before-promotion': {
    options: {
      analysis: { webhooks: [{ name: 't', type: 'confirm-traffic-increase', url: 'http://webhooks.test/t' }] },
      webhooks: { '/t': [200] }
    },
    observe: count('Confirm-traffic-increase check t passed'),
    on: 2,
    off: 1
  },
  'blue-green-promotion-gate-asked-twice': {
    options: { analysis: { iterations: 1, webhooks: [GATE] }, webhooks: { '/p': [200] } },
    observe: count('Confirm-promotion check p passed'),
    on: 2,
    off: 1
  },
  'rollback-hook-tells-every-tick': {
    options: {
      analysis: { webhooks: [{ name: 'r', type: 'rollback', url: 'http://webhooks.test/r' }] },
      webhooks: { '/r': [403] }
    },
    observe: has('Rollback hook r not signaling a rollback'),
    on: true,
    off: false
  },
  'rollback-hook-not-asked-while-waiting': {
    options: {
      analysis: {
        webhooks: [
          { name: 'g', type: 'confirm-rollout', url: 'http://webhooks.test/g' },
          { name: 'r', type: 'rollback', url: 'http://webhooks.test/r' }
        ]
      },
      webhooks: { '/g': [403], '/r': [200] },
      maxTicks: 6
    },
    observe: has('Rollback check r passed'),
    on: false,
    off: true
  },
  'start-is-told-at-every-try': {
    options: {
      analysis: { webhooks: [{ name: 'a', type: 'pre-rollout', url: 'http://webhooks.test/a' }] },
      webhooks: { '/a': [403, 403, 200] }
    },
    observe: count('Starting canary analysis'),
    on: 3,
    off: 1
  },
  'single-iteration-starts-again': {
    options: { analysis: { iterations: 1, webhooks: [GATE] }, webhooks: { '/p': [403] }, maxTicks: 9 },
    observe: (trace) => messages(trace, 'Starting canary analysis').length > 1,
    on: true,
    off: false
  },
  'failed-promotion-keeps-routes': {
    options: {
      progressDeadlineSeconds: 15,
      pods: [{ workload: 'podinfo-primary', image: '2.0.0', ready: 'hold' }],
      script: [
        NEW_IMAGE,
        { after: { event: 'Promotion of podinfo' }, do: [{ setPods: [] }] },
        { after: { event: 'Promotion of podinfo', plus: 2 }, do: [image('3.0.0')] }
      ],
      maxTicks: 20
    },
    observe: count('Starting canary analysis'),
    on: 1,
    off: 2
  },
  'failed-refreshes-transition-time': {
    options: { analysis: { threshold: 1 }, answers: [1], maxTicks: 9 },
    observe: (trace) => {
      const failed = trace.ticks.findIndex((tick) => tick.after?.['phase'] === 'Failed')
      return trace.ticks.slice(failed + 1).some((tick) => tick.records.some(isWrite('canaries', 'podinfo')))
    },
    on: true,
    off: false
  },
  'difference-resets-weights': {
    options: {
      analysis: { stepWeight: 20, maxWeight: 60 },
      script: [
        NEW_IMAGE,
        {
          after: { event: 'canary weight 20' },
          do: [
            {
              patch: {
                apiVersion: 'split.smi-spec.io/v1alpha2',
                kind: 'TrafficSplit',
                name: 'podinfo',
                type: 'merge',
                body: { spec: { service: 'other' } }
              }
            }
          ]
        }
      ]
    },
    observe: (trace) => messages(trace, 'canary weight').map((message) => message.split(' ').at(-1)),
    on: ['20', '20', '40', '60'],
    off: ['20', '40', '60']
  },
  'unaccepted-route-ends-tick': {
    options: {
      provider: 'gatewayapi:v1',
      spec: { service: { port: 80, gatewayRefs: [{ name: 'gw' }] } },
      script: [NEW_IMAGE, { after: { event: 'New revision' }, do: [{ gateway: 'lag' }] }]
    },
    observe: has('parent gw is not ready (status: True'),
    on: true,
    off: false
  },
  'primary-drops-selector-labels': {
    options: {
      labels: { app: 'podinfo', tier: 'web' },
      script: [],
      maxTicks: 2
    },
    observe: (trace) => {
      const created = recordsOf(trace).find(
        (record) => record['resource'] === 'deployments' && record['verb'] === 'create'
      )
      return created?.['body']
    },
    on: expect.objectContaining({
      spec: expect.objectContaining({ selector: { matchLabels: { app: 'podinfo-primary' } } })
    }),
    off: expect.objectContaining({
      spec: expect.objectContaining({ selector: { matchLabels: { app: 'podinfo-primary', tier: 'web' } } })
    })
  },
  'manual-scale-up-stays': {
    options: {
      script: [
        {
          after: { event: 'Initialization done!' },
          do: [
            {
              patch: {
                apiVersion: 'apps/v1',
                kind: 'Deployment',
                name: 'podinfo',
                type: 'merge',
                body: { spec: { replicas: 2 } }
              }
            }
          ]
        }
      ],
      maxTicks: 5
    },
    observe: (trace) => trace.ticks.at(-1)?.after?.['targetReplicas'],
    on: 2,
    off: 0
  },
  'kubernetes-never-shifts-traffic': {
    options: { provider: 'kubernetes', analysis: { iterations: 1 } },
    observe: (trace) =>
      bodies(trace, 'services', 'podinfo').map(
        (body) => (body['spec'] as unknown as { selector: { app: string } }).selector.app
      ),
    on: [],
    off: ['podinfo', 'podinfo-primary']
  },
  'stuck-primary-gates-fixes': {
    options: { script: holdPrimary(2), maxTicks: 6 },
    observe: has('New revision detected!'),
    on: false,
    off: true
  }
}
