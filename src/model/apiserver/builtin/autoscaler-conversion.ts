import type { JsonMap } from '../../../lib/apimachinery/index.ts'
import { mapOf, mapsOf } from './draft.ts'

/** Annotations in which autoscaling/v1 carries what it has no fields for. */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics'
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior'
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions'
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics'

function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

function isCpuUtilization(metric: JsonMap): boolean {
  const resource = mapOf(metric['resource'])
  return (
    metric['type'] === 'Resource' &&
    resource['name'] === 'cpu' &&
    mapOf(resource['target'])['averageUtilization'] !== undefined
  )
}

/**
 * The autoscaling/v2 form of an autoscaling/v1 HorizontalPodAutoscaler.
 * @param object - v1 form, defaulted
 */
export function autoscalerFromV1(object: JsonMap): JsonMap {
  const metadata = { ...mapOf(object['metadata']) }
  const annotations = { ...mapOf(metadata['annotations']) }
  const { targetCPUUtilizationPercentage: percentage, ...spec } = mapOf(object['spec'])
  const others = parsed(annotations[METRICS])
  const metrics: unknown[] = Array.isArray(others) ? [...(others as unknown[])] : []
  if (percentage !== undefined) {
    const target = { type: 'Utilization', averageUtilization: percentage }
    metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target } })
  }
  const behavior = parsed(annotations[BEHAVIOR])
  for (const key of [METRICS, BEHAVIOR, CONDITIONS, CURRENT_METRICS]) delete annotations[key]
  if (Object.keys(annotations).length === 0) delete metadata['annotations']
  else metadata['annotations'] = annotations
  const { currentCPUUtilizationPercentage: _current, ...status } = mapOf(object['status'])
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata,
    spec: { ...spec, ...(metrics.length === 0 ? {} : { metrics }), ...(behavior === undefined ? {} : { behavior }) },
    ...(object['status'] === undefined ? {} : { status })
  }
}

/**
 * The autoscaling/v1 form of an autoscaling/v2 HorizontalPodAutoscaler; what v1 lacks goes into annotations.
 * @param object - v2 form
 */
export function autoscalerToV1(object: JsonMap): JsonMap {
  const { metrics: _metrics, behavior, ...spec } = mapOf(object['spec'])
  const { conditions, currentMetrics: _currentMetrics, ...status } = mapOf(object['status'])
  const metrics = mapsOf(mapOf(object['spec'])['metrics'])
  const current = mapsOf(mapOf(object['status'])['currentMetrics'])
  const annotations: JsonMap = { ...mapOf(mapOf(object['metadata'])['annotations']) }
  const cpu = metrics.find(isCpuUtilization)
  const others = metrics.filter((metric) => metric !== cpu)
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others)
  if (behavior !== undefined) annotations[BEHAVIOR] = JSON.stringify(behavior)
  if (Array.isArray(conditions) && conditions.length > 0) annotations[CONDITIONS] = JSON.stringify(conditions)
  if (current.length > 0) annotations[CURRENT_METRICS] = JSON.stringify(current)
  const percentage = cpu === undefined ? undefined : mapOf(mapOf(cpu['resource'])['target'])['averageUtilization']
  const used = current
    .map((metric) => mapOf(mapOf(metric['resource'])['current'])['averageUtilization'])
    .find((value) => value !== undefined)
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: { ...mapOf(object['metadata']), ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: { ...spec, ...(percentage === undefined ? {} : { targetCPUUtilizationPercentage: percentage }) },
    ...(object['status'] === undefined
      ? {}
      : {
          status: {
            currentReplicas: 0,
            ...status,
            ...(used === undefined ? {} : { currentCPUUtilizationPercentage: used })
          }
        })
  }
}
