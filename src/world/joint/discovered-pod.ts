import type { KubeObject } from '../../kinds/index.ts'
import type { DiscoveredPod } from '../../model/scrape/index.ts'

interface PodWithContainers extends KubeObject {
  readonly spec?: { readonly containers?: readonly { readonly name?: string }[] }
}

/** Stored pods do not change: what was made of one holds as long as it does. */
const seen = new WeakMap<KubeObject, DiscoveredPod>()

/** A stored pod as service discovery sees it: one with a proxy has its container. The same pod gives the same object. */
export function withProxyContainer(pod: KubeObject): DiscoveredPod {
  const known = seen.get(pod) ?? discovered(pod)
  seen.set(pod, known)
  return known
}

function discovered(pod: KubeObject): DiscoveredPod {
  const { spec } = pod as PodWithContainers
  const containers = spec?.containers ?? []
  const meshed = pod.metadata.labels?.['linkerd.io/control-plane-ns'] !== undefined
  if (!meshed || containers.some((container) => container.name === 'linkerd-proxy')) return pod as DiscoveredPod
  const proxy = { name: 'linkerd-proxy', ports: [{ name: 'linkerd-admin', containerPort: 4191, protocol: 'TCP' }] }
  return { ...pod, spec: { ...spec, containers: [...containers, proxy] } } as DiscoveredPod
}
