import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  duplicateError,
  forbiddenError,
  indexPath,
  invalidError,
  labelKeyProblems,
  labelValueProblems,
  notSupportedError,
  requiredError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { mapAt, mapOf, mapsAt, mapsOf, textOf } from './draft.ts'
import { validateLabelSelector } from './selector-validation.ts'
import { textsAt } from './service-shapes.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

/**
 * Validates a pod's affinity (core/v1 `validateAffinity`).
 * @param affinity - Affinity
 * @param path - where it is
 */
export function validateAffinity(affinity: JsonMap, path: string): FieldError[] {
  return [
    ...nodeAffinityErrors(mapOf(affinity['nodeAffinity']), `${path}.nodeAffinity`),
    ...['podAffinity', 'podAntiAffinity'].flatMap((field) => podTermsErrors(mapAt(affinity, field), `${path}.${field}`))
  ]
}

function weightErrors(term: JsonMap, path: string): FieldError[] {
  const weight = Number(term['weight'] ?? 0)
  return weight > 0 && weight <= 100 ? [] : [invalidError(`${path}.weight`, weight, 'must be in the range 1-100')]
}

function nodeAffinityErrors(affinity: JsonMap, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (affinity[REQUIRED] !== undefined) {
    const at = `${path}.${REQUIRED}.nodeSelectorTerms`
    const terms = mapsOf(mapAt(affinity, REQUIRED)['nodeSelectorTerms'])
    if (terms.length === 0) errors.push(requiredError(at, 'must have at least one node selector term'))
    errors.push(...terms.flatMap((term, index) => nodeTermErrors(term, indexPath(at, index), true)))
  }
  const preferred = mapsAt(affinity, PREFERRED).flatMap((term, index) => {
    const at = indexPath(`${path}.${PREFERRED}`, index)
    return [...weightErrors(term, at), ...nodeTermErrors(mapOf(term['preference']), `${at}.preference`, false)]
  })
  return [...errors, ...preferred]
}

function nodeTermErrors(term: JsonMap, path: string, checksValues: boolean): FieldError[] {
  const expressions = mapsOf(term['matchExpressions']).flatMap((expression, index) =>
    nodeExpressionErrors(expression, indexPath(`${path}.matchExpressions`, index), checksValues)
  )
  const fields = mapsOf(term['matchFields']).flatMap((expression, index) =>
    nodeFieldErrors(expression, indexPath(`${path}.matchFields`, index))
  )
  return [...expressions, ...fields]
}

const NO_OPERATOR = 'not a valid selector operator'

function nodeExpressionErrors(expression: JsonMap, path: string, checksValues: boolean): FieldError[] {
  const key = textOf(expression['key'])
  const values = textsAt(expression, 'values')
  const errors = nodeOperatorErrors(textOf(expression['operator']), values, path)
  errors.push(...labelKeyProblems(key).map((problem) => invalidError(`${path}.key`, key, problem)))
  if (!checksValues) return errors
  const found = values.flatMap((value, index) =>
    labelValueProblems(value).map((problem) => invalidError(indexPath(`${path}.values`, index), value, problem))
  )
  return [...errors, ...found]
}

function nodeOperatorErrors(operator: string, values: readonly string[], path: string): FieldError[] {
  const at = `${path}.values`
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0 ? [] : [requiredError(at, "must be specified when `operator` is 'In' or 'NotIn'")]
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [forbiddenError(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
    case 'Gt':
    case 'Lt':
      return values.length === 1
        ? []
        : [requiredError(at, "must be specified single value when `operator` is 'Lt' or 'Gt'")]
    default:
      return [invalidError(`${path}.operator`, operator, NO_OPERATOR)]
  }
}

function nodeFieldErrors(expression: JsonMap, path: string): FieldError[] {
  const operator = textOf(expression['operator'])
  const key = textOf(expression['key'])
  const values = textsAt(expression, 'values')
  const errors: FieldError[] = []
  if (operator !== 'In' && operator !== 'NotIn') errors.push(invalidError(`${path}.operator`, operator, NO_OPERATOR))
  else if (values.length !== 1) {
    const text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
    errors.push(requiredError(`${path}.values`, text))
  }
  if (key !== 'metadata.name') return [...errors, invalidError(`${path}.key`, key, 'not a valid field selector key')]
  const found = values.flatMap((value, index) =>
    dns1123SubdomainProblems(value).map((problem) => invalidError(indexPath(`${path}.values`, index), value, problem))
  )
  return [...errors, ...found]
}

function podTermsErrors(affinity: JsonMap, path: string): FieldError[] {
  const required = mapsAt(affinity, REQUIRED).flatMap((term, index) =>
    podTermErrors(term, indexPath(`${path}.${REQUIRED}`, index))
  )
  const preferred = mapsAt(affinity, PREFERRED).flatMap((term, index) => {
    const at = indexPath(`${path}.${PREFERRED}`, index)
    return [...weightErrors(term, at), ...podTermErrors(mapOf(term['podAffinityTerm']), `${at}.podAffinityTerm`)]
  })
  return [...required, ...preferred]
}

function podTermErrors(term: JsonMap, path: string): FieldError[] {
  const key = textOf(term['topologyKey'])
  const at = `${path}.topologyKey`
  return [
    ...['labelSelector', 'namespaceSelector'].flatMap((field) =>
      term[field] === undefined ? [] : validateLabelSelector(mapAt(term, field), `${path}.${field}`)
    ),
    ...textsAt(term, 'namespaces').flatMap((name) =>
      dns1123LabelProblems(name).map((problem) => invalidError(`${path}.namespace`, name, problem))
    ),
    ...(key === '' ? [requiredError(at, 'can not be empty')] : []),
    ...labelKeyProblems(key).map((problem) => invalidError(at, key, problem))
  ]
}

const NODE_POLICIES: readonly string[] = ['Honor', 'Ignore']
const ACTIONS: readonly string[] = ['DoNotSchedule', 'ScheduleAnyway']

/**
 * Validates how a pod is spread over the cluster (core/v1 `validateTopologySpreadConstraints`).
 * @param constraints - TopologySpreadConstraints
 * @param path - where they are
 */
export function validateTopologySpread(constraints: readonly JsonMap[], path: string): FieldError[] {
  const kindOf = (constraint: JsonMap): string =>
    `{${textOf(constraint['topologyKey'])}, ${textOf(constraint['whenUnsatisfiable'])}}`
  return constraints.flatMap((constraint, index) => {
    const at = indexPath(path, index)
    const errors = spreadErrors(constraint, at)
    const kind = kindOf(constraint)
    const isRepeated = constraints.slice(index + 1).some((other) => kindOf(other) === kind)
    if (isRepeated) errors.push(duplicateError(`${at}.{topologyKey, whenUnsatisfiable}`, kind))
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy']) {
      const policy = constraint[field]
      if (policy !== undefined && !NODE_POLICIES.includes(String(policy)))
        errors.push(notSupportedError(`${at}.${field}`, policy, NODE_POLICIES))
    }
    const selector = constraint['labelSelector']
    if (selector === undefined) return errors
    return [...errors, ...validateLabelSelector(mapOf(constraint['labelSelector']), `${at}.labelSelector`)]
  })
}

function spreadErrors(constraint: JsonMap, path: string): FieldError[] {
  const positive = (field: string, value: number): FieldError[] =>
    value > 0 ? [] : [invalidError(`${path}.${field}`, value, 'must be greater than 0')]
  const action = textOf(constraint['whenUnsatisfiable'])
  const errors = positive('maxSkew', Number(constraint['maxSkew'] ?? 0))
  if (textOf(constraint['topologyKey']) === '') errors.push(requiredError(`${path}.topologyKey`, 'can not be empty'))
  if (!ACTIONS.includes(action)) errors.push(notSupportedError(`${path}.whenUnsatisfiable`, action, ACTIONS))
  const domains = constraint['minDomains']
  if (typeof domains !== 'number') return errors
  errors.push(...positive('minDomains', domains))
  if (action === 'DoNotSchedule') return errors
  const text = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`
  return [...errors, invalidError(`${path}.minDomains`, domains, text)]
}
