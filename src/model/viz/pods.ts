/** The parts of a Kubernetes object that are read here. */
export interface VizObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
    readonly ownerReferences?: readonly { readonly uid: string }[]
  }
}

interface ContainerStatus {
  readonly name: string
  readonly ready?: boolean
  readonly started?: boolean
  readonly state?: {
    readonly running?: unknown
    readonly waiting?: { readonly reason?: string }
    readonly terminated?: { readonly reason?: string; readonly exitCode: number; readonly signal?: number }
  }
}

/** The parts of a Pod that are read here. */
export interface VizPod extends VizObject {
  readonly spec?: { readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[] }
  readonly status?: {
    readonly phase?: string
    readonly reason?: string
    readonly initContainerStatuses?: readonly ContainerStatus[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

/** How many pods there are (failed ones left out) and how many of them the mesh has. */
export interface PodCount {
  readonly meshed: number
  readonly total: number
}

/** Whether statistics show the pod: those that have ended or are ending are hidden. */
export function isPendingOrRunning(pod: VizPod): boolean {
  const phase = pod.status?.phase
  return (phase === 'Pending' || phase === 'Running') && pod.metadata.deletionTimestamp === undefined
}

/** Counts the pods of a resource that are pending or running. @see linkerd2 viz/metrics-api/stat_summary.go getPodStats */
export function countPods(pods: readonly VizPod[]): PodCount {
  const alive = pods.filter((pod) => isPendingOrRunning(pod))
  const meshed = alive.filter((pod) => pod.metadata.labels?.['linkerd.io/control-plane-ns'] === 'linkerd')
  return { meshed: meshed.length, total: alive.length }
}

/** Pods that an object owns, directly or by what it owns (`between`: ReplicaSets of a Deployment, Jobs of a CronJob). */
export function podsOf(owner: VizObject, pods: readonly VizPod[], between: readonly VizObject[]): readonly VizPod[] {
  const own = new Set([owner.metadata.uid])
  for (const one of between) if (isOwned(one, own)) own.add(one.metadata.uid)
  return pods.filter((pod) => isOwned(pod, own))
}

function isOwned(object: VizObject, owners: ReadonlySet<string | undefined>): boolean {
  return object.metadata.ownerReferences?.some((reference) => owners.has(reference.uid)) === true
}

/** The STATUS of a pod as kubectl prints it. @see linkerd2 edge-26.8.3 pkg/k8s/api.go GetPodStatus */
export function podStatus(pod: VizPod): string {
  const phase = pod.status?.reason ?? pod.status?.phase ?? ''
  return initStatus(pod) ?? containersStatus(pod, phase)
}

function initStatus(pod: VizPod): string | undefined {
  const declared = pod.spec?.initContainers ?? []
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = declared.find((one) => one.name === status.name)?.restartPolicy === 'Always'
    const { terminated, waiting } = status.state ?? {}
    if (terminated !== undefined) {
      if (terminated.exitCode === 0 && (terminated.signal ?? 0) === 0) continue
      return `Init:${endReason(terminated)}`
    }
    if (sidecar && status.started === true && status.ready === true) continue
    const reason = waiting?.reason ?? ''
    if (reason !== '' && reason !== 'PodInitializing') return `Init:${reason}`
    return `Init:${index}/${declared.length}`
  }
  return undefined
}

function containersStatus(pod: VizPod, phase: string): string {
  const statuses = pod.status?.containerStatuses ?? []
  let reason = phase
  for (const { state } of statuses.toReversed()) {
    if ((state?.waiting?.reason ?? '') !== '') reason = state?.waiting?.reason ?? ''
    else if (state?.terminated !== undefined) reason = endReason(state.terminated)
  }
  const running = statuses.some((status) => status.ready === true && status.state?.running !== undefined)
  return reason === 'Completed' && running ? 'Running' : reason
}

function endReason(ended: { readonly reason?: string; readonly exitCode: number; readonly signal?: number }): string {
  if ((ended.reason ?? '') !== '') return ended.reason ?? ''
  return (ended.signal ?? 0) === 0 ? `ExitCode:${ended.exitCode}` : `Signal:${ended.signal ?? 0}`
}
