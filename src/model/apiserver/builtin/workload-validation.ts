import {
  deepEqual,
  forbiddenError,
  invalidError,
  isEmptyMap,
  isJsonMap,
  matchesLabelSelector,
  notSupportedError,
  PrintedValue,
  requiredError,
  selectorFromObject,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { scheduleErrors } from './cron-schedule.ts'
import { mapOf, mapsOf, textOf } from './draft.ts'
import { errorsOfEach, joined, NO_ERRORS, type Findings } from './findings.ts'
import { immutableErrors, nonNegativeErrors } from './meta-validation.ts'
import { internalValue } from './pod-spec-text.ts'
import { validatePodTemplate } from './pod-validation.ts'
import { validateLabelSelector } from './selector-validation.ts'

/** A selector as its Go type writes it. */
function printedSelector(selector: unknown): PrintedValue {
  if (!isJsonMap(selector)) return new PrintedValue('null')
  const labels = Object.entries(mapOf(selector['matchLabels'])).sort(([left], [right]) => (left < right ? -1 : 1))
  const expressions = mapsOf(selector['matchExpressions']).map(({ key, operator, values }) => ({
    key: key ?? '',
    operator: operator ?? '',
    ...(Array.isArray(values) && values.length > 0 ? { values } : {})
  }))
  return new PrintedValue(
    JSON.stringify({
      ...(labels.length === 0 ? {} : { matchLabels: Object.fromEntries(labels) }),
      ...(expressions.length === 0 ? {} : { matchExpressions: expressions })
    })
  )
}

/** A spec that comes back as it is stored was validated when it came. */
function isStored(object: JsonMap, old: JsonMap | undefined): boolean {
  return old !== undefined && isJsonMap(object['spec']) && object['spec'] === old['spec']
}

function selectorChangeErrors(spec: JsonMap, old: JsonMap | undefined): Findings {
  if (old === undefined) return NO_ERRORS
  const { selector } = spec
  if (deepEqual(selector ?? null, mapOf(old['spec'])['selector'] ?? null)) return NO_ERRORS
  return [invalidError('spec.selector', printedSelector(selector), 'field is immutable')]
}

/** Selector present and not empty. */
function selectorErrors(spec: JsonMap, kind = 'deployment'): Findings {
  const selector = spec['selector']
  if (selector === undefined || selector === null) return [requiredError('spec.selector')]
  const map = mapOf(spec['selector'])
  const errors = validateLabelSelector(map, 'spec.selector')
  if (!isEmptySelector(map)) return errors
  return [...errors, invalidError('spec.selector', map, `empty selector is invalid for ${kind}`)]
}

function isEmptySelector(selector: JsonMap): boolean {
  return isEmptyMap(mapOf(selector['matchLabels'])) && mapsOf(selector['matchExpressions']).length === 0
}

/** Whether labels can be compared with the selector of a workload. */
function isUsable(spec: JsonMap): boolean {
  return validateLabelSelector(mapOf(spec['selector']), 'spec.selector').length === 0
}

function templateLabelErrors(spec: JsonMap): Findings {
  const metadata = mapOf(mapOf(spec['template'])['metadata'])
  const labels = mapOf(metadata['labels']) as Record<string, string>
  if (matchesLabelSelector(selectorFromObject(spec['selector']), labels)) return NO_ERRORS
  const value = metadata['labels'] ?? null
  return [invalidError('spec.template.metadata.labels', value, '`selector` does not match template `labels`')]
}

function templateErrors(spec: JsonMap, kind: string): Findings {
  const template = mapOf(spec['template'])
  const pod = mapOf(template['spec'])
  const errors: FieldError[] = []
  const policy = textOf(pod['restartPolicy'])
  if (policy !== '' && policy !== 'Always')
    errors.push(notSupportedError('spec.template.spec.restartPolicy', policy, ['Always']))
  if (pod['activeDeadlineSeconds'] !== undefined) {
    errors.push(
      forbiddenError('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${kind} is not Supported`)
    )
  }
  return joined(validatePodTemplate(template, 'spec.template'), errors)
}

/** A template is only looked at when the selector can be used. */
function replicaTemplateErrors(spec: JsonMap): Findings {
  if (isUsable(spec)) return joined(templateLabelErrors(spec), templateErrors(spec, 'ReplicaSet'))
  return [invalidError('spec.selector', printedSelector(spec['selector']), 'invalid label selector')]
}

/**
 * Validates a Deployment's spec.
 * @param object - Deployment
 * @param old - stored on update
 */
export function validateDeployment(object: JsonMap, old?: JsonMap): Findings {
  if (isStored(object, old)) return NO_ERRORS
  const spec = mapOf(object['spec'])
  const { progressDeadlineSeconds: deadline, minReadySeconds } = spec
  return joined(
    nonNegativeErrors(spec['replicas'], 'spec.replicas'),
    selectorErrors(spec),
    replicaTemplateErrors(spec),
    strategyErrors(mapOf(spec['strategy'])),
    nonNegativeErrors(minReadySeconds, 'spec.minReadySeconds'),
    nonNegativeErrors(spec['revisionHistoryLimit'], 'spec.revisionHistoryLimit'),
    nonNegativeErrors(deadline, 'spec.progressDeadlineSeconds'),
    typeof deadline === 'number' && deadline <= Number(minReadySeconds ?? 0)
      ? [invalidError('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')]
      : NO_ERRORS,
    selectorChangeErrors(spec, old)
  )
}

function strategyErrors(strategy: JsonMap): Findings {
  const path = 'spec.strategy.rollingUpdate'
  switch (textOf(strategy['type'])) {
    case 'Recreate':
      return strategy['rollingUpdate'] === undefined
        ? NO_ERRORS
        : [forbiddenError(path, "may not be specified when strategy `type` is 'Recreate'")]
    case 'RollingUpdate':
      return strategy['rollingUpdate'] === undefined
        ? [requiredError(path, 'this should be defaulted and never be nil')]
        : rollingUpdateErrors(mapOf(strategy['rollingUpdate']), path)
    default:
      return [
        notSupportedError('spec.strategy', internalValue('DeploymentStrategy', strategy), ['Recreate', 'RollingUpdate'])
      ]
  }
}

function rollingUpdateErrors(update: JsonMap, path: string): Findings {
  const { maxUnavailable, maxSurge } = update
  const at = `${path}.maxUnavailable`
  return joined(
    intOrPercentErrors(maxUnavailable, at),
    intOrPercentErrors(maxSurge, `${path}.maxSurge`),
    amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0
      ? [invalidError(at, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : NO_ERRORS,
    overHundredErrors(maxUnavailable, at)
  )
}

const PERCENT_RULE =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

/**
 * Errors of a number or percentage that must not be negative.
 * @param value - number or text
 * @param path - where it is
 */
export function intOrPercentErrors(value: unknown, path: string): Findings {
  if (typeof value === 'string') return /^[0-9]+%$/.test(value) ? NO_ERRORS : [invalidError(path, value, PERCENT_RULE)]
  return nonNegativeErrors(value, path)
}

function amountOf(value: unknown): number {
  return typeof value === 'string' ? Number.parseInt(value, 10) || 0 : Number(value ?? 0)
}

function overHundredErrors(value: unknown, path: string): FieldError[] {
  const isOver = typeof value === 'string' && /^[0-9]+%$/.test(value) && Number.parseInt(value, 10) > 100
  return isOver ? [invalidError(path, value, 'must not be greater than 100%')] : []
}

const STATUS_NUMBERS: readonly string[] = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'collisionCount'
]

/**
 * Validates a Deployment's status, on status updates.
 * @param object - Deployment
 */
export function validateDeploymentStatus(object: JsonMap): Findings {
  const status = mapOf(object['status'])
  return joined(
    hasNegative(status)
      ? errorsOfEach(STATUS_NUMBERS, (field) => nonNegativeErrors(status[field], `status.${field}`))
      : NO_ERRORS,
    aboveErrors('updatedReplicas', status['updatedReplicas'], status['replicas'], ABOVE_REPLICAS),
    aboveErrors('readyReplicas', status['readyReplicas'], status['replicas'], ABOVE_REPLICAS),
    aboveErrors('availableReplicas', status['availableReplicas'], status['replicas'], ABOVE_REPLICAS),
    aboveErrors(
      'availableReplicas',
      status['availableReplicas'],
      status['readyReplicas'],
      'cannot be greater than readyReplicas'
    )
  )
}

const ABOVE_REPLICAS = 'cannot be greater than status.replicas'

function hasNegative(map: JsonMap): boolean {
  for (const name in map) {
    const member = map[name]
    if (typeof member === 'number' && member < 0) return true
  }
  return false
}

function aboveErrors(field: string, value: unknown, limit: unknown, text: string): Findings {
  const count = Number(value ?? 0)
  return count > Number(limit ?? 0) ? [invalidError(`status.${field}`, count, text)] : NO_ERRORS
}

/**
 * Validates a ReplicaSet's spec.
 * @param object - ReplicaSet
 * @param old - stored on update
 */
export function validateReplicaSet(object: JsonMap, old?: JsonMap): Findings {
  if (isStored(object, old)) return NO_ERRORS
  const spec = mapOf(object['spec'])
  return joined(
    nonNegativeErrors(spec['replicas'], 'spec.replicas'),
    nonNegativeErrors(spec['minReadySeconds'], 'spec.minReadySeconds'),
    selectorErrors(spec),
    replicaTemplateErrors(spec),
    selectorChangeErrors(spec, old)
  )
}

/**
 * Validates a DaemonSet's spec.
 * @param object - DaemonSet
 * @param old - stored on update
 */
export function validateDaemonSet(object: JsonMap, old?: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const selector = mapOf(spec['selector'])
  const errors = [...selectorChangeErrors(spec, old)]
  errors.push(...validateLabelSelector(selector, 'spec.selector'))
  if (isUsable(spec)) errors.push(...templateLabelErrors(spec))
  if (spec['selector'] !== undefined && isEmptySelector(selector))
    errors.push(invalidError('spec.selector', selector, 'empty selector is invalid for daemonset'))
  return [
    ...errors,
    ...templateErrors(spec, 'DaemonSet'),
    ...nonNegativeErrors(spec['minReadySeconds'], 'spec.minReadySeconds'),
    ...daemonUpdateErrors(mapOf(spec['updateStrategy'])),
    ...nonNegativeErrors(spec['revisionHistoryLimit'], 'spec.revisionHistoryLimit')
  ]
}

function daemonUpdateErrors(strategy: JsonMap): FieldError[] {
  const type = textOf(strategy['type'])
  const path = 'spec.updateStrategy'
  if (type === 'OnDelete') return []
  if (type !== 'RollingUpdate') {
    const { rollingUpdate } = strategy
    const update = isJsonMap(rollingUpdate)
      ? { MaxUnavailable: rollingUpdate['maxUnavailable'] ?? 0, MaxSurge: rollingUpdate['maxSurge'] ?? 0 }
      : null
    const value = new PrintedValue(JSON.stringify({ Type: type, RollingUpdate: update }))
    return [notSupportedError(path, value, ['RollingUpdate', 'OnDelete'])]
  }
  const { maxUnavailable, maxSurge } = mapOf(strategy['rollingUpdate'])
  const at = `${path}.rollingUpdate`
  const both = [[maxUnavailable, `${at}.maxUnavailable`] as const, [maxSurge, `${at}.maxSurge`] as const]
  const errors = [
    ...both.flatMap(([value, place]) => intOrPercentErrors(value, place)),
    ...both.flatMap(([value, place]) => overHundredErrors(value, place))
  ]
  const [isUnavailable, surges] = [amountOf(maxUnavailable) !== 0, amountOf(maxSurge) !== 0]
  if (isUnavailable && surges)
    errors.push(invalidError(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (!isUnavailable && !surges) errors.push(requiredError(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  return errors
}

/**
 * Validates a StatefulSet's spec.
 * @param object - StatefulSet
 * @param old - stored on update
 */
export function validateStatefulSet(object: JsonMap, old?: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const errors = [
    ...nonNegativeErrors(spec['replicas'], 'spec.replicas'),
    ...nonNegativeErrors(spec['minReadySeconds'], 'spec.minReadySeconds'),
    ...selectorErrors(spec, 'statefulset'),
    ...templateLabelErrors(spec),
    ...templateErrors(spec, 'StatefulSet')
  ]
  if (old === undefined) return errors
  const before = mapOf(old['spec'])
  const fixed = ['selector', 'serviceName', 'podManagementPolicy', 'volumeClaimTemplates']
  const text =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
  const changed = fixed.some((field) => immutableErrors(spec[field], before[field], field).length > 0)
  return changed ? [...errors, forbiddenError('spec', text)] : errors
}

/**
 * Validates a Job.
 * @param object - Job
 * @param old - stored on update
 */
export function validateJob(object: JsonMap, old?: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const errors = [...generatedSelectorErrors(object), ...jobSpecErrors(spec, 'spec')]
  if (Object.keys(mapOf(spec['selector'])).length > 0) errors.push(...templateLabelErrors(spec))
  if (old === undefined) return errors
  const before = mapOf(old['spec'])
  errors.push(...immutableErrors(spec['completions'], before['completions'], 'spec.completions'))
  errors.push(...immutableErrors(spec['selector'], before['selector'], 'spec.selector'))
  errors.push(...immutableTemplateErrors(spec, before))
  errors.push(...immutableErrors(spec['completionMode'], before['completionMode'], 'spec.completionMode'))
  return errors
}

function immutableTemplateErrors(spec: JsonMap, before: JsonMap): FieldError[] {
  const pod = mapOf(mapOf(spec['template'])['spec'])
  const changed = immutableErrors(pod, mapOf(mapOf(before['template'])['spec']), 'spec.template.spec')
  return changed.length === 0
    ? []
    : [invalidError('spec.template.spec', internalValue('PodSpec', pod), 'field is immutable')]
}

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid'

function generatedSelectorErrors(object: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  if (spec['manualSelector'] === true || spec['selector'] === undefined) return []
  const uid = textOf(mapOf(object['metadata'])['uid'])
  const labels = mapOf(mapOf(spec['selector'])['matchLabels'])
  const isGenerated = Object.keys(labels).length === 1 && labels[CONTROLLER_UID] === uid
  return isGenerated ? [] : [invalidError('spec.selector', spec['selector'], '`selector` not auto-generated')]
}

function jobSpecErrors(spec: JsonMap, path: string): FieldError[] {
  const numbers = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished']
  const errors = [...errorsOfEach(numbers, (field) => nonNegativeErrors(spec[field], `${path}.${field}`))]
  const template = mapOf(spec['template'])
  const policy = textOf(mapOf(template['spec'])['restartPolicy'])
  errors.push(...validatePodTemplate(template, `${path}.template`))
  if (policy === 'Always' || policy === '') {
    errors.push(requiredError(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'))
  }
  return errors
}

/**
 * Validates a CronJob.
 * @param object - CronJob
 */
export function validateCronJob(object: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const name = textOf(mapOf(object['metadata'])['name'])
  const errors = scheduleErrors(spec)
  const policies = ['Allow', 'Forbid', 'Replace']
  const policy = textOf(spec['concurrencyPolicy'])
  if (policy === '') errors.push(requiredError('spec.concurrencyPolicy'))
  else if (!policies.includes(policy)) errors.push(notSupportedError('spec.concurrencyPolicy', policy, policies))
  for (const field of ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit']) {
    errors.push(...nonNegativeErrors(spec[field], `spec.${field}`))
  }
  errors.push(...jobSpecErrors(mapOf(mapOf(spec['jobTemplate'])['spec']), 'spec.jobTemplate.spec'))
  if (name.length > 52) errors.push(invalidError('metadata.name', name, 'must be no more than 52 characters'))
  return errors
}
