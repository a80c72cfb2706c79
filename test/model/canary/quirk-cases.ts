import type { Action, GoldenCase, GoldenTrace, MetricAnswer, TraceRecord } from '../../conformance/golden/case.ts'
import type { CanaryAnalysis, CanarySpec, KubeObject } from '../../../src/kinds/index.ts'

/** What a small case changes of the base: one replica, a success-rate template, steps of 50 to 50, a new image after the start. */
export interface CaseOptions {
  readonly provider?: string
  readonly flags?: readonly string[]
  readonly spec?: Partial<CanarySpec>
  readonly analysis?: CanaryAnalysis
  readonly manifests?: readonly KubeObject[]
  readonly withoutDeployment?: boolean
  /** Default `podinfo`, like its target. */
  readonly canaryName?: string
  /** What the target selects by. */
  readonly labels?: Readonly<Record<string, string>>
  readonly progressDeadlineSeconds?: number
  readonly answers?: readonly MetricAnswer[]
  readonly metrics?: GoldenCase['metrics']
  readonly webhooks?: GoldenCase['webhooks']
  readonly pods?: GoldenCase['pods']
  readonly script?: GoldenCase['script']
  readonly maxTicks?: number
}

/** Patches the target's image. */
export function image(tag: string): Action {
  const body = { spec: { template: { spec: { containers: [{ name: 'podinfod', image: `podinfo:${tag}` }] } } } }
  return { patch: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo', type: 'strategic', body } }
}

/** Patches the canary. */
export function canaryPatch(spec: unknown): Action {
  return {
    patch: { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', name: 'podinfo', type: 'merge', body: { spec } }
  }
}

/** The usual first step: a new image once the canary is initialised. */
export const NEW_IMAGE: GoldenCase['script'][number] = {
  after: { event: 'Initialization done!' },
  do: [image('2.0.0')]
}

/** Builds a case. */
export function smallCase(options: CaseOptions): GoldenCase {
  const analysis: CanaryAnalysis = {
    interval: '10s',
    threshold: 3,
    ...(options.analysis?.iterations === undefined ? { stepWeight: 50, maxWeight: 50 } : {}),
    metrics: [
      { name: 'success-rate', interval: '1m', thresholdRange: { min: 99 }, templateRef: { name: 'success-rate' } }
    ],
    ...options.analysis
  }
  const spec = {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
    service: { port: 80, targetPort: 9898 },
    ...options.spec,
    analysis
  }
  return {
    id: 'small',
    namespace: 'test',
    flags: [`-mesh-provider=${options.provider ?? 'smi:v1alpha2'}`, ...(options.flags ?? [])],
    manifests: [
      ...(options.withoutDeployment === true ? [] : [deployment(options)]),
      TEMPLATE,
      ...(options.manifests ?? [])
    ],
    canary: {
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
      metadata: { name: options.canaryName ?? 'podinfo' },
      spec
    },
    metrics: options.metrics ?? [{ name: 'success-rate', match: 'requests_ok', answers: options.answers ?? [100] }],
    webhooks: options.webhooks ?? {},
    pods: options.pods ?? [],
    script: options.script ?? [NEW_IMAGE],
    until: { phase: 'Succeeded', plus: 1 },
    maxTicks: options.maxTicks ?? 12
  }
}

/** Every record of the ticks of a trace. */
export function recordsOf(trace: GoldenTrace): TraceRecord[] {
  return trace.ticks.flatMap((tick) => tick.records)
}

/** Messages of the events that contain a text. */
export function messages(trace: GoldenTrace, text: string): string[] {
  return recordsOf(trace)
    .filter((record) => record.t === 'event')
    .map((record) => String(record['message']))
    .filter((message) => message.includes(text))
}

function deployment({ labels = { app: 'podinfo' }, progressDeadlineSeconds }: CaseOptions): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'podinfo', labels },
    spec: {
      replicas: 1,
      ...(progressDeadlineSeconds === undefined ? {} : { progressDeadlineSeconds }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'podinfod', image: 'podinfo:1.0.0', ports: [{ containerPort: 9898 }] }] }
      }
    }
  }
}

const TEMPLATE: KubeObject = {
  apiVersion: 'flagger.app/v1beta1',
  kind: 'MetricTemplate',
  metadata: { name: 'success-rate' },
  spec: { provider: { type: 'prometheus', address: 'http://prometheus.test' }, query: 'requests_ok[{{ interval }}]' }
}
