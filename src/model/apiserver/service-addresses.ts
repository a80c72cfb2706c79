import { internalErrorStatus, invalidError, isIpv6, isJsonMap, type FieldError } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { Core } from './core.ts'
import { hasNodePorts, needsHealthCheck, serviceAddressErrors } from './builtin/index.ts'
import { plainFailure, refuse, refuseInvalid } from './refusal.ts'

interface ServicePort extends Record<string, unknown> {
  name?: string
  protocol?: string
  port: number
  nodePort?: number
}

interface ServiceSpec extends Record<string, unknown> {
  type?: string
  clusterIP?: string
  clusterIPs?: string[]
  ports?: ServicePort[]
  ipFamilies?: string[]
  ipFamilyPolicy?: string
  allocateLoadBalancerNodePorts?: boolean
  healthCheckNodePort?: number
  selector?: Record<string, string>
}

const NODE_PORT_FIRST = 30_000
const NODE_PORT_LAST = 32_767
const TRIES = 64

function specOf(object: KubeObject | undefined): ServiceSpec {
  return isJsonMap(object?.spec) ? object.spec : {}
}

/**
 * Completes the linked fields of a Service and gives it addresses and ports, before it is validated (registry/core/service/storage,
 * of a cluster with one IPv4 range).
 * @param core - the server
 * @param object - candidate with defaults
 * @param existing - stored Service; undefined on creation
 */
export function allocateService(core: Core, object: KubeObject, existing: KubeObject | undefined): KubeObject {
  const spec: ServiceSpec = { ...specOf(object) }
  const before = existing === undefined ? undefined : specOf(existing)
  if (before !== undefined) keepAllocated(spec, before)
  linkAddresses(spec, before)
  const refuse = (errors: readonly FieldError[]): void =>
    refuseInvalid({ group: '', name: 'Service' }, object.metadata.name, errors)
  const allocation: Allocation = { core, object, spec, before, refuse }
  if (spec.type !== 'ExternalName') {
    initializeFamilies(allocation)
    allocateClusterIp(allocation)
  }
  if (hasNodePorts(spec)) allocateNodePorts(allocation)
  if (needsHealthCheck(spec) && (before === undefined || !needsHealthCheck(before))) allocateCheckPort(allocation)
  return { ...object, spec }
}

interface Allocation {
  readonly core: Core
  readonly object: KubeObject
  readonly spec: ServiceSpec
  readonly before: ServiceSpec | undefined
  readonly refuse: (errors: readonly FieldError[]) => void
}

/** Clients that leave out allocated values do not lose them. */
function keepAllocated(spec: ServiceSpec, before: ServiceSpec): void {
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    if (isUnset(spec.clusterIP) && before.clusterIP !== undefined) spec.clusterIP = before.clusterIP
    if ((spec.clusterIPs ?? []).length === 0 && before.clusterIPs !== undefined) spec.clusterIPs = before.clusterIPs
  }
  if (hasNodePorts(spec) && hasNodePorts(before)) keepNodePorts(spec, before)
  if (needsHealthCheck(spec) && needsHealthCheck(before) && isUnset(spec.healthCheckNodePort))
    spec.healthCheckNodePort = before.healthCheckNodePort ?? 0
}

function isUnset(value: string | number | undefined): boolean {
  return value === undefined || value === '' || value === 0
}

/** By name of the port, unless another port has it. */
function keepNodePorts(spec: ServiceSpec, before: ServiceSpec): void {
  const old = new Map((before.ports ?? []).map((port) => [port.name ?? '', port.nodePort]))
  const taken = new Set((spec.ports ?? []).map((port) => port.nodePort))
  if (spec.ports === undefined) return
  spec.ports = spec.ports.map((port) => {
    const kept = old.get(port.name ?? '')
    return !isUnset(port.nodePort) || kept === undefined || taken.has(kept) ? port : { ...port, nodePort: kept }
  })
}

/** Clients that know only `clusterIP` mean the list, too. */
function linkAddresses(spec: ServiceSpec, before: ServiceSpec | undefined): void {
  const { clusterIP = '', clusterIPs = [] } = spec
  if (before === undefined) {
    if (clusterIP !== '' && clusterIPs.length === 0) spec.clusterIPs = [clusterIP]
    return
  }
  const old = before.clusterIPs ?? []
  if (old.length > 0 && clusterIPs.length === 0 && clusterIP === (before.clusterIP ?? '')) spec.clusterIPs = old
  if (clusterIP === (before.clusterIP ?? '') || !sameTexts(spec.clusterIPs ?? [], old)) return
  if (clusterIP === '') delete spec.clusterIPs
  else spec.clusterIPs = [clusterIP]
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index])
}

const POLICY = 'spec.ipFamilyPolicy'

function initializeFamilies({ spec, before, refuse }: Allocation): void {
  const isBare = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilies ??= []
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (isBare ? 'RequireDualStack' : 'SingleStack')
  refuse(serviceAddressErrors(spec, before))
  const errors: FieldError[] = []
  const { clusterIPs = [], ipFamilyPolicy: policy } = spec
  const families = [...(spec.ipFamilies ?? [])]
  if (policy === 'SingleStack') {
    const text = (what: string): string =>
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`
    if (clusterIPs.length === 2) errors.push(invalidError(POLICY, policy, text('cluster IPs')))
    if (families.length === 2) errors.push(invalidError(POLICY, policy, text('IP families')))
  }
  for (const [index, address] of clusterIPs.entries()) {
    if (address === 'None') break
    if (index < families.length) continue
    if (isIpv6(address)) {
      const text = 'IPv6 is not configured on this cluster'
      errors.push(invalidError(`spec.clusterIPs[${index}]`, clusterIPs, text))
    } else families.push('IPv4')
  }
  refuse(errors)
  if (isBare) {
    if (families.length === 0) families.push('IPv4')
    if (families.length < 2 && policy !== 'SingleStack') families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4')
  } else refuse(unconfiguredErrors(policy, families))
  spec.ipFamilies = families.length === 0 ? ['IPv4'] : families
}

function unconfiguredErrors(policy: string, families: readonly string[]): FieldError[] {
  const text = 'this cluster is not configured for dual-stack services'
  return [
    ...(policy === 'RequireDualStack' ? [invalidError(POLICY, policy, text)] : []),
    ...families.flatMap((family, index) =>
      family === 'IPv4' ? [] : [invalidError(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster')]
    )
  ]
}

function allocateClusterIp({ core, spec, before, refuse }: Allocation): void {
  const isKept = before !== undefined && before.type !== 'ExternalName'
  if (spec.clusterIP === 'None' || isKept) return
  if (isUnset(spec.clusterIP)) spec.clusterIP = freeClusterIp(core)
  else refuse(clusterIpErrors(core, spec.clusterIP ?? ''))
  spec.clusterIPs = [spec.clusterIP ?? '']
}

function usedClusterIps(core: Core): Set<string> {
  return new Set(core.store.list('', 'services').map((service) => specOf(service).clusterIP ?? ''))
}

interface Range {
  readonly base: number
  readonly size: number
}

function rangeOf(cidr: string): Range {
  const [address = '', length = '16'] = cidr.split('/')
  return { base: ipNumber(address), size: 2 ** (32 - Number(length)) }
}

function ipNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function ipText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

function freeClusterIp(core: Core): string {
  const { base, size } = rangeOf(core.serviceCidr)
  const used = usedClusterIps(core)
  for (let tries = 0; tries < TRIES; tries++) {
    const candidate = ipText(base + 1 + core.random.integer(size - 2))
    if (!used.has(candidate)) return candidate
  }
  for (let offset = 1; offset < size - 1; offset++) {
    const candidate = ipText(base + offset)
    if (!used.has(candidate)) return candidate
  }
  return ''
}

function clusterIpErrors(core: Core, address: string): FieldError[] {
  const { base, size } = rangeOf(core.serviceCidr)
  const value = ipNumber(address)
  const failed = (why: string): FieldError[] => [
    invalidError('spec.clusterIPs', [address], `failed to allocate IP ${address}: ${why}`)
  ]
  if (!(value > base && value < base + size)) return failed('the provided network does not match the current range')
  return usedClusterIps(core).has(address) ? failed('provided IP is already allocated') : []
}

function allocateNodePorts(allocation: Allocation): void {
  const { core, object, spec, before } = allocation
  if (spec.ports === undefined) return
  const used = usedNodePorts(core, object)
  const own = new Set((before?.ports ?? []).map((port) => port.nodePort ?? 0))
  const isAutomatic = spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false
  const byPort = new Map<number, number>()
  const taken = new Set<string>()
  spec.ports = spec.ports.map((port, index) => {
    const wanted = port.nodePort ?? 0
    if (wanted === 0 && !isAutomatic) return port
    const shared = before === undefined ? (byPort.get(port.port) ?? requestedNodePort(spec, port.port)) : 0
    const chosen = wanted === 0 ? shared : wanted
    const isFresh = chosen !== 0 && !own.has(chosen) && ![...byPort.values()].includes(chosen)
    if (isFresh) allocation.refuse(nodePortErrors(chosen, index, used))
    const nodePort = chosen === 0 ? freeNodePort(core, used) : chosen
    if (before !== undefined) refuseRepeated(`${port.protocol ?? ''} ${nodePort}`, taken)
    byPort.set(port.port, nodePort)
    used.add(nodePort)
    return { ...port, nodePort }
  })
}

/** Ports of the same number share a node port that one of them asks for. */
function requestedNodePort(spec: ServiceSpec, number: number): number {
  return spec.ports?.find((port) => port.port === number && !isUnset(port.nodePort))?.nodePort ?? 0
}

function refuseRepeated(key: string, taken: Set<string>): void {
  if (taken.has(key)) refuse(plainFailure(`duplicate nodePort: {${key}}`))
  taken.add(key)
}

function usedNodePorts(core: Core, object: KubeObject): Set<number> {
  const used = new Set<number>()
  for (const service of core.store.list('', 'services')) {
    if (service.metadata.uid === object.metadata.uid) continue
    const { ports = [], healthCheckNodePort } = specOf(service)
    for (const port of ports) if (port.nodePort !== undefined) used.add(port.nodePort)
    if (healthCheckNodePort !== undefined) used.add(healthCheckNodePort)
  }
  return used
}

function nodePortProblem(wanted: number, used: ReadonlySet<number>): string | undefined {
  if (wanted < NODE_PORT_FIRST || wanted > NODE_PORT_LAST)
    return `provided port is not in the valid range. The range of valid ports is ${NODE_PORT_FIRST}-${NODE_PORT_LAST}`
  return used.has(wanted) ? 'provided port is already allocated' : undefined
}

function nodePortErrors(wanted: number, index: number, used: ReadonlySet<number>): FieldError[] {
  const problem = nodePortProblem(wanted, used)
  return problem === undefined ? [] : [invalidError(`spec.ports[${index}].nodePort`, wanted, problem)]
}

function allocateCheckPort({ core, object, spec }: Allocation): void {
  const used = usedNodePorts(core, object)
  for (const port of spec.ports ?? []) used.add(port.nodePort ?? 0)
  const wanted = spec.healthCheckNodePort ?? 0
  const problem = wanted === 0 ? undefined : nodePortProblem(wanted, used)
  if (problem !== undefined)
    refuse(internalErrorStatus(`failed to allocate requested HealthCheck NodePort ${wanted}: ${problem}`))
  if (wanted === 0) spec.healthCheckNodePort = freeNodePort(core, used)
}

function freeNodePort(core: Core, used: ReadonlySet<number>): number {
  const size = NODE_PORT_LAST - NODE_PORT_FIRST + 1
  const start = core.random.integer(size)
  for (let offset = 0; offset < size; offset++) {
    const candidate = NODE_PORT_FIRST + ((start + offset) % size)
    if (!used.has(candidate)) return candidate
  }
  return 0
}
