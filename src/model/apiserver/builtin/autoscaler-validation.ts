import {
  dns1123LabelProblems,
  forbiddenError,
  formatQuantity,
  indexPath,
  invalidError,
  notSupportedError,
  parseQuantity,
  requiredError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { containerResourceErrors } from './container-validation.ts'
import { mapAt, mapOf, mapsOf, textAt, textOf } from './draft.ts'
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

/** What an apiVersion in a reference may be. */
type VersionRule = 'any' | 'with-group' | 'well-formed'

/**
 * Validates a HorizontalPodAutoscaler of autoscaling/v2.
 * @param object - HorizontalPodAutoscaler, defaulted
 * @param old - stored on update
 */
export function validateAutoscaler(object: JsonMap, old?: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const before = old === undefined ? undefined : mapOf(old['spec'])
  const metrics = mapsOf(spec['metrics'])
  const errors = [
    ...replicaErrors(spec, before),
    ...targetReferenceErrors(mapOf(spec['scaleTargetRef']), 'spec.scaleTargetRef', targetVersionRule(spec, before)),
    ...metrics.flatMap((metric, index) => metricErrors(metric, indexPath('spec.metrics', index)))
  ]
  const scalesToZero = metrics.some((metric) => metric['type'] === 'Object' || metric['type'] === 'External')
  if (spec['minReplicas'] === 0 && !scalesToZero) {
    const text = 'must specify at least one Object or External metric to support scaling to zero replicas'
    errors.push(forbiddenError('spec.metrics', text))
  }
  const behavior = mapOf(spec['behavior'])
  for (const direction of ['scaleUp', 'scaleDown']) {
    if (behavior[direction] !== undefined)
      errors.push(...rulesErrors(mapAt(behavior, direction), `spec.behavior.${direction}`))
  }
  return errors
}

function replicaErrors(spec: JsonMap, before: JsonMap | undefined): FieldError[] {
  const minReplicas = Number(spec['minReplicas'] ?? 1)
  const maxReplicas = Number(spec['maxReplicas'] ?? 0)
  const lowest = before?.['minReplicas'] === 0 ? 0 : 1
  const errors: FieldError[] = []
  if (minReplicas < lowest)
    errors.push(invalidError('spec.minReplicas', minReplicas, `must be greater than or equal to ${lowest}`))
  if (maxReplicas === 0) errors.push(requiredError('spec.maxReplicas', 'must be set and greater than 0'))
  if (maxReplicas < 0) errors.push(invalidError('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1'))
  if (maxReplicas < minReplicas)
    errors.push(invalidError('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  return errors
}

/** An update that keeps kind and version is not held to them. */
function targetVersionRule(spec: JsonMap, before: JsonMap | undefined): VersionRule {
  const target = mapOf(spec['scaleTargetRef'])
  if (before !== undefined) {
    const old = mapOf(before['scaleTargetRef'])
    if (old['apiVersion'] === target['apiVersion'] && old['kind'] === target['kind']) return 'any'
  }
  return target['kind'] === 'ReplicationController' ? 'well-formed' : 'with-group'
}

function targetReferenceErrors(reference: JsonMap, path: string, rule: VersionRule): FieldError[] {
  const errors = ['kind', 'name'].flatMap((field) => {
    const value = textAt(reference, field)
    if (value === '') return [requiredError(`${path}.${field}`)]
    return nameProblems('path-segment', value).map((problem) => invalidError(`${path}.${field}`, value, problem))
  })
  const version = textOf(reference['apiVersion'])
  const parts = version === '/' ? [] : version.split('/')
  if (rule === 'any') return errors
  const at = `${path}.apiVersion`
  if (parts.length > 2) return [...errors, invalidError(at, version, `unexpected GroupVersion string: ${version}`)]
  const hasGroup = parts.length === 2 && parts[0] !== ''
  if (rule === 'well-formed' || hasGroup) return errors
  return [...errors, invalidError(at, version, 'apiVersion must specify API group')]
}

/** Sources in the order they are looked at: of several, only the first is validated. */
const SOURCE_ORDER: readonly string[] = ['Object', 'External', 'Pods', 'Resource', 'ContainerResource']

function metricErrors(metric: JsonMap, path: string): FieldError[] {
  const type = textOf(metric['type'])
  const unsupported = notSupportedError(`${path}.type`, type, Object.keys(SOURCES))
  const isKnown = Object.hasOwn(SOURCES, type)
  const errors = type === '' ? [requiredError(`${path}.type`, 'must specify a metric source type')] : []
  if (!isKnown) errors.push(unsupported)
  const present = SOURCE_ORDER.filter((source) => metric[SOURCES[source] ?? ''] !== undefined)
  const [first] = present
  if (first !== undefined) {
    const member = SOURCES[first] ?? ''
    errors.push(...sourceErrors(mapAt(metric, member), first, `${path}.${member}`))
  }
  const member = SOURCES[type]
  if (member === undefined) errors.push(unsupported)
  else if (metric[member] === undefined)
    errors.push(requiredError(`${path}.${member}`, 'must populate information for the given metric source'))
  if (present.length === 1) return errors
  const others = present.filter((source) => source !== type)
  return [
    ...errors,
    ...others.map((source) =>
      forbiddenError(`${path}.${SOURCES[source] ?? ''}`, 'must populate the given metric source only')
    )
  ]
}

function sourceErrors(source: JsonMap, type: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  const target = mapOf(source['target'])
  if (type === 'Object')
    errors.push(...targetReferenceErrors(mapOf(source['describedObject']), `${path}.describedObject`, 'well-formed'))
  if (type === 'Resource' || type === 'ContainerResource') errors.push(...resourceErrors(source, type, path))
  else errors.push(...metricNameErrors(textOf(mapOf(source['metric'])['name']), `${path}.metric.name`))
  return [
    ...errors,
    ...targetTypeErrors(target, `${path}.target`),
    ...targetValueErrors(target, type, `${path}.target`)
  ]
}

function resourceErrors(source: JsonMap, type: string, path: string): FieldError[] {
  const name = textOf(source['name'])
  if (type === 'Resource') return name === '' ? [requiredError(`${path}.name`, 'must specify a resource name')] : []
  const container = textOf(source['container'])
  return [
    ...(name === ''
      ? [requiredError(`${path}.name`, 'must specify a resource name')]
      : containerResourceErrors(name, `${path}.name`)),
    ...(container === ''
      ? [requiredError(`${path}.container`, 'must specify a container')]
      : dns1123LabelProblems(container).map((problem) => invalidError(`${path}.container`, container, problem)))
  ]
}

function metricNameErrors(name: string, path: string): FieldError[] {
  if (name === '') return [requiredError(path, 'must specify a metric name')]
  return nameProblems('path-segment', name).map((problem) => invalidError(path, name, problem))
}

function targetTypeErrors(target: JsonMap, path: string): FieldError[] {
  const type = textOf(target['type'])
  const types = ['Utilization', 'Value', 'AverageValue']
  const errors: FieldError[] = []
  if (type === '') errors.push(requiredError(`${path}.type`, 'must specify a metric target type'))
  if (!types.includes(type))
    errors.push(invalidError(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  for (const field of ['value', 'averageValue']) {
    const quantity = parseQuantity(target[field])
    if (quantity !== undefined && quantity.nano <= 0n)
      errors.push(invalidError(`${path}.${field}`, formatQuantity(quantity), 'must be positive'))
  }
  const utilization = target['averageUtilization']
  if (typeof utilization === 'number' && utilization < 1)
    errors.push(invalidError(`${path}.averageUtilization`, utilization, 'must be greater than 0'))
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
    const other = type === 'Object' ? 'averageValue' : 'for metric or a per-pod target'
    const text =
      type === 'Object' ? `must set either a target value or ${other}` : `must set either a target value ${other}`
    return [requiredError(`${path}.averageValue`, text)]
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
  const select = textOf(rules['selectPolicy'])
  const selects = ['Disabled', 'Max', 'Min']
  if (select !== '' && !selects.includes(select))
    errors.push(notSupportedError(`${path}.selectPolicy`, select, selects))
  const policies = mapsOf(rules['policies'])
  if (policies.length === 0) errors.push(requiredError(`${path}.policies`, 'must specify at least one Policy'))
  errors.push(...policies.flatMap((policy, index) => policyErrors(policy, indexPath(`${path}.policies`, index))))
  const tolerance = parseQuantity(rules['tolerance'])
  if (tolerance === undefined || tolerance.nano >= 0n) return errors
  const text = 'must be greater than or equal to 0'
  return [...errors, invalidError(`${path}.tolerance`, formatQuantity(tolerance), text)]
}

function policyErrors(policy: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = []
  const type = textOf(policy['type'])
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
