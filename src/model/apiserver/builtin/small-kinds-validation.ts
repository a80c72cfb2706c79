import {
  configKeyProblems,
  deepEqual,
  forbiddenError,
  indexPath,
  invalidError,
  notSupportedError,
  portNumberProblems,
  qualifiedNameProblems,
  requiredError,
  tooLongError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { PROTOCOLS } from './container-validation.ts'
import { isAddress, isLoopback } from './ip-address.ts'
import { mapAt, mapOf, mapsOf, textAt, textOf } from './draft.ts'
import { errorsOfEach, joined, NO_ERRORS, problemErrors, type Findings } from './findings.ts'
import { immutableErrors } from './meta-validation.ts'
import { internalValue } from './pod-spec-text.ts'
import { enumErrors, validateLabelSelector } from './selector-validation.ts'
import { intOrPercentErrors } from './workload-validation.ts'

/** Limit of all values of a ConfigMap or Secret together. */
const MAX_DATA_BYTES = 1_048_576

/**
 * Validates a ConfigMap.
 * @param object - ConfigMap
 * @param old - stored on update
 */
export function validateConfigMap(object: JsonMap, old?: JsonMap): FieldError[] {
  const binary = mapOf(object['binaryData'])
  const errors: FieldError[] = []
  if (old?.['immutable'] === true) errors.push(...frozenErrors(object, old, ['data', 'binaryData']))
  let size = 0
  for (const [key, value] of Object.entries(mapOf(object['data'])).sort()) {
    const at = indexPath('data', key)
    size += Buffer.byteLength(String(value))
    errors.push(...configKeyProblems(key).map((problem) => invalidError(at, key, problem)))
    if (Object.hasOwn(binary, key)) errors.push(invalidError(at, key, 'duplicate of key present in binaryData'))
  }
  for (const [key, value] of Object.entries(binary).sort()) {
    size += Buffer.byteLength(String(value), 'base64')
    errors.push(...configKeyProblems(key).map((problem) => invalidError(indexPath('binaryData', key), key, problem)))
  }
  // A path of no name at all prints as an empty index.
  if (size > MAX_DATA_BYTES) errors.push(tooLongError('[]', MAX_DATA_BYTES))
  return errors
}

function frozenErrors(object: JsonMap, old: JsonMap, fields: readonly string[]): FieldError[] {
  const text = 'field is immutable when `immutable` is set'
  const errors = object['immutable'] === true ? [] : [forbiddenError('immutable', text)]
  for (const field of fields)
    if (!deepEqual(mapAt(object, field), mapAt(old, field))) errors.push(forbiddenError(field, text))
  return errors
}

/** Keys each type of Secret must have. */
const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key']
}

/**
 * Validates a Secret.
 * @param object - Secret
 * @param old - stored on update
 */
export function validateSecret(object: JsonMap, old?: JsonMap): FieldError[] {
  const type = textOf(object['type'])
  const data = mapOf(object['data'])
  const errors: FieldError[] = old === undefined ? [] : [...immutableErrors(type, textOf(old['type']), 'type')]
  if (old?.['immutable'] === true) errors.push(...frozenErrors(object, old, ['data']))
  let size = 0
  for (const [key, value] of Object.entries(data).sort()) {
    size += Buffer.byteLength(String(value), 'base64')
    errors.push(...configKeyProblems(key).map((problem) => invalidError(indexPath('data', key), key, problem)))
  }
  if (size > MAX_DATA_BYTES) errors.push(tooLongError('data', MAX_DATA_BYTES))
  if (type === 'kubernetes.io/service-account-token') {
    const key = 'kubernetes.io/service-account.name'
    const account = textAt(mapOf(mapOf(object['metadata'])['annotations']), key)
    if (account === '') errors.push(requiredError(indexPath('metadata.annotations', key)))
  }
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined) {
    errors.push(requiredError('data[username]'), requiredError('data[password]'))
  }
  return [...errors, ...(SECRET_KEYS[type] ?? []).flatMap((key) => secretKeyErrors(data, key))]
}

function secretKeyErrors(data: JsonMap, key: string): FieldError[] {
  const at = indexPath('data', key)
  const value = data[key]
  if (value === undefined) return [requiredError(at)]
  if (!key.startsWith('.docker')) return []
  const problem = jsonProblem(Buffer.from(String(value), 'base64').toString('utf8'))
  return problem === undefined ? [] : [invalidError(at, '<secret contents redacted>', problem)]
}

const LITERALS: readonly string[] = ['null', 'true', 'false']

/** The first fault of a JSON text in the words of encoding/json. */
function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  const start = text.trimStart()
  if (start === '') return 'unexpected end of JSON input'
  const literal = LITERALS.find((word) => word.charAt(0) === start.charAt(0))
  if (literal !== undefined) {
    const at = [...literal].findIndex((char, index) => start.charAt(index) !== char)
    if (at > 0 && start.length > at) {
      return `invalid character '${start.charAt(at)}' in literal ${literal} (expecting '${literal.charAt(at)}')`
    }
  }
  return `invalid character '${start.charAt(0)}' looking for beginning of value`
}

/**
 * Validates Endpoints.
 * @param object - Endpoints
 * @param old - stored on update: what is the same there was validated when it came
 */
export function validateEndpoints(object: JsonMap, old: JsonMap = {}): Findings {
  const before = mapsOf(old['subsets'])
  return errorsOfEach(mapsOf(object['subsets']), (subset, index) => {
    if (subset === before[index]) return NO_ERRORS
    const at = indexPath('subsets', index)
    const addresses = mapsOf(subset['addresses'])
    const others = mapsOf(subset['notReadyAddresses'])
    const isEmpty = addresses.length === 0 && others.length === 0
    return joined(
      isEmpty ? [requiredError(at, 'must specify `addresses` or `notReadyAddresses`')] : NO_ERRORS,
      addressListErrors(addresses, `${at}.addresses`),
      addressListErrors(others, `${at}.notReadyAddresses`),
      endpointPortErrors(mapsOf(subset['ports']), `${at}.ports`)
    )
  })
}

function addressListErrors(addresses: readonly JsonMap[], path: string): Findings {
  return errorsOfEach(addresses, ({ ip }, index) =>
    isSoundAddress(ip) ? NO_ERRORS : addressErrors(ip, `${indexPath(path, index)}.ip`)
  )
}

function endpointPortErrors(ports: readonly JsonMap[], path: string): Findings {
  return errorsOfEach(ports, (port, index) => {
    const at = indexPath(path, index)
    const number = Number(port['port'] ?? 0)
    return joined(
      ports.length > 1 && textOf(port['name']) === '' ? [requiredError(`${at}.name`)] : NO_ERRORS,
      problemErrors(`${at}.port`, number, portNumberProblems(number)),
      enumErrors(port['protocol'], PROTOCOLS, `${at}.protocol`)
    )
  })
}

const ADDRESS_RULE = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'

function isSoundAddress(address: unknown): boolean {
  return typeof address === 'string' && isAddress(address) && !isLoopback(address)
}

function addressErrors(address: unknown, path: string): Findings {
  const ip = typeof address === 'string' ? address : ''
  if (!isAddress(ip)) return [invalidError(path, ip, ADDRESS_RULE)]
  return isLoopback(ip)
    ? [invalidError(path, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')]
    : NO_ERRORS
}

const ADDRESS_TYPES: readonly string[] = ['FQDN', 'IPv4', 'IPv6']

/**
 * Validates an EndpointSlice.
 * @param object - EndpointSlice
 * @param old - stored on update
 */
export function validateEndpointSlice(object: JsonMap, old?: JsonMap): Findings {
  const type = textOf(object['addressType'])
  const isSameType = old !== undefined && type === textOf(old['addressType'])
  // What is the same as stored was validated when it came.
  const before = mapsOf((isSameType ? old : {})['endpoints'])
  const errors = joined(
    enumErrors(type, ADDRESS_TYPES, 'addressType'),
    errorsOfEach(mapsOf(object['endpoints']), (endpoint, index) => {
      if (endpoint === before[index]) return NO_ERRORS
      const { addresses } = endpoint
      if (!Array.isArray(addresses) || addresses.length === 0)
        return [requiredError(`${indexPath('endpoints', index)}.addresses`, 'must contain at least 1 address')]
      if (type === 'FQDN' || addresses.every(isSoundAddress)) return NO_ERRORS
      const at = `${indexPath('endpoints', index)}.addresses`
      return errorsOfEach(addresses, (address, position) => addressErrors(String(address), indexPath(at, position)))
    })
  )
  if (old === undefined || isSameType) return errors
  // A slice whose family changed is refused for that alone.
  return immutableErrors(type, textOf(old['addressType']), 'addressType')
}

/**
 * Validates a Lease.
 * @param object - Lease
 */
export function validateLease(object: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const errors: FieldError[] = []
  const duration = spec['leaseDurationSeconds']
  if (typeof duration === 'number' && duration <= 0) {
    errors.push(invalidError('spec.leaseDurationSeconds', duration, 'must be greater than 0'))
  }
  const transitions = spec['leaseTransitions']
  if (typeof transitions === 'number' && transitions < 0) {
    errors.push(invalidError('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'))
  }
  return errors
}

/**
 * Validates a RoleBinding or ClusterRoleBinding.
 * @param object - the binding
 * @param old - stored on update
 */
export function validateRoleBinding(object: JsonMap, old?: JsonMap): FieldError[] {
  const role = mapOf(object['roleRef'])
  const kinds = object['kind'] === 'ClusterRoleBinding' ? ['ClusterRole'] : ['ClusterRole', 'Role']
  const errors: FieldError[] = []
  if (!kinds.includes(textOf(role['kind']))) errors.push(notSupportedError('roleRef.kind', textOf(role['kind']), kinds))
  if (textOf(role['name']) === '') errors.push(requiredError('roleRef.name'))
  for (const [index, subject] of mapsOf(object['subjects']).entries()) {
    if (textOf(subject['name']) === '') errors.push(requiredError(`${indexPath('subjects', index)}.name`))
  }
  if (old !== undefined && !deepEqual(role, mapOf(old['roleRef']))) {
    errors.push(invalidError('roleRef', internalValue('RoleRef', role), 'cannot change roleRef'))
  }
  return errors
}

/**
 * Validates a PodDisruptionBudget.
 * @param object - PodDisruptionBudget
 */
export function validateDisruptionBudget(object: JsonMap): FieldError[] {
  const spec = mapOf(object['spec'])
  const { minAvailable, maxUnavailable } = spec
  const errors: FieldError[] = []
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(invalidError('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
  }
  for (const field of ['minAvailable', 'maxUnavailable'])
    errors.push(...intOrPercentErrors(spec[field], `spec.${field}`))
  if (spec['selector'] !== undefined) errors.push(...validateLabelSelector(mapOf(spec['selector']), 'spec.selector'))
  return errors
}

/**
 * Validates an Event of core/v1, or one of events.k8s.io/v1 in its core form.
 * @param object - Event
 * @param requestVersion - `v1` or `events.k8s.io/v1`
 */
export function validateEvent(object: JsonMap, requestVersion: string): FieldError[] {
  const namespace = textOf(mapOf(object['metadata'])['namespace'])
  const involved = textOf(mapOf(object['involvedObject'])['namespace'])
  const errors: FieldError[] = []
  const expected = involved === '' ? 'default' : involved
  if (namespace !== expected)
    errors.push(invalidError('involvedObject.namespace', involved, 'does not match event.namespace'))
  if (object['eventTime'] !== undefined) errors.push(...reporterErrors(object))
  if (requestVersion !== 'events.k8s.io/v1') return errors
  if (object['eventTime'] === undefined) errors.push(requiredError('eventTime'))
  const type = textOf(object['type'])
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalidError('type', '', `has invalid value: ${type}`))
  return errors
}

/** Events with a precise time must name their reporter. */
function reporterErrors(object: JsonMap): FieldError[] {
  const controller = textOf(object['reportingComponent']) || textOf(object['reportingController'])
  const errors =
    controller === ''
      ? [requiredError('reportingController')]
      : qualifiedNameProblems(controller).map((problem) => invalidError('reportingController', controller, problem))
  for (const field of ['reportingInstance', 'action', 'reason']) {
    if (textAt(object, field) === '') errors.push(requiredError(field))
  }
  return errors
}
