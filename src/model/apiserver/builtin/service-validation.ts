import {
  deepEqual,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  duplicateError,
  forbiddenError,
  indexPath,
  invalidError,
  notSupportedError,
  portNumberProblems,
  requiredError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { PROTOCOLS, validatePortReference } from './container-validation.ts'
import { mapAt, mapsAt, textAt } from './draft.ts'
import { validateLabels } from './meta-validation.ts'
import { internalValue } from './pod-spec-text.ts'
import { enumErrors } from './selector-validation.ts'

const TYPES: readonly string[] = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']

/**
 * Validates a Service (core/v1 `ValidateService`).
 * @param object - Service, defaulted
 * @param old - stored on update
 */
export function validateService(object: JsonMap, old?: JsonMap): FieldError[] {
  const spec = mapAt(object, 'spec')
  const update = old === undefined ? [] : clusterAddressErrors(spec, mapAt(old, 'spec'))
  return [...update, ...serviceSpecErrors(spec)]
}

function isHeadless(spec: JsonMap): boolean {
  return spec['clusterIP'] === 'None'
}

function serviceSpecErrors(spec: JsonMap): FieldError[] {
  const type = textAt(spec, 'type')
  const ports = mapsAt(spec, 'ports')
  const errors: FieldError[] = []
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(requiredError('spec.ports'))
  if (type === 'LoadBalancer' && isHeadless(spec)) {
    errors.push(invalidError('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"))
  }
  if (type === 'ExternalName') errors.push(...externalNameErrors(spec))
  errors.push(...portErrors(ports, isHeadless(spec)))
  errors.push(...validateLabels(mapAt(spec, 'selector'), 'spec.selector'))
  errors.push(...enumErrors(spec['sessionAffinity'], ['ClientIP', 'None'], 'spec.sessionAffinity'))
  if (type === '') errors.push(requiredError('spec.type'))
  else if (!TYPES.includes(type)) errors.push(notSupportedError('spec.type', type, TYPES))
  return [...errors, ...duplicatePortErrors(ports), ...clusterAddressShapeErrors(spec)]
}

function externalNameErrors(spec: JsonMap): FieldError[] {
  const name = textAt(spec, 'externalName').replace(/\.$/, '')
  if (name === '') return [requiredError('spec.externalName')]
  return dns1123SubdomainProblems(name).map((problem) =>
    invalidError('spec.externalName', textAt(spec, 'externalName'), problem)
  )
}

function portErrors(ports: readonly JsonMap[], headless: boolean): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap((port, index) => {
    const at = indexPath('spec.ports', index)
    const name = textAt(port, 'name')
    const number = Number(port['port'] ?? 0)
    const errors: FieldError[] = []
    if (name === '' && ports.length > 1) errors.push(requiredError(`${at}.name`))
    else if (name !== '') {
      errors.push(...dns1123LabelProblems(name).map((problem) => invalidError(`${at}.name`, name, problem)))
      if (names.has(name)) errors.push(duplicateError(`${at}.name`, name))
      names.add(name)
    }
    errors.push(...portNumberProblems(number).map((problem) => invalidError(`${at}.port`, number, problem)))
    errors.push(...enumErrors(port['protocol'], PROTOCOLS, `${at}.protocol`))
    errors.push(...validatePortReference(port['targetPort'] ?? 0, `${at}.targetPort`))
    if (headless && typeof port['nodePort'] === 'number' && port['nodePort'] !== 0) {
      errors.push(invalidError(`${at}.nodePort`, port['nodePort'], 'may not be used when `type` is ClusterIP'))
    }
    return errors
  })
}

function duplicatePortErrors(ports: readonly JsonMap[]): FieldError[] {
  const seen = new Set<string>()
  return ports.flatMap((port, index) => {
    const key = `${String(port['protocol'])}/${String(port['port'])}`
    const repeated = seen.has(key)
    seen.add(key)
    if (!repeated) return []
    const { protocol, port: number } = port
    return [duplicateError(indexPath('spec.ports', index), internalValue('ServicePort', { protocol, port: number }))]
  })
}

function addressesOf(spec: JsonMap): unknown[] {
  const list = spec['clusterIPs']
  return Array.isArray(list) ? list : []
}

/** The list and the single field must agree (a copy of a Service that clears only `clusterIP` is refused here). */
function clusterAddressShapeErrors(spec: JsonMap): FieldError[] {
  const list = addressesOf(spec)
  const single = textAt(spec, 'clusterIP')
  if (textAt(spec, 'type') === 'ExternalName') {
    return list.length === 0 ? [] : [forbiddenError('spec.clusterIPs', 'may not be set when `type` is ExternalName')]
  }
  if (single === '') {
    return list.length === 0
      ? []
      : [invalidError('spec.clusterIPs', list, 'must be empty when `clusterIP` is not specified')]
  }
  if (list.length === 0) return [requiredError('spec.clusterIPs')]
  return list[0] === single ? [] : [invalidError('spec.clusterIPs', list, 'first value must match `clusterIP`')]
}

/** Addresses are chosen once; only a Service that becomes an ExternalName gives them up. */
function clusterAddressErrors(spec: JsonMap, before: JsonMap): FieldError[] {
  if (textAt(spec, 'type') === 'ExternalName' || textAt(before, 'type') === 'ExternalName') return []
  const old = addressesOf(before)[0] ?? before['clusterIP']
  if (old === undefined || old === '') return []
  const list = addressesOf(spec)
  const next = list[0] ?? spec['clusterIP']
  if (next === undefined)
    return [invalidError('spec.clusterIPs[0]', list.length === 0 ? null : list, 'primary clusterIP can not be unset')]
  return deepEqual(next, old)
    ? []
    : [invalidError('spec.clusterIPs[0]', list.length === 0 ? [next] : list, 'may not change once set')]
}
