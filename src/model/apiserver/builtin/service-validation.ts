import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  duplicateError,
  forbiddenError,
  indexPath,
  invalidError,
  notSupportedError,
  portNumberProblems,
  qualifiedNameProblems,
  requiredError,
  type FieldError,
  type JsonMap
} from '../../../lib/apimachinery/index.ts'
import { PROTOCOLS, validatePortReference } from './container-validation.ts'
import { mapOf, mapsOf, textOf } from './draft.ts'
import { errorsOfEach, joined, NO_ERRORS, problemErrors, type Findings } from './findings.ts'
import { cidrErrors, endpointAddressErrors, legacyAddressErrors } from './ip-address.ts'
import { validateLabels } from './meta-validation.ts'
import { internalValue } from './pod-spec-text.ts'
import { enumErrors } from './selector-validation.ts'
import { addressChangeErrors, familyChangeErrors, serviceAddressErrors } from './service-address-validation.ts'
import { isExternallyAccessible, isHeadless, needsHealthCheck, textsAt } from './service-shapes.ts'

const TYPES: readonly string[] = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const POLICIES: readonly string[] = ['Cluster', 'Local']
/** Longest affinity to a client, seconds. */
const AFFINITY_SECONDS_MAX = 86_400
const HINTS = 'service.kubernetes.io/topology-aware-hints'
const TOPOLOGY_MODE = 'service.kubernetes.io/topology-mode'
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"

/**
 * Validates a Service (core/v1 `ValidateService` of 1.36).
 * @param object - Service with defaults and allocated values
 * @param old - stored on update
 */
export function validateService(object: JsonMap, old?: JsonMap): Findings {
  const spec = mapOf(object['spec'])
  const before = old === undefined ? undefined : mapOf(old['spec'])
  return joined(
    before === undefined ? NO_ERRORS : changeErrors(spec, before),
    topologyErrors(mapOf(mapOf(object['metadata'])['annotations'])),
    shapeErrors(spec),
    portErrors(mapsOf(spec['ports'])),
    validateLabels(spec['selector'], 'spec.selector'),
    affinityErrors(spec),
    serviceAddressErrors(spec, before),
    externalAddressErrors(spec, before),
    enumErrors(spec['type'], TYPES, 'spec.type'),
    portSetErrors(spec),
    sourceRangeErrors(object, old),
    balancerErrors(spec),
    externalPolicyErrors(spec),
    internalPolicyErrors(spec)
  )
}

function changeErrors(spec: JsonMap, before: JsonMap): FieldError[] {
  const errors = [...addressChangeErrors(spec, before), ...familyChangeErrors(spec, before)]
  const bothBalance = isBalancer(spec) && isBalancer(before)
  if (bothBalance && spec['loadBalancerClass'] !== before['loadBalancerClass'])
    errors.push(invalidError('spec.loadBalancerClass', spec['loadBalancerClass'], 'may not change once set'))
  errors.push(...balancerClassErrors(spec))
  const bothCheck = needsHealthCheck(spec) && needsHealthCheck(before)
  if (bothCheck && spec['healthCheckNodePort'] !== before['healthCheckNodePort'])
    errors.push(forbiddenError('spec.healthCheckNodePort', 'field is immutable'))
  return errors
}

function isBalancer(spec: JsonMap): boolean {
  return textOf(spec['type']) === 'LoadBalancer'
}

function topologyErrors(annotations: JsonMap): FieldError[] {
  const mode = annotations[TOPOLOGY_MODE]
  const hints = annotations[HINTS]
  if (mode === undefined || hints === undefined || mode === hints) return []
  const text = `must match annotations[${HINTS}] when both are specified`
  return [invalidError(indexPath('metadata.annotations', TOPOLOGY_MODE), mode, text)]
}

function shapeErrors(spec: JsonMap): FieldError[] {
  const type = textOf(spec['type'])
  const errors: FieldError[] = []
  if (mapsOf(spec['ports']).length === 0 && !isHeadless(spec) && type !== 'ExternalName')
    errors.push(requiredError('spec.ports'))
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec))
    errors.push(invalidError('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`))
  return type === 'ExternalName' ? [...errors, ...externalNameErrors(spec)] : errors
}

function externalNameErrors(spec: JsonMap): FieldError[] {
  const foreign = ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy']
  const errors = foreign
    .filter((field) => (field === 'ipFamilyPolicy' ? spec[field] !== undefined : textsAt(spec, field).length > 0))
    .map((field) => forbiddenError(`spec.${field}`, 'may not be set for ExternalName services'))
  const name = textOf(spec['externalName']).replace(/\.$/, '')
  if (name === '') return [...errors, requiredError('spec.externalName')]
  return [
    ...errors,
    ...dns1123SubdomainProblems(name).map((problem) => invalidError('spec.externalName', name, problem))
  ]
}

function portErrors(ports: readonly JsonMap[]): Findings {
  return errorsOfEach(ports, (port, index) => {
    const at = indexPath('spec.ports', index)
    const { appProtocol } = port
    const number = Number(port['port'] ?? 0)
    return joined(
      portNameErrors(ports, index, `${at}.name`),
      problemErrors(`${at}.port`, number, portNumberProblems(number)),
      enumErrors(port['protocol'], PROTOCOLS, `${at}.protocol`),
      validatePortReference(port['targetPort'] ?? 0, `${at}.targetPort`),
      typeof appProtocol === 'string'
        ? problemErrors(`${at}.appProtocol`, appProtocol, qualifiedNameProblems(appProtocol))
        : NO_ERRORS
    )
  })
}

function portNameErrors(ports: readonly JsonMap[], index: number, path: string): Findings {
  const name = textOf((ports[index] ?? {})['name'])
  if (name === '') return ports.length > 1 ? [requiredError(path)] : NO_ERRORS
  const isRepeated = ports.findIndex((other) => other['name'] === name) < index
  return joined(
    problemErrors(path, name, dns1123LabelProblems(name)),
    isRepeated ? [duplicateError(path, name)] : NO_ERRORS
  )
}

const AFFINITIES: readonly string[] = ['ClientIP', 'None']

function affinityErrors(spec: JsonMap): Findings {
  const affinity = spec['sessionAffinity']
  const errors = [...enumErrors(affinity, AFFINITIES, 'spec.sessionAffinity')]
  const path = 'spec.sessionAffinityConfig'
  const config = spec['sessionAffinityConfig']
  if (affinity === 'None' && config !== undefined)
    errors.push(forbiddenError(path, 'must not be set when session affinity is None'))
  if (affinity !== 'ClientIP') return errors
  const seconds = Number(mapOf(mapOf(spec['sessionAffinityConfig'])['clientIP'])['timeoutSeconds'] ?? 0)
  if (seconds > 0 && seconds <= AFFINITY_SECONDS_MAX) return errors
  const text = `must be greater than 0 and less than ${AFFINITY_SECONDS_MAX}`
  return [...errors, invalidError(`${path}.clientIP.timeoutSeconds`, seconds, text)]
}

function externalAddressErrors(spec: JsonMap, before: JsonMap | undefined): FieldError[] {
  const kept = before === undefined ? [] : textsAt(before, 'externalIPs')
  return textsAt(spec, 'externalIPs').flatMap((address, index) => {
    const at = indexPath('spec.externalIPs', index)
    const errors = legacyAddressErrors(address, at, kept)
    return errors.length > 0 ? errors : endpointAddressErrors(address, at)
  })
}

/** Node ports where there may be none, and ports that stand twice. */
function portSetErrors(spec: JsonMap): FieldError[] {
  const ports = mapsOf(spec['ports'])
  const places = ports.map((_port, index) => indexPath('spec.ports', index))
  const hasNodePort = (port: JsonMap): boolean => port['nodePort'] !== undefined && port['nodePort'] !== 0
  const errors: FieldError[] = []
  const note = (index: number, error: FieldError | undefined): void => {
    if (index >= 0 && error !== undefined) errors.push(error)
  }
  const seen = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const unwanted = textOf(spec['type']) === 'ClusterIP' && hasNodePort(port)
    const text = "may not be used when `type` is 'ClusterIP'"
    note(index, unwanted ? forbiddenError(`${places[index] ?? ''}.nodePort`, text) : undefined)
  }
  for (const [index, port] of ports.entries()) {
    const key = `node ${String(port['protocol'])}/${String(port['nodePort'])}`
    if (!hasNodePort(port)) continue
    note(index, seen.has(key) ? duplicateError(`${places[index] ?? ''}.nodePort`, port['nodePort']) : undefined)
    seen.add(key)
  }
  for (const [index, { protocol, port }] of ports.entries()) {
    const key = `${String(protocol)}/${String(port)}`
    const value = (): FieldError =>
      duplicateError(places[index] ?? '', internalValue('ServicePort', { protocol, port }))
    note(index, seen.has(key) ? value() : undefined)
    seen.add(key)
  }
  return errors
}

/** The field's name is written large in these messages. */
function sourceRangeErrors(object: JsonMap, old: JsonMap | undefined): FieldError[] {
  const spec = mapOf(object['spec'])
  const ranges = textsAt(spec, 'loadBalancerSourceRanges')
  if (ranges.length === 0) return annotatedRangeErrors(object, old)
  const path = 'spec.LoadBalancerSourceRanges'
  const kept = old === undefined ? [] : textsAt(mapOf(old['spec']), 'loadBalancerSourceRanges')
  const trimmed = kept.map((range) => range.trim())
  return [
    ...(isBalancer(spec) ? [] : [forbiddenError(path, ONLY_BALANCER)]),
    ...ranges.flatMap((range, index) => cidrErrors(range.trim(), indexPath(path, index), trimmed))
  ]
}

function annotatedRangeErrors(object: JsonMap, old: JsonMap | undefined): FieldError[] {
  const valueOf = (map: JsonMap): unknown => mapOf(mapOf(map['metadata'])['annotations'])[SOURCE_RANGES]
  const value = valueOf(object)
  if (typeof value !== 'string') return []
  const path = indexPath('metadata.annotations', SOURCE_RANGES)
  const errors = isBalancer(mapOf(object['spec'])) ? [] : [forbiddenError(path, ONLY_BALANCER)]
  if ((old !== undefined && valueOf(old) === value) || value.trim() === '') return errors
  return [...errors, ...value.split(',').flatMap((range) => cidrErrors(range.trim(), path, []))]
}

function balancerErrors(spec: JsonMap): FieldError[] {
  const errors: FieldError[] = []
  const allocate = spec['allocateLoadBalancerNodePorts']
  if (allocate !== undefined && !isBalancer(spec))
    errors.push(forbiddenError('spec.allocateLoadBalancerNodePorts', ONLY_BALANCER))
  if (allocate === undefined && isBalancer(spec)) errors.push(requiredError('allocateLoadBalancerNodePorts'))
  return [...errors, ...balancerClassErrors(spec)]
}

function balancerClassErrors(spec: JsonMap): FieldError[] {
  const name = spec['loadBalancerClass']
  if (typeof name !== 'string') return []
  if (!isBalancer(spec)) return [forbiddenError('spec.loadBalancerClass', ONLY_BALANCER)]
  return qualifiedNameProblems(name).map((problem) => invalidError('spec.loadBalancerClass', name, problem))
}

function externalPolicyErrors(spec: JsonMap): FieldError[] {
  const path = 'spec.externalTrafficPolicy'
  const policy = textOf(spec['externalTrafficPolicy'])
  const errors: FieldError[] = []
  if (isExternallyAccessible(spec)) errors.push(...enumErrors(policy, POLICIES, path))
  else if (policy !== '') errors.push(invalidError(path, policy, 'may only be set for externally-accessible services'))
  const port = Number(spec['healthCheckNodePort'] ?? 0)
  const portPath = 'spec.healthCheckNodePort'
  if (needsHealthCheck(spec)) {
    if (port === 0) return [...errors, requiredError(portPath)]
    return [...errors, ...portNumberProblems(port).map((problem) => invalidError(portPath, port, problem))]
  }
  if (port === 0) return errors
  const text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
  return [...errors, invalidError(portPath, port, text)]
}

const DISTRIBUTIONS: readonly string[] = ['PreferClose', 'PreferSameZone', 'PreferSameNode']

function internalPolicyErrors(spec: JsonMap): FieldError[] {
  const path = 'spec.internalTrafficPolicy'
  const policy = spec['internalTrafficPolicy']
  const errors: FieldError[] = []
  if (policy === undefined) {
    if (['ClusterIP', 'LoadBalancer', 'NodePort'].includes(textOf(spec['type']))) errors.push(requiredError(path))
  } else if (!POLICIES.includes(String(policy))) errors.push(notSupportedError(path, policy, POLICIES))
  const distribution = spec['trafficDistribution']
  if (distribution !== undefined && !DISTRIBUTIONS.includes(String(distribution)))
    errors.push(notSupportedError('spec.trafficDistribution', distribution, DISTRIBUTIONS))
  return errors
}
