import { isJsonMap } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'

type Fields = Record<string, unknown>

const METRICS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/metrics'
const CURRENT_METRICS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/current-metrics'
const CONDITIONS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/conditions'
const BEHAVIOR_ANNOTATION = 'autoscaling.alpha.kubernetes.io/behavior'

function fieldsOf(value: unknown): Fields {
  return isJsonMap(value) ? value : {}
}

function cpuMetric(utilization: number): Fields {
  return {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: utilization } }
  }
}

function isCpuUtilization(metric: unknown): boolean {
  const resource = fieldsOf(fieldsOf(metric)['resource'])
  return resource['name'] === 'cpu' && typeof fieldsOf(resource['target'])['averageUtilization'] === 'number'
}

/**
 * An autoscaling/v1 HorizontalPodAutoscaler in the form of v2 (pkg/apis/autoscaling/v1/conversion.go).
 * @param object - v1 object
 */
export function hpaToV2(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = fieldsOf(object.spec)
  const { currentCPUUtilizationPercentage: _current, ...status } = fieldsOf(object.status)
  const annotations: Record<string, string> = { ...object.metadata.annotations }
  const parsed = (key: string): unknown => {
    const text = annotations[key]
    delete annotations[key]
    return text === undefined ? undefined : parseLoosely(text)
  }
  const metrics = parsed(METRICS_ANNOTATION)
  const behavior = parsed(BEHAVIOR_ANNOTATION)
  parsed(CURRENT_METRICS_ANNOTATION)
  parsed(CONDITIONS_ANNOTATION)
  const own = typeof cpu === 'number' ? [cpuMetric(cpu)] : []
  const others = Array.isArray(metrics) ? (metrics as unknown[]) : []
  const metadata = { ...object.metadata }
  delete metadata.annotations
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata,
    spec: {
      ...spec,
      ...(own.length + others.length > 0 ? { metrics: [...own, ...others] } : {}),
      ...(behavior === undefined ? {} : { behavior })
    },
    ...(object.status === undefined ? {} : { status })
  }
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * A stored autoscaler in the form of autoscaling/v1: one CPU target as a field, everything else as annotations.
 * @param object - v2 object
 */
export function hpaFromV2(object: KubeObject): KubeObject {
  const { metrics, behavior, ...spec } = fieldsOf(object.spec)
  const { currentMetrics, conditions, ...status } = fieldsOf(object.status)
  const list = Array.isArray(metrics) ? (metrics as unknown[]) : []
  const cpu = list.find(isCpuUtilization)
  const others = list.filter((metric) => metric !== cpu)
  const annotations: Record<string, string> = { ...object.metadata.annotations }
  if (others.length > 0) annotations[METRICS_ANNOTATION] = JSON.stringify(others)
  if (behavior !== undefined) annotations[BEHAVIOR_ANNOTATION] = JSON.stringify(behavior)
  if (Array.isArray(currentMetrics) && currentMetrics.length > 0) {
    annotations[CURRENT_METRICS_ANNOTATION] = JSON.stringify(currentMetrics)
  }
  if (Array.isArray(conditions) && conditions.length > 0)
    annotations[CONDITIONS_ANNOTATION] = JSON.stringify(conditions)
  const currentCpu = (Array.isArray(currentMetrics) ? (currentMetrics as unknown[]) : [])
    .map(currentUtilization)
    .find((one) => one !== undefined)
  const target = fieldsOf(fieldsOf(fieldsOf(cpu)['resource'])['target'])['averageUtilization']
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: { ...object.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      currentReplicas: 0,
      ...status,
      ...(currentCpu === undefined ? {} : { currentCPUUtilizationPercentage: currentCpu })
    }
  }
}

function currentUtilization(metric: unknown): unknown {
  const resource = fieldsOf(fieldsOf(metric)['resource'])
  return resource['name'] === 'cpu' ? fieldsOf(resource['current'])['averageUtilization'] : undefined
}
