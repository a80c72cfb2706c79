import { LabelRow, NameList } from './label-row.ts'

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

const POD_NAMES = [
  'namespace',
  'pod_name',
  'pod_ip',
  'pod_ready',
  'pod_phase',
  'pod_node_name',
  'pod_host_ip',
  'pod_uid',
  'pod_controller_kind',
  'pod_controller_name'
].map((name) => META + name)
const CONTAINER_NAMES = ['name', 'image', 'init'].map((name) => `${META}pod_container_${name}`)
const ADDRESS = '__address__'
const PORT_NAMES = ['name', 'number', 'protocol'].map((name) => `${META}pod_container_port_${name}`)

/**
 * The label sets Prometheus discovers for a pod: one per container port, one per container without ports, none before
 * the pod has an address.
 * @see Prometheus discovery/kubernetes/pod.go, v2.55.1
 */
export function discoverPod(pod: DiscoveredPod): LabelRow[] {
  const address = pod.status?.podIP
  if (address === undefined || address === '') return []
  const common = podValues(pod, address)
  const { plain, ported } = layoutsFor(pod)
  const found: LabelRow[] = []
  const add = ({ name = '', image = '', ports = [] }: PodContainer, init: boolean): void => {
    const own = [...common, name, image, String(init)]
    if (ports.length === 0) found.push(rowOf(plain, [...own, address]))
    for (const port of ports) {
      const number = String(port.containerPort ?? 0)
      found.push(rowOf(ported, [...own, `${address}:${number}`, port.name ?? '', number, port.protocol ?? 'TCP']))
    }
  }
  for (const container of pod.spec?.containers ?? []) add(container, false)
  for (const container of pod.spec?.initContainers ?? []) add(container, true)
  return found
}

/** Values of the pod's own labels, then of its labels and annotations. */
function podValues(pod: DiscoveredPod, address: string): string[] {
  const { metadata, status, spec } = pod
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready')?.status ?? 'unknown'
  const controller = metadata?.ownerReferences?.find((owner) => owner.controller === true)
  const values = [
    metadata?.namespace ?? '',
    metadata?.name ?? '',
    address,
    ready.toLowerCase(),
    status?.phase ?? '',
    spec?.nodeName ?? '',
    status?.hostIP ?? '',
    metadata?.uid ?? '',
    controller?.kind ?? '',
    controller?.name ?? ''
  ]
  for (const value of Object.values(metadata?.labels ?? {})) values.push(value, 'true')
  for (const value of Object.values(metadata?.annotations ?? {})) values.push(value, 'true')
  return values
}

/** Where the values of rows alike go: to the place of their name among all of them. */
interface Layout {
  readonly list: NameList
  /** Undefined: each value has a name of its own. */
  readonly places: readonly number[] | undefined
}

/** Those of a pod's containers. */
interface Layouts {
  readonly plain: Layout
  /** With a port. */
  readonly ported: Layout
}

/** Layouts by the names of a pod's labels and annotations: pods of a workload have the same. */
const known = new Map<string, Layouts>()

/** Most of them that are kept. */
const LAYOUTS_MAX = 500

function layoutsFor(pod: DiscoveredPod): Layouts {
  const labels = Object.keys(pod.metadata?.labels ?? {})
  const annotations = Object.keys(pod.metadata?.annotations ?? {})
  const key = `${labels.join()} ${annotations.join()}`
  let layouts = known.get(key)
  if (layouts === undefined) {
    if (known.size >= LAYOUTS_MAX) known.clear()
    layouts = { plain: layoutOf(labels, annotations, false), ported: layoutOf(labels, annotations, true) }
    known.set(key, layouts)
  }
  return layouts
}

function rowOf({ list, places }: Layout, values: readonly string[]): LabelRow {
  if (places === undefined) return new LabelRow(list, values)
  const merged: string[] = []
  values.forEach((value, index) => {
    merged[places[index] ?? 0] = value
  })
  return new LabelRow(list, merged)
}

function layoutOf(labels: readonly string[], annotations: readonly string[], hasPort: boolean): Layout {
  const found = [
    ...POD_NAMES,
    ...labels.flatMap((name) => metaNames('label', name)),
    ...annotations.flatMap((name) => metaNames('annotation', name)),
    ...CONTAINER_NAMES,
    ADDRESS,
    ...(hasPort ? PORT_NAMES : [])
  ]
  const names = [...new Set(found)]
  // Two names may become one: the later value stands.
  const places = names.length === found.length ? undefined : found.map((name) => names.indexOf(name))
  return { list: NameList.of(names), places }
}

/** Names that discovery gives a label or annotation and its presence. */
function metaNames(kind: 'label' | 'annotation', name: string): readonly string[] {
  const safe = name.replace(/[^a-zA-Z0-9_]/g, '_')
  return [`${META}pod_${kind}_${safe}`, `${META}pod_${kind}present_${safe}`]
}
