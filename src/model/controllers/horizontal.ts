import { formatTimestamp } from '../../lib/time/index.ts'
import type { KubeObject, KubeStatus } from '../../kinds/index.ts'
import { type Remark, boundReplicas } from './horizontal-limits.ts'
import { type MetricProposal, proposeReplicas } from './horizontal-metrics.ts'
import type { Autoscaler, AutoscalerMemory, AutoscalerStatus, MetricsReader } from './horizontal-shapes.ts'
import { sameJson } from './json.ts'
import {
  type ControllerEffect,
  DONE,
  type ObjectKey,
  type Plan,
  type ReconcileContext,
  type Requeue,
  attempt,
  report,
  write
} from './plan.ts'
import { updateRequest } from './requests.ts'
import { selectorMatches } from './selectors.ts'
import type { Condition, LabelSelector, Pod } from './shapes.ts'

/** Time between two looks at an autoscaler, upstream's default. */
export const AUTOSCALER_PERIOD_MS = 15_000

/** Resources that can be scaled, by kind. */
const SCALABLE: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets'
}

/** What a run needs besides the view. */
export interface AutoscalerInput {
  readonly memory: AutoscalerMemory
  /** Absent: no resource metrics API. */
  readonly metrics: MetricsReader | undefined
}

interface Run {
  readonly context: ReconcileContext
  readonly input: AutoscalerInput
  readonly autoscaler: Autoscaler
  conditions: readonly Condition[]
}

interface Target {
  readonly object: KubeObject
  readonly resource: string
  readonly replicas: number
}

/** A size the autoscaler wants and why; undefined reason: no rescale. */
interface Decision {
  readonly replicas: number
  readonly reason: string | undefined
  readonly metrics: readonly object[] | undefined
}

/**
 * Compares one autoscaler's target with its metrics and bounds; to be repeated every 15 s.
 * @see kubernetes/pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler, v1.36
 */
export function* reconcileAutoscaler(context: ReconcileContext, key: ObjectKey, input: AutoscalerInput): Plan<Requeue> {
  const found = context.view.get('autoscaling', 'horizontalpodautoscalers', key.namespace, key.name)
  if (found === undefined) return DONE
  const autoscaler = found as Autoscaler
  const run: Run = { context, input, autoscaler, conditions: autoscaler.status?.conditions ?? [] }
  yield* reconcile(run)
  return { requeueAt: context.now + AUTOSCALER_PERIOD_MS }
}

function* reconcile(run: Run): Plan<void> {
  const target = findTarget(run)
  if (typeof target === 'string') {
    yield say(run, 'Warning', ['FailedGetScale', target])
    const message = `the HPA controller was unable to get the target's current scale: ${target}`
    remark(run, { type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message })
    return yield* store(run, {})
  }
  const message = "the HPA controller was able to get the target's current scale"
  remark(run, { type: 'AbleToScale', status: 'True', reason: 'SucceededGetScale', message })
  const decision = yield* decide(run, target)
  if (decision === undefined) return
  yield* act(run, target, decision)
}

function findTarget(run: Run): Target | string {
  const { kind, name, apiVersion = 'apps/v1' } = run.autoscaler.spec.scaleTargetRef
  const { namespace } = run.autoscaler.metadata
  const [group = ''] = apiVersion.split('/')
  const resource = SCALABLE[kind]
  if (resource === undefined) return `no matches for kind "${kind}" in group "${group}"`
  const object = run.context.view.get('apps', resource, namespace, name)
  if (object === undefined) return `${resource}.apps "${name}" not found`
  const { replicas } = object.spec as { readonly replicas?: number }
  return { object, resource, replicas: replicas ?? 1 }
}

function* decide(run: Run, target: Target): Plan<Decision | undefined> {
  const { spec } = run.autoscaler
  const min = spec.minReplicas ?? 1
  const current = target.replicas
  if (current === 0 && min !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    remark(run, { type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message })
    return { replicas: 0, reason: undefined, metrics: undefined }
  }
  const above = 'Current number of replicas above Spec.MaxReplicas'
  if (current > spec.maxReplicas) return { replicas: spec.maxReplicas, reason: above, metrics: undefined }
  const below = 'Current number of replicas below Spec.MinReplicas'
  if (current < min) return { replicas: min, reason: below, metrics: undefined }
  return yield* decideByMetrics(run, target)
}

function* decideByMetrics(run: Run, target: Target): Plan<Decision | undefined> {
  const { autoscaler, context, input } = run
  const current = target.replicas
  const best = yield* bestProposal(run, target)
  if (best === undefined) return undefined
  if (input.memory.recommendations.length === 0) {
    input.memory.recommendations.push({ replicas: current, at: context.now })
  }
  const state = { current, recommended: best.replicas, now: context.now }
  const bounded = boundReplicas(autoscaler, input.memory, state)
  for (const each of bounded.remarks) remark(run, each)
  const grows = best.replicas > current ? `${best.name} above target` : 'All metrics below target'
  const reason = bounded.replicas === current ? undefined : grows
  return { replicas: bounded.replicas, reason, metrics: best.statuses }
}

interface Best {
  readonly replicas: number
  readonly name: string
  readonly statuses: readonly object[]
}

/** The largest proposal; undefined (and said so) when metrics are missing and nothing may be done without them. */
function* bestProposal(run: Run, target: Target): Plan<Best | undefined> {
  const specs = run.autoscaler.spec.metrics ?? []
  const pods = podsOf(run, target)
  const proposals: MetricProposal[] = []
  for (const spec of specs) {
    const { autoscaler, input } = run
    const proposal = proposeReplicas(spec, {
      autoscaler,
      currentReplicas: target.replicas,
      pods,
      metrics: input.metrics
    })
    if ('error' in proposal) yield say(run, 'Warning', [proposal.reason, proposal.error])
    proposals.push(proposal)
  }
  const statuses = proposals.map((each) => ('error' in each ? { type: '' } : each.status))
  const failed = proposals.filter((each) => 'error' in each)
  const sound = proposals.filter((each): each is Extract<MetricProposal, { replicas: number }> => 'replicas' in each)
  let best = { replicas: 0, name: '' }
  for (const each of sound) if (each.replicas > best.replicas) best = each
  const [first] = failed
  if (first !== undefined && (sound.length === 0 || best.replicas < target.replicas)) {
    yield* reportUnable(run, target, { first, count: `${failed.length} invalid out of ${specs.length}`, statuses })
    return undefined
  }
  const message = `the HPA was able to successfully calculate a replica count from ${best.name}`
  remark(run, { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound', message })
  return { replicas: best.replicas, name: best.name, statuses }
}

function* reportUnable(
  run: Run,
  target: Target,
  failure: {
    readonly first: { readonly reason: string; readonly error: string }
    readonly count: string
    readonly statuses: readonly object[]
  }
): Plan<void> {
  const { reason, error } = failure.first
  const message = `the HPA was unable to compute the replica count: ${error}`
  remark(run, { type: 'ScalingActive', status: 'False', reason, message })
  yield* store(run, {
    currentReplicas: target.replicas,
    desiredReplicas: run.autoscaler.status?.desiredReplicas ?? 0,
    currentMetrics: failure.statuses
  })
  const text = `invalid metrics (${failure.count}), first error is: ${error}`
  yield say(run, 'Warning', ['FailedComputeMetricsReplicas', text])
}

function podsOf(run: Run, target: Target): readonly Pod[] {
  const { selector } = target.object.spec as { readonly selector: LabelSelector }
  const pods = run.context.view.list('', 'pods', run.autoscaler.metadata.namespace) as readonly Pod[]
  return pods.filter((pod) => selectorMatches(selector, pod.metadata.labels))
}

function* act(run: Run, target: Target, decision: Decision): Plan<void> {
  const { replicas, reason, metrics } = decision
  const counts = { currentReplicas: target.replicas, ...(metrics === undefined ? {} : { currentMetrics: metrics }) }
  if (reason === undefined) return yield* store(run, { ...counts, desiredReplicas: target.replicas })
  const { object, resource } = target
  const { name, namespace, uid, resourceVersion } = object.metadata
  const metadata = { name, namespace, uid, resourceVersion } as KubeObject['metadata']
  const scale = { ...object, apiVersion: object.apiVersion, metadata }
  const request = updateRequest(scale, resource, 'scale')
  const body = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata, spec: { replicas } }
  const response = yield attempt({ ...request, body })
  if (response.code >= 400) {
    const error = (response.body as KubeStatus).message ?? ''
    yield say(run, 'Warning', ['FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${error}`])
    const message = `the HPA controller was unable to update the target scale: ${error}`
    remark(run, { type: 'AbleToScale', status: 'False', reason: 'FailedUpdateScale', message })
    return yield* store(run, counts)
  }
  const message = `the HPA controller was able to update the target scale to ${replicas}`
  remark(run, { type: 'AbleToScale', status: 'True', reason: 'SucceededRescale', message })
  yield say(run, 'Normal', ['SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`])
  remember(run, replicas - target.replicas)
  yield* store(run, { ...counts, desiredReplicas: replicas, lastScaleTime: formatTimestamp(run.context.now) })
}

function remember(run: Run, change: number): void {
  const { memory } = run.input
  const at = run.context.now
  if (change > 0) memory.ups = [...memory.ups.slice(-100), { change, at }]
  else memory.downs = [...memory.downs.slice(-100), { change: -change, at }]
}

function remark(run: Run, fields: Remark): void {
  const current = run.conditions.find((each) => each.type === fields.type)
  const kept = current?.status === fields.status ? current.lastTransitionTime : undefined
  const condition = { ...fields, lastTransitionTime: kept ?? formatTimestamp(run.context.now) }
  run.conditions =
    current === undefined
      ? [...run.conditions, condition]
      : run.conditions.map((each) => (each === current ? condition : each))
}

function* store(run: Run, fields: AutoscalerStatus): Plan<void> {
  const { autoscaler, conditions } = run
  const before = autoscaler.status
  const status: AutoscalerStatus = {
    ...(before?.lastScaleTime === undefined ? {} : { lastScaleTime: before.lastScaleTime }),
    currentReplicas: before?.currentReplicas ?? 0,
    desiredReplicas: before?.desiredReplicas ?? 0,
    currentMetrics: fields.desiredReplicas === undefined ? (before?.currentMetrics ?? null) : null,
    ...fields,
    conditions
  }
  if (!sameJson(before, status)) {
    yield write(updateRequest({ ...autoscaler, status }, 'horizontalpodautoscalers', 'status'))
  }
}

function say(run: Run, type: 'Normal' | 'Warning', [reason, message]: readonly [string, string]): ControllerEffect {
  return report({ about: run.autoscaler, type, reason, message, component: 'horizontal-pod-autoscaler' })
}
