import {
  forbiddenError,
  indexPath,
  invalidError,
  notSupportedError,
  requiredError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { mapAt, mapsAt, textAt } from './draft.ts'
import { nameProblems } from './meta-validation.ts'

/** Source types and the member that describes each. */
const SOURCES: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource'
}

const MAX_STABILIZATION_SECONDS = 3600
const MAX_PERIOD_SECONDS = 1800

/**
 * Validates a HorizontalPodAutoscaler of autoscaling/v2.
 * @param object - HorizontalPodAutoscaler, defaulted
 */
export function validateAutoscaler(object: JsonMap): FieldError[] {
  const spec = mapAt(object, 'spec')
  const minReplicas = Number(spec['minReplicas'] ?? 1)
  const maxReplicas = Number(spec['maxReplicas'] ?? 0)
  const errors: FieldError[] = []
  const scalesToZero = mapsAt(spec, 'metrics').some(
    (metric) => metric['type'] === 'Object' || metric['type'] === 'External'
  )
  if (minReplicas < 1) errors.push(invalidError('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  if (maxReplicas < 1) errors.push(requiredError('spec.maxReplicas', 'must be set and greater than 0'))
  if (maxReplicas < minReplicas) {
    errors.push(invalidError('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  }
  errors.push(...targetReferenceErrors(mapAt(spec, 'scaleTargetRef'), 'spec.scaleTargetRef'))
  errors.push(
    ...mapsAt(spec, 'metrics').flatMap((metric, index) => metricErrors(metric, indexPath('spec.metrics', index)))
  )
  if (minReplicas === 0 && !scalesToZero) {
    const text = 'must specify at least one Object or External metric to support scaling to zero replicas'
    errors.push(forbiddenError('spec.metrics', text))
  }
  const behavior = mapAt(spec, 'behavior')
  for (const direction of ['scaleUp', 'scaleDown']) {
    if (behavior[direction] !== undefined)
      errors.push(...rulesErrors(mapAt(behavior, direction), `spec.behavior.${direction}`))
  }
  return errors
}

function targetReferenceErrors(reference: JsonMap, path: string): FieldError[] {
  return ['kind', 'name'].flatMap((field) => {
    const value = textAt(reference, field)
    if (value === '') return [requiredError(`${path}.${field}`)]
    return nameProblems('path-segment', value).map((problem) => invalidError(`${path}.${field}`, value, problem))
  })
}

function metricErrors(metric: JsonMap, path: string): FieldError[] {
  const type = textAt(metric, 'type')
  if (type === '') return [requiredError(`${path}.type`, 'must specify a metric source type')]
  const member = SOURCES[type]
  if (member === undefined) return [notSupportedError(`${path}.type`, type, Object.keys(SOURCES))]
  const errors: FieldError[] = []
  for (const other of Object.values(SOURCES)) {
    if (other !== member && metric[other] !== undefined) {
      errors.push(forbiddenError(`${path}.${other}`, 'must populate the given metric source only'))
    }
  }
  const at = `${path}.${member}`
  if (metric[member] === undefined)
    return [...errors, requiredError(at, 'must populate information for the given metric source')]
  return [...errors, ...sourceErrors(mapAt(metric, member), type, at)]
}

function sourceErrors(source: JsonMap, type: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  const target = mapAt(source, 'target')
  if (type === 'Resource' || type === 'ContainerResource') {
    if (textAt(source, 'name') === '') errors.push(requiredError(`${path}.name`, 'must specify a resource name'))
    if (type === 'ContainerResource' && textAt(source, 'container') === '') {
      errors.push(requiredError(`${path}.container`, 'must specify a container name'))
    }
  } else if (textAt(mapAt(source, 'metric'), 'name') === '') {
    errors.push(requiredError(`${path}.metric.name`, 'must specify a metric name'))
  }
  if (type === 'Object')
    errors.push(...targetReferenceErrors(mapAt(source, 'describedObject'), `${path}.describedObject`))
  return [
    ...errors,
    ...targetTypeErrors(target, `${path}.target`),
    ...targetValueErrors(target, type, `${path}.target`)
  ]
}

function targetTypeErrors(target: JsonMap, path: string): FieldError[] {
  const type = textAt(target, 'type')
  const types = ['Utilization', 'Value', 'AverageValue']
  const errors: FieldError[] = []
  if (type === '') errors.push(requiredError(`${path}.type`, 'must specify a metric target type'))
  else if (!types.includes(type)) {
    errors.push(invalidError(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  }
  const utilization = target['averageUtilization']
  if (typeof utilization === 'number' && utilization < 1) {
    errors.push(invalidError(`${path}.averageUtilization`, utilization, 'must be greater than 0'))
  }
  return errors
}

function targetValueErrors(target: JsonMap, type: string, path: string): FieldError[] {
  const { averageUtilization, averageValue, value } = target
  if (type === 'Resource' || type === 'ContainerResource') {
    const text = 'must set either a target raw value or a target utilization'
    if (averageUtilization === undefined && averageValue === undefined)
      return [requiredError(`${path}.averageUtilization`, text)]
    if (averageUtilization === undefined || averageValue === undefined) return []
    return [forbiddenError(`${path}.averageValue`, 'may not set both a target raw value and a target utilization')]
  }
  if (type === 'Pods') {
    return averageValue === undefined
      ? [requiredError(`${path}.averageValue`, 'must specify a positive target averageValue')]
      : []
  }
  if (value === undefined && averageValue === undefined) {
    return [requiredError(`${path}.averageValue`, 'must set either a target value or averageValue')]
  }
  if (type !== 'External' || value === undefined || averageValue === undefined) return []
  return [forbiddenError(`${path}.value`, 'may not set both a target value for metric and a per-pod target')]
}

function rulesErrors(rules: JsonMap, path: string): FieldError[] {
  const window = rules['stabilizationWindowSeconds']
  const errors: FieldError[] = []
  if (typeof window === 'number' && window < 0) {
    errors.push(invalidError(`${path}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'))
  }
  if (typeof window === 'number' && window > MAX_STABILIZATION_SECONDS) {
    const text = `must be less than or equal to ${MAX_STABILIZATION_SECONDS}`
    errors.push(invalidError(`${path}.stabilizationWindowSeconds`, window, text))
  }
  const select = textAt(rules, 'selectPolicy')
  const selects = ['Disabled', 'Max', 'Min']
  if (select !== '' && !selects.includes(select))
    errors.push(notSupportedError(`${path}.selectPolicy`, select, selects))
  const policies = mapsAt(rules, 'policies')
  if (policies.length === 0) errors.push(requiredError(`${path}.policies`, 'must specify at least one Policy'))
  return [...errors, ...policies.flatMap((policy, index) => policyErrors(policy, indexPath(`${path}.policies`, index)))]
}

function policyErrors(policy: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = []
  const type = textAt(policy, 'type')
  const value = Number(policy['value'] ?? 0)
  const period = Number(policy['periodSeconds'] ?? 0)
  if (type !== 'Pods' && type !== 'Percent') errors.push(notSupportedError(`${path}.type`, type, ['Percent', 'Pods']))
  if (value <= 0) errors.push(invalidError(`${path}.value`, value, 'must be greater than zero'))
  if (period <= 0) errors.push(invalidError(`${path}.periodSeconds`, period, 'must be greater than zero'))
  if (period > MAX_PERIOD_SECONDS) {
    errors.push(invalidError(`${path}.periodSeconds`, period, `must be less than or equal to ${MAX_PERIOD_SECONDS}`))
  }
  return errors
}
