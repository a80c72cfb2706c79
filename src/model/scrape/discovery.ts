import type { LabelRecord } from './relabel.ts'

/** The parts of a Pod object that discovery reads. */
export interface DiscoveredPod {
  readonly metadata?: {
    readonly name?: string
    readonly namespace?: string
    readonly uid?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly {
      readonly kind?: string
      readonly name?: string
      readonly controller?: boolean
    }[]
  }
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly PodContainer[]
    readonly initContainers?: readonly PodContainer[]
  }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly hostIP?: string
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[]
  }
}

interface PodContainer {
  readonly name?: string
  readonly image?: string
  readonly ports?: readonly { readonly name?: string; readonly containerPort?: number; readonly protocol?: string }[]
}

const META = '__meta_kubernetes_'

/**
 * The label sets Prometheus discovers for a pod: one per container port, one per container without ports, none before
 * the pod has an address.
 * @see Prometheus discovery/kubernetes/pod.go, v2.55.1
 */
export function discoverPod(pod: DiscoveredPod): LabelRecord[] {
  const address = pod.status?.podIP
  if (address === undefined || address === '') return []
  const common = podLabels(pod, address)
  const found: LabelRecord[] = []
  const add = (container: PodContainer, init: boolean): void => {
    const own = { ...common, ...containerLabels(container, init) }
    if ((container.ports ?? []).length === 0) found.push({ ...own, __address__: address })
    for (const port of container.ports ?? []) {
      const number = String(port.containerPort ?? 0)
      found.push({
        ...own,
        __address__: `${address}:${number}`,
        [`${META}pod_container_port_name`]: port.name ?? '',
        [`${META}pod_container_port_number`]: number,
        [`${META}pod_container_port_protocol`]: port.protocol ?? 'TCP'
      })
    }
  }
  for (const container of pod.spec?.containers ?? []) add(container, false)
  for (const container of pod.spec?.initContainers ?? []) add(container, true)
  return found
}

function podLabels(pod: DiscoveredPod, address: string): Record<string, string> {
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status ?? 'unknown'
  const controller = pod.metadata?.ownerReferences?.find((owner) => owner.controller === true)
  const labels: Record<string, string> = {
    [`${META}namespace`]: pod.metadata?.namespace ?? '',
    [`${META}pod_name`]: pod.metadata?.name ?? '',
    [`${META}pod_ip`]: address,
    [`${META}pod_ready`]: ready.toLowerCase(),
    [`${META}pod_phase`]: pod.status?.phase ?? '',
    [`${META}pod_node_name`]: pod.spec?.nodeName ?? '',
    [`${META}pod_host_ip`]: pod.status?.hostIP ?? '',
    [`${META}pod_uid`]: pod.metadata?.uid ?? '',
    [`${META}pod_controller_kind`]: controller?.kind ?? '',
    [`${META}pod_controller_name`]: controller?.name ?? ''
  }
  addMap(labels, 'label', pod.metadata?.labels)
  addMap(labels, 'annotation', pod.metadata?.annotations)
  return labels
}

function addMap(
  labels: Record<string, string>,
  kind: string,
  entries: Readonly<Record<string, string>> | undefined
): void {
  for (const [name, value] of Object.entries(entries ?? {})) {
    const { own, present } = metaNames(kind, name)
    labels[own] = value
    labels[present] = 'true'
  }
}

/** Names that discovery gives a label or annotation. */
interface MetaNames {
  readonly own: string
  readonly present: string
}

/** Names of labels and annotations that were met before. */
const metaNamesOf = new Map<string, MetaNames>()

/** Most names that are kept. */
const META_NAMES_MAX = 1000

function metaNames(kind: string, name: string): MetaNames {
  const key = `${kind} ${name}`
  const known = metaNamesOf.get(key)
  if (known !== undefined) return known
  const safe = name.replace(/[^a-zA-Z0-9_]/g, '_')
  const names = { own: `${META}pod_${kind}_${safe}`, present: `${META}pod_${kind}present_${safe}` }
  if (metaNamesOf.size >= META_NAMES_MAX) metaNamesOf.clear()
  metaNamesOf.set(key, names)
  return names
}

function containerLabels(container: PodContainer, init: boolean): LabelRecord {
  return {
    [`${META}pod_container_name`]: container.name ?? '',
    [`${META}pod_container_image`]: container.image ?? '',
    [`${META}pod_container_init`]: String(init)
  }
}
