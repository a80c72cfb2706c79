import type { JsonMap } from '../../../lib/apimachinery/index.ts'
import { textOf } from './draft.ts'

/**
 * Member of a map as a list of texts; empty where there is none.
 * @param map - parent
 * @param key - name of the member
 */
export function textsAt(map: JsonMap, key: string): readonly string[] {
  const list = map[key]
  return Array.isArray(list) ? list.map(String) : []
}

/**
 * Whether a Service has no address of its own.
 * @param spec - of the Service
 */
export function isHeadless(spec: JsonMap): boolean {
  const addresses = textsAt(spec, 'clusterIPs')
  return addresses.length === 1 && addresses[0] === 'None'
}

/**
 * Whether a Service can be reached from outside (apis/core `ExternallyAccessible`).
 * @param spec - of the Service
 */
export function isExternallyAccessible(spec: JsonMap): boolean {
  const type = textOf(spec['type'])
  if (type === 'LoadBalancer' || type === 'NodePort') return true
  return type === 'ClusterIP' && textsAt(spec, 'externalIPs').length > 0
}

/**
 * Whether a Service has node ports.
 * @param spec - of the Service
 */
export function hasNodePorts(spec: JsonMap): boolean {
  return textOf(spec['type']) === 'NodePort' || textOf(spec['type']) === 'LoadBalancer'
}

/**
 * Whether a load balancer asks each node for its health.
 * @param spec - of the Service
 */
export function needsHealthCheck(spec: JsonMap): boolean {
  return textOf(spec['type']) === 'LoadBalancer' && textOf(spec['externalTrafficPolicy']) === 'Local'
}
