import { deepEqual, type JsonMap } from '../../../lib/apimachinery/index.ts'
import { mapsOf, textOf, withoutMember } from './draft.ts'
import { hasNodePorts, isExternallyAccessible, needsHealthCheck } from './service-shapes.ts'

/**
 * Drops what the new type of a Service has no use for and the client did not touch (registry/core/service `dropTypeDependentFields`).
 * @param spec - of the update
 * @param before - stored
 */
export function withoutForeignFields(spec: JsonMap, before: JsonMap): JsonMap {
  let next = spec
  const same = (...fields: readonly string[]): boolean =>
    fields.every((field) => deepEqual(spec[field] ?? null, before[field] ?? null))
  const drop = (...fields: readonly string[]): void => {
    for (const field of fields) next = withoutMember(next, field)
  }
  if (textOf(before['type']) !== 'ExternalName' && textOf(spec['type']) === 'ExternalName') {
    if (same('clusterIP', 'clusterIPs')) drop('clusterIP', 'clusterIPs')
    for (const field of ['ipFamilies', 'ipFamilyPolicy']) if (same(field)) drop(field)
  }
  if (hasNodePorts(before) && !hasNodePorts(spec)) next = withoutKnownNodePorts(next, before)
  if (needsHealthCheck(before) && !needsHealthCheck(spec) && same('healthCheckNodePort')) drop('healthCheckNodePort')
  if (textOf(before['type']) === 'LoadBalancer' && textOf(spec['type']) !== 'LoadBalancer') {
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass']) if (same(field)) drop(field)
  }
  if (isExternallyAccessible(before) && !isExternallyAccessible(spec) && same('externalTrafficPolicy'))
    drop('externalTrafficPolicy')
  return next
}

function withoutKnownNodePorts(spec: JsonMap, before: JsonMap): JsonMap {
  const known = new Set(mapsOf(before['ports']).map((port) => port['nodePort']))
  const ports = mapsOf(spec['ports'])
  if (ports.some((port) => port['nodePort'] !== undefined && !known.has(port['nodePort']))) return spec
  return spec['ports'] === undefined ? spec : { ...spec, ports: ports.map((port) => withoutMember(port, 'nodePort')) }
}
