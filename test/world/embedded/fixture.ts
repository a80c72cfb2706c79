import type { AppFault, AppSpec, KubeObject, LoadSpec } from '../../../src/kinds/index.ts'
import type { WorldSpec } from '../../../src/world/index.ts'

/** Image of the version before, as the manifests name it. */
export const BEFORE = 'stefanprodan/podinfo:3.1.0'
/** Image of the version to be released. */
export const AFTER = 'stefanprodan/podinfo:3.1.1'

function podinfo(faults: readonly AppFault[] = []): AppSpec {
  return { app: 'podinfo', faults, options: {} }
}

/** 20 requests a second, as the speed bar has them. */
export const USERS: LoadSpec = {
  name: 'users',
  to: 'http://podinfo.test:9898/',
  ratePerSecond: 20,
  arrivals: 'poisson',
  method: 'GET',
  headers: {},
  namespace: 'test',
  timeoutMs: 10_000,
  startMs: 0
}

/** A namespace, podinfo and a Canary of 10 → 50 % in steps of 10 every ten seconds. */
export const MANIFESTS: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'test', annotations: { 'linkerd.io/inject': 'enabled' } } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'podinfo', namespace: 'test', labels: { app: 'podinfo' } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'podinfo' } },
      template: {
        metadata: { labels: { app: 'podinfo' } },
        spec: {
          containers: [
            {
              name: 'podinfod',
              image: BEFORE,
              command: ['./podinfo', '--port=9898'],
              ports: [{ containerPort: 9898, name: 'http' }],
              readinessProbe: { httpGet: { path: '/readyz', port: 9898 }, periodSeconds: 1 }
            }
          ]
        }
      }
    }
  },
  {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      progressDeadlineSeconds: 60,
      service: { port: 9898 },
      analysis: {
        interval: '10s',
        threshold: 3,
        maxWeight: 50,
        stepWeight: 10,
        metrics: [
          { name: 'request-success-rate', thresholdRange: { min: 99 }, interval: '1m' },
          { name: 'request-duration', thresholdRange: { max: 500 }, interval: '1m' }
        ]
      }
    }
  }
]

/** A world of that rollout; `faults` are the new version's. */
export function rolloutSpec(faults: readonly AppFault[] = [], over: Partial<WorldSpec> = {}): WorldSpec {
  return {
    name: 'rollout',
    seed: 1,
    manifests: MANIFESTS,
    images: { [BEFORE]: podinfo(), [AFTER]: podinfo(faults) },
    mesh: { provider: 'linkerd', adminTraffic: true },
    controller: { flags: {}, env: {} },
    load: [USERS],
    time: 'stepped',
    allowHosts: [],
    ...over
  }
}

/** The command that starts the rollout. */
export const SET_IMAGE: string = `kubectl -n test set image deployment/podinfo podinfod=${AFTER}`
