import type { KubeObject } from '../../kinds/index.ts'
import { keptOfFrozen } from '../../lib/memory/index.ts'
import type { DiscoveredPod } from '../../model/scrape/index.ts'

interface PodWithContainers extends KubeObject {
  readonly spec?: { readonly containers?: readonly { readonly name?: string }[] }
}

/** A world's pods as service discovery sees them: those with a proxy have its container. The same pod gives the same object. */
export function podDiscovery(): (pod: KubeObject) => DiscoveredPod {
  return keptOfFrozen(discovered)
}

function discovered(pod: KubeObject): DiscoveredPod {
  const { spec } = pod as PodWithContainers
  const containers = spec?.containers ?? []
  const meshed = pod.metadata.labels?.['linkerd.io/control-plane-ns'] !== undefined
  if (!meshed || containers.some((container) => container.name === 'linkerd-proxy')) return pod as DiscoveredPod
  const proxy = { name: 'linkerd-proxy', ports: [{ name: 'linkerd-admin', containerPort: 4191, protocol: 'TCP' }] }
  return { ...pod, spec: { ...spec, containers: [...containers, proxy] } } as DiscoveredPod
}
