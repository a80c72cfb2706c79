import { invalidError, isJsonMap, type FieldError } from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { Core } from './core.ts'
import { refuseInvalid } from './refusal.ts'

interface ServicePort extends Record<string, unknown> {
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
}

const NODE_PORT_FIRST = 30_000
const NODE_PORT_LAST = 32_767
const TRIES = 64

function specOf(object: KubeObject | undefined): ServiceSpec {
  return isJsonMap(object?.spec) ? object.spec : {}
}

/**
 * Gives a Service its cluster IP and node ports (registry/core/service/storage/alloc.go).
 * @param core - the server
 * @param object - validated candidate
 * @param existing - stored Service; undefined on creation
 */
export function allocateService(core: Core, object: KubeObject, existing: KubeObject | undefined): KubeObject {
  const spec: ServiceSpec = { ...specOf(object) }
  const before = specOf(existing)
  if (spec.type === 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[field]
    return { ...object, spec }
  }
  allocateClusterIp(core, object, spec, before)
  allocateNodePorts(core, object, spec)
  return { ...object, spec }
}

function allocateClusterIp(core: Core, object: KubeObject, spec: ServiceSpec, before: ServiceSpec): void {
  spec.ipFamilies ??= before.ipFamilies ?? ['IPv4']
  spec.ipFamilyPolicy ??= before.ipFamilyPolicy ?? 'SingleStack'
  if (spec.clusterIP === undefined || spec.clusterIP === '') {
    const kept = before.clusterIP
    spec.clusterIP = kept !== undefined && kept !== '' ? kept : freeClusterIp(core)
  } else if (spec.clusterIP !== 'None' && spec.clusterIP !== before.clusterIP) {
    checkClusterIp(core, object, spec.clusterIP)
  }
  spec.clusterIPs = [spec.clusterIP]
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

function checkClusterIp(core: Core, object: KubeObject, address: string): void {
  const { base, size } = rangeOf(core.serviceCidr)
  const value = ipNumber(address)
  const errors: FieldError[] = []
  const failed = (why: string): FieldError =>
    invalidError('spec.clusterIPs', [address], `failed to allocate IP ${address}: ${why}`)
  if (!(value > base && value < base + size))
    errors.push(failed('the provided network does not match the current range'))
  else if (usedClusterIps(core).has(address)) errors.push(failed('provided IP is already allocated'))
  refuseInvalid({ group: '', name: 'Service' }, object.metadata.name, errors)
}

function needsNodePorts(spec: ServiceSpec): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
}

function allocateNodePorts(core: Core, object: KubeObject, spec: ServiceSpec): void {
  if (spec.ports === undefined) return
  if (!needsNodePorts(spec)) return
  const used = usedNodePorts(core, object)
  spec.ports = spec.ports.map((port, index) => {
    const wanted = port.nodePort ?? 0
    if (wanted !== 0) checkNodePort(object, { wanted, index, used })
    const nodePort = wanted === 0 ? freeNodePort(core, used) : wanted
    used.add(nodePort)
    return { ...port, nodePort }
  })
}

function usedNodePorts(core: Core, object: KubeObject): Set<number> {
  const used = new Set<number>()
  for (const service of core.store.list('', 'services')) {
    if (service.metadata.uid === object.metadata.uid) continue
    for (const port of specOf(service).ports ?? []) if (port.nodePort !== undefined) used.add(port.nodePort)
  }
  return used
}

function checkNodePort(object: KubeObject, ask: { wanted: number; index: number; used: ReadonlySet<number> }): void {
  const { wanted, index, used } = ask
  const field = `spec.ports[${index}].nodePort`
  const range = `The range of valid ports is ${NODE_PORT_FIRST}-${NODE_PORT_LAST}`
  const errors: FieldError[] = []
  if (wanted < NODE_PORT_FIRST || wanted > NODE_PORT_LAST) {
    errors.push(invalidError(field, wanted, `provided port is not in the valid range. ${range}`))
  } else if (used.has(wanted)) errors.push(invalidError(field, wanted, 'provided port is already allocated'))
  refuseInvalid({ group: '', name: 'Service' }, object.metadata.name, errors)
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
