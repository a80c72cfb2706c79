import { parseQuantity, quantityNumber } from '../../lib/apimachinery/index.ts'
import type { Autoscaler, MetricSpec, MetricTarget, MetricsReader } from './horizontal-shapes.ts'
import { isPodFinished, isPodReady } from './pod-facts.ts'
import type { Pod } from './shapes.ts'

/** Difference from the target that is not acted upon. */
const TOLERANCE = 0.1

/** What one metric proposes. */
export type MetricProposal =
  | { readonly replicas: number; readonly name: string; readonly status: object }
  | { readonly reason: string; readonly error: string }

/** What proposals are computed from. */
export interface MetricInput {
  readonly autoscaler: Autoscaler
  readonly currentReplicas: number
  readonly pods: readonly Pod[]
  /** Absent: the resource metrics API is not served. */
  readonly metrics: MetricsReader | undefined
}

interface Samples {
  readonly used: ReadonlyMap<string, number>
  readonly requested: ReadonlyMap<string, number>
  readonly unready: readonly string[]
  readonly missing: readonly string[]
}

/**
 * The number of replicas one metric asks for.
 * @see kubernetes/pkg/controller/podautoscaler/replica_calculator.go, v1.36
 */
export function proposeReplicas(spec: MetricSpec, input: MetricInput): MetricProposal {
  const source = spec.type === 'ContainerResource' ? spec.containerResource : spec.resource
  if (source === undefined) {
    const reason = `FailedGet${spec.type}Metric`
    return { reason, error: `failed to get ${spec.type.toLowerCase()} metric: not served by the twin` }
  }
  const container = spec.type === 'ContainerResource' ? spec.containerResource?.container : undefined
  const reason = container === undefined ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric'
  const wanted = source.target.averageValue === undefined ? 'utilization' : 'usage'
  const failure = (error: string): MetricProposal => ({
    reason,
    error: `failed to get ${source.name} ${wanted}: ${error}`
  })
  if (input.metrics === undefined) {
    return failure(
      `unable to get metrics for resource ${source.name}: unable to fetch metrics from resource metrics API: ` +
        'the server could not find the requested resource (get pods.metrics.k8s.io)'
    )
  }
  const samples = collect(input, source.name, container)
  if (typeof samples === 'string') return failure(samples)
  if (samples.used.size === 0) {
    return failure(`unable to get metrics for resource ${source.name}: no metrics returned from resource metrics API`)
  }
  return evaluate(input, samples, { name: source.name, target: source.target, container })
}

function collect(input: MetricInput, resource: string, container: string | undefined): Samples | string {
  const used = new Map<string, number>()
  const requested = new Map<string, number>()
  const unready: string[] = []
  const missing: string[] = []
  for (const pod of input.pods) {
    const { name, namespace = '', deletionTimestamp } = pod.metadata
    if (isPodFinished(pod) || deletionTimestamp !== undefined) continue
    const request = requestOf(pod, resource, container)
    if (typeof request === 'string') return request
    requested.set(name, request)
    const usage = input.metrics?.podUsage(namespace, name)
    if (pod.status?.phase === 'Pending' || (resource === 'cpu' && !isPodReady(pod))) unready.push(name)
    else if (usage === undefined) missing.push(name)
    else {
      const parts = Object.entries(usage).filter(([each]) => container === undefined || each === container)
      used.set(
        name,
        parts.reduce((sum, [, each]) => sum + (resource === 'memory' ? each.memory : each.cpu), 0)
      )
    }
  }
  return { used, requested, unready, missing }
}

function requestOf(pod: Pod, resource: string, container: string | undefined): number | string {
  let sum = 0
  for (const each of pod.spec.containers) {
    if (container !== undefined && each.name !== container) continue
    const quantity = parseQuantity(each.resources?.requests?.[resource])
    if (quantity === undefined)
      return `missing request for ${resource} in container ${each.name} of Pod ${pod.metadata.name}`
    sum += quantityNumber(quantity)
  }
  return sum
}

function evaluate(
  input: MetricInput,
  samples: Samples,
  metric: { readonly name: string; readonly target: MetricTarget; readonly container: string | undefined }
): MetricProposal {
  const used = new Map(samples.used)
  const ratioOf = ratioFunction(samples, metric.target)
  const ratio = ratioOf(used)
  const replicas = replicasFor(input, samples, { used, ratio, ratioOf })
  const label = metric.container === undefined ? '' : 'container '
  const kind = metric.target.averageValue === undefined ? 'utilization (percentage of request)' : ''
  const suffix = metric.container === undefined ? '' : ` (container ${metric.container})`
  const name = `${metric.name} ${label}resource ${kind}`.trim() + suffix
  return { replicas, name, status: statusOf(samples, metric) }
}

type RatioOf = (used: ReadonlyMap<string, number>) => number

function ratioFunction(samples: Samples, target: MetricTarget): RatioOf {
  const averageValue = parseQuantity(target.averageValue)
  if (averageValue !== undefined) {
    const wanted = quantityNumber(averageValue)
    return (used) => sum(used.values()) / used.size / wanted
  }
  return (used) => {
    const requested = sum([...used.keys()].map((name) => samples.requested.get(name) ?? 0))
    const utilization = Math.trunc((sum(used.values()) * 100) / requested)
    return utilization / (target.averageUtilization ?? 80)
  }
}

/** Pods without samples are assumed to use what makes the change smaller; the change never turns round because of them. */
function replicasFor(
  input: MetricInput,
  samples: Samples,
  state: { readonly used: Map<string, number>; readonly ratio: number; readonly ratioOf: RatioOf }
): number {
  const { used, ratio, ratioOf } = state
  const { currentReplicas } = input
  const rebalances = samples.unready.length > 0 && ratio > 1
  if (!rebalances && samples.missing.length === 0) {
    return Math.abs(ratio - 1) <= TOLERANCE ? currentReplicas : Math.ceil(ratio * used.size)
  }
  for (const name of samples.missing) used.set(name, ratio < 1 ? (samples.requested.get(name) ?? 0) : 0)
  if (rebalances) for (const name of samples.unready) used.set(name, 0)
  const adjusted = ratioOf(used)
  const turned = (ratio < 1 && adjusted > 1) || (ratio > 1 && adjusted < 1)
  if (Math.abs(adjusted - 1) <= TOLERANCE || turned) return currentReplicas
  const replicas = Math.ceil(adjusted * used.size)
  const wrongWay = (adjusted < 1 && replicas > currentReplicas) || (adjusted > 1 && replicas < currentReplicas)
  return wrongWay ? currentReplicas : replicas
}

function statusOf(
  samples: Samples,
  metric: { readonly name: string; readonly target: MetricTarget; readonly container: string | undefined }
): object {
  const average = sum(samples.used.values()) / samples.used.size
  const requested = sum([...samples.used.keys()].map((name) => samples.requested.get(name) ?? 0))
  const averageUtilization = Math.trunc((sum(samples.used.values()) * 100) / requested)
  const averageValue = metric.name === 'cpu' ? `${Math.ceil(average * 1000)}m` : String(Math.ceil(average))
  const current = metric.target.averageValue === undefined ? { averageUtilization, averageValue } : { averageValue }
  if (metric.container === undefined) return { type: 'Resource', resource: { name: metric.name, current } }
  const { container } = metric
  return { type: 'ContainerResource', containerResource: { name: metric.name, container, current } }
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
