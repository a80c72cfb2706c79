import { describe, expect, test } from 'vitest'
import { fieldErrorText, type JsonMap } from '../../../../src/lib/apimachinery/index.ts'
import {
  autoscalerFromV1,
  autoscalerToV1,
  builtinSchema,
  defaultPullPolicy,
  prepareForCreate,
  prepareForUpdate,
  qualityOfService,
  resetFields,
  setDefaults,
  validateBuiltin
} from '../../../../src/model/apiserver/builtin/index.ts'

function deployment(spec: JsonMap = {}, metadata: JsonMap = {}): JsonMap {
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'nginx:1.27' }] } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', ...metadata },
    spec: { selector: { matchLabels: { app: 'a' } }, template, ...spec }
  }
}

function texts(group: string, kind: string, object: JsonMap, old?: JsonMap): string[] {
  const input = { group, kind, object: setDefaults(group, kind, object) }
  return validateBuiltin(old === undefined ? input : { ...input, old }).map(fieldErrorText)
}

describe('setDefaults', () => {
  test('completes a Deployment and leaves the argument alone', () => {
    const object = deployment()
    const completed = setDefaults('apps', 'Deployment', object)
    expect(completed['spec']).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      template: { spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'IfNotPresent', resources: {} }] } }
    })
    expect(object).toEqual(deployment())
  })

  test('Services take their target port from the port', () => {
    const service = setDefaults('', 'Service', { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } })
    expect(service.spec).toMatchObject({ type: 'ClusterIP', ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }] })
  })

  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['registry:5000/nginx', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['nginx@sha256:0', 'IfNotPresent']
  ])('defaultPullPolicy: %s is %s', (image, policy) => {
    expect(defaultPullPolicy(image)).toBe(policy)
  })
})

describe('validateBuiltin', () => {
  test('accepts a complete Deployment', () => {
    expect(texts('apps', 'Deployment', deployment())).toEqual([])
  })

  test('words the errors of a Deployment as the API server does', () => {
    expect(texts('apps', 'Deployment', deployment({ replicas: -2, selector: { matchLabels: { app: 'b' } } }))).toEqual([
      'spec.replicas: Invalid value: -2: must be greater than or equal to 0',
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`'
    ])
  })

  test('refuses another selector', () => {
    const old = setDefaults('apps', 'Deployment', deployment())
    const labels = { app: 'a', x: 'y' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    expect(texts('apps', 'Deployment', deployment({ selector: { matchLabels: labels }, template }), old)).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"a","x":"y"}}: field is immutable'
    ])
  })

  test('refuses a copy of a Service that cleared only clusterIP', () => {
    const spec = { clusterIPs: ['10.96.0.1'], ports: [{ port: 80 }] }
    expect(texts('', 'Service', { metadata: { name: 's' }, spec })).toEqual([
      'spec.clusterIPs: Invalid value: ["10.96.0.1"]: must be empty when `clusterIP` is not specified'
    ])
  })

  test('shows what a Pod update may not change', () => {
    const pod = (policy: string): JsonMap => ({
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: policy }
    })
    const old = setDefaults('', 'Pod', pod('Always'))
    const [text = ''] = texts('', 'Pod', pod('Never'), old)
    expect(text).toContain('spec: Forbidden: pod updates may not change fields other than')
    expect(text).toContain('- "RestartPolicy": "Always",\n+ "RestartPolicy": "Never",')
  })

  test('validates names by kind', () => {
    expect(texts('', 'Namespace', { metadata: { name: 'a.b' } })).toEqual([
      'metadata.name: Invalid value: "a.b": must not contain dots'
    ])
    expect(texts('rbac.authorization.k8s.io', 'ClusterRole', { metadata: { name: 'system:x' } })).toEqual([])
  })
})

describe('strategy', () => {
  test('prepareForCreate: clears status and starts the generation', () => {
    const created = prepareForCreate('apps', 'Deployment', {
      ...deployment({}, { generation: 9 }),
      status: { replicas: 3 }
    })
    expect(created).toMatchObject({ metadata: { generation: 1 }, status: {} })
  })

  test('prepareForUpdate: generation rises with spec and, for Deployments, annotations', () => {
    const old = prepareForCreate('apps', 'Deployment', deployment())
    const key = { group: 'apps', kind: 'Deployment' }
    const generation = (object: JsonMap): unknown =>
      (prepareForUpdate(key, object, old)['metadata'] as JsonMap)['generation']
    expect(generation(deployment())).toBe(1)
    expect(generation(deployment({ replicas: 2 }))).toBe(2)
    expect(generation(deployment({}, { annotations: { a: 'b' } }))).toBe(2)
    expect(generation(deployment({}, { labels: { a: 'b' } }))).toBe(1)
  })

  test('prepareForUpdate: each door keeps what is not its own', () => {
    const old: JsonMap = { ...prepareForCreate('apps', 'Deployment', deployment()), status: { replicas: 1 } }
    const key = { group: 'apps', kind: 'Deployment' }
    const next = { ...deployment({ replicas: 5 }), status: { replicas: 2 } }
    expect(prepareForUpdate(key, next, old)).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 1 } })
    expect(prepareForUpdate(key, next, old, 'status')).toMatchObject({ spec: old['spec'], status: { replicas: 2 } })
  })

  test('prepareForCreate: a copy of a DaemonSet goes on counting templates where its original is', () => {
    const key = 'deprecated.daemonset.template.generation'
    const made = prepareForCreate('apps', 'DaemonSet', {
      metadata: { name: 'd', annotations: { [key]: '4' } },
      spec: {}
    })
    expect(made.metadata.annotations).toEqual({ [key]: '4' })
  })

  test('prepareForUpdate: a Service that becomes an external name gives up its addresses', () => {
    const addresses = { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] }
    const old = { metadata: { name: 's' }, spec: { type: 'ClusterIP', ...addresses } }
    const spec = { type: 'ExternalName', externalName: 'a.b', ...addresses }
    const changed = prepareForUpdate({ group: '', kind: 'Service' }, { metadata: { name: 's' }, spec }, old)
    expect(changed.spec).toEqual({ type: 'ExternalName', externalName: 'a.b' })
  })

  test('qualityOfService: by requests and limits', () => {
    const pod = (resources: JsonMap): JsonMap => ({ containers: [{ name: 'c', resources }] })
    const both = { cpu: '1', memory: '1Gi' }
    expect(qualityOfService(pod({}))).toBe('BestEffort')
    expect(qualityOfService(pod({ requests: { cpu: '1' } }))).toBe('Burstable')
    expect(qualityOfService(pod({ requests: both, limits: both }))).toBe('Guaranteed')
  })

  test('resetFields: only kinds with a status have doors', () => {
    expect(resetFields('', 'ConfigMap')).toBeUndefined()
    expect(resetFields('apps', 'Deployment')?.has(['f:status'])).toBe(true)
  })
})

describe('autoscaler conversion', () => {
  test('autoscalerFromV1 and autoscalerToV1 are inverse', () => {
    const v1 = {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec: { maxReplicas: 3, minReplicas: 1, targetCPUUtilizationPercentage: 80 }
    }
    const v2 = autoscalerFromV1(v1)
    expect(v2['spec']).toMatchObject({ metrics: [{ type: 'Resource', resource: { name: 'cpu' } }] })
    expect(autoscalerToV1(v2)).toEqual(v1)
  })
})

test('builtinSchema: knows the kinds a rollout touches', () => {
  const kinds = [
    '/v1/Pod',
    '/v1/Service',
    'apps/v1/Deployment',
    'autoscaling/v2/HorizontalPodAutoscaler',
    'batch/v1/Job'
  ]
  for (const kind of kinds) {
    const [group = '', version = '', name = ''] = kind.split('/')
    expect(builtinSchema(group, version, name)?.properties).toHaveProperty('metadata')
  }
})
