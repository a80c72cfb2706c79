import type { KubeStatus } from '../../kinds/index.ts'
import { currentRevision, trimRevisions } from './controller-revisions.ts'
import { hashOf, scaledValue } from './deployment-facts.ts'
import { sameJson } from './json.ts'
import { claimControlled, controllerReference } from './owners.ts'
import {
  type ControllerEffect,
  DONE,
  type ObjectKey,
  type Plan,
  type ReconcileContext,
  type Requeue,
  attempt,
  report,
  write
} from './plan.ts'
import { availableAt, isPodAvailable, isPodFinished, isPodReady } from './pod-facts.ts'
import { createRequest, deleteRequest, updateRequest } from './requests.ts'
import { refusal } from './scheduler.ts'
import { selectorIsEmpty } from './selectors.ts'
import type { DaemonSet, Node, Pod, PodSpec } from './shapes.ts'

/** Label that ties a DaemonSet's pods to the revision of their template. */
export const REVISION_HASH = 'controller-revision-hash'

/** Tolerations every daemon pod gets, so that it survives trouble of its node. */
const DAEMON_TOLERATIONS: readonly object[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }
]

/** One run over one DaemonSet. */
interface DaemonRun {
  readonly context: ReconcileContext
  readonly set: DaemonSet
  readonly hash: string
  readonly nodes: readonly Node[]
  /** Pods by the node they run on or are meant for. */
  readonly byNode: ReadonlyMap<string, readonly Pod[]>
}

/**
 * Keeps one pod on every fitting node and replaces old ones as the update strategy says.
 * @see kubernetes/pkg/controller/daemon/daemon_controller.go and update.go, v1.36
 */
export function* reconcileDaemonSet(context: ReconcileContext, key: ObjectKey): Plan<Requeue> {
  const set = context.view.get('apps', 'daemonsets', key.namespace, key.name) as DaemonSet | undefined
  if (set === undefined) return DONE
  if (selectorIsEmpty(set.spec.selector)) {
    yield say(set, 'Warning', [
      'SelectingAll',
      'This daemon set is selecting all pods. A non-empty selector is required.'
    ])
    return DONE
  }
  if (set.metadata.deletionTimestamp !== undefined) return DONE
  const hash = hashOf(set.spec.template)
  const revision = yield* currentRevision(context, set, hash)
  let run = yield* observe(context, set, revision)
  const wanted = { group: '', resource: 'pods', selector: set.spec.selector }
  const changed = yield* manage(run)
  if (set.spec.updateStrategy?.type !== 'OnDelete' && !changed) yield* update(run)
  const pods = (yield* claimControlled(context, set, wanted)) as readonly Pod[]
  run = { ...run, byNode: groupByNode(pods) }
  yield* trimRevisions(context, set, { current: revision, limit: set.spec.revisionHistoryLimit ?? 10, pods })
  yield* updateStatus(run)
  return requeueForAvailability(set, pods, context.now)
}

function* observe(context: ReconcileContext, set: DaemonSet, hash: string): Plan<DaemonRun> {
  const wanted = { group: '', resource: 'pods', selector: set.spec.selector }
  const pods = (yield* claimControlled(context, set, wanted)) as readonly Pod[]
  const nodes = context.view.list('', 'nodes') as readonly Node[]
  return { context, set, hash, nodes, byNode: groupByNode(pods) }
}

function groupByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>()
  for (const pod of pods) {
    const node = targetNode(pod)
    byNode.set(node, [...(byNode.get(node) ?? []), pod])
  }
  return byNode
}

/** Where a pod runs, or the node its affinity names. */
function targetNode(pod: Pod): string {
  if (pod.spec.nodeName !== undefined) return pod.spec.nodeName
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const fields = required?.nodeSelectorTerms[0]?.matchFields ?? []
  return fields.find((field) => field.key === 'metadata.name')?.values?.[0] ?? ''
}

/** Whether the template's pod belongs on a node. */
function shouldRun(set: DaemonSet, node: Node): boolean {
  const tolerations = [...(set.spec.template.spec.tolerations ?? []), ...DAEMON_TOLERATIONS]
  const spec: PodSpec = { ...set.spec.template.spec, tolerations }
  return refusal({ spec }, { ...node, spec: { ...node.spec, unschedulable: false } }) === undefined
}

/** Creates missing pods and deletes those that failed, are too many or are on the wrong node; whether it did anything. */
function* manage(run: DaemonRun): Plan<boolean> {
  let changed = false
  const names = new Set(run.nodes.map((node) => node.metadata.name))
  for (const node of run.nodes) {
    const pods = run.byNode.get(node.metadata.name) ?? []
    const fits = shouldRun(run.set, node)
    for (const pod of fits ? yield* surplus(run, pods, node) : pods) changed = (yield* remove(run, pod)) || changed
    // A pod being deleted still holds its place.
    if (!fits || pods.some((pod) => !isPodFinished(pod) || pod.metadata.deletionTimestamp !== undefined)) continue
    changed = (yield* create(run, node.metadata.name)) || changed
  }
  for (const [name, pods] of run.byNode) {
    if (names.has(name)) continue
    for (const pod of pods) changed = (yield* remove(run, pod)) || changed
  }
  return changed
}

function* surplus(run: DaemonRun, pods: readonly Pod[], node: Node): Plan<readonly Pod[]> {
  const failed = pods.filter((pod) => pod.status?.phase === 'Failed')
  for (const pod of failed) {
    const message = `Found failed daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${node.metadata.name}, will try to kill it`
    yield say(run.set, 'Warning', ['FailedDaemonPod', message])
  }
  const alive = pods.filter((pod) => !isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined)
  const oldestFirst = alive.toSorted((a, b) =>
    (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1
  )
  return [...failed, ...oldestFirst.slice(1)]
}

function* remove(run: DaemonRun, pod: Pod): Plan<boolean> {
  if (pod.metadata.deletionTimestamp !== undefined) return false
  yield write(deleteRequest(pod, 'pods'))
  yield say(run.set, 'Normal', ['SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`])
  return true
}

function* create(run: DaemonRun, node: string): Plan<boolean> {
  const { set, hash } = run
  const { template } = set.spec
  const { labels, annotations } = template.metadata ?? {}
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${set.metadata.name}-`,
      labels: { ...labels, [REVISION_HASH]: hash, 'pod-template-generation': String(set.metadata.generation ?? 1) },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(set)]
    },
    spec: daemonSpec(template.spec, node)
  }
  const place = { apiVersion: 'v1', resource: 'pods', namespace: set.metadata.namespace }
  const response = yield attempt(createRequest(pod, place))
  if (response.code < 400) {
    yield say(set, 'Normal', ['SuccessfulCreate', `Created pod: ${(response.body as Pod).metadata.name}`])
    return true
  }
  yield say(set, 'Warning', ['FailedCreate', `Error creating: ${(response.body as KubeStatus).message ?? ''}`])
  return false
}

/** The template's spec pinned to a node. */
function daemonSpec(spec: PodSpec, node: string): PodSpec {
  const pinned = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const nodeSelectorTerms = terms === undefined ? [pinned] : terms.map((term) => ({ ...term, ...pinned }))
  const nodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms }
  }
  return {
    ...spec,
    affinity: { ...spec.affinity, nodeAffinity },
    tolerations: [...(spec.tolerations ?? []), ...DAEMON_TOLERATIONS]
  }
}

/** Deletes old pods as far as `maxUnavailable` (or, with surge, availability of their successors) allows. */
function* update(run: DaemonRun): Plan<void> {
  const { set, context } = run
  const rolling = set.spec.updateStrategy?.rollingUpdate
  const desired = run.nodes.filter((node) => shouldRun(set, node)).length
  const surge = scaledValue(rolling?.maxSurge ?? 0, desired, true)
  const limit = scaledValue(rolling?.maxUnavailable ?? 1, desired, true)
  const allowed = Math.max(limit, surge === 0 ? 1 : 0)
  const minReady = set.spec.minReadySeconds ?? 0
  let unavailable = 0
  const candidates: Pod[] = []
  for (const pods of run.byNode.values()) {
    const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && !isPodFinished(pod))
    const fresh = alive.find((pod) => pod.metadata.labels?.[REVISION_HASH] === run.hash)
    const old = alive.find((pod) => pod.metadata.labels?.[REVISION_HASH] !== run.hash)
    const available = (pod: Pod | undefined): boolean => pod !== undefined && isPodAvailable(pod, minReady, context.now)
    if (old === undefined) unavailable += available(fresh) ? 0 : 1
    else if (!available(old)) {
      // It is replaced at once, and counts (pkg/controller/daemon update.go 1.36).
      if (surge === 0) unavailable++
      yield* remove(run, old)
    } else candidates.push(old)
  }
  for (const pod of candidates.slice(0, Math.max(0, allowed - unavailable))) yield* remove(run, pod)
}

function* updateStatus(run: DaemonRun): Plan<void> {
  const { set, context } = run
  const minReady = set.spec.minReadySeconds ?? 0
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 }
  for (const node of run.nodes) {
    const pods = (run.byNode.get(node.metadata.name) ?? []).filter((pod) => pod.spec.nodeName !== undefined)
    if (!shouldRun(set, node)) {
      counts.misscheduled += pods.length > 0 ? 1 : 0
      continue
    }
    counts.desired++
    const oldest = pods[0]
    if (oldest === undefined) continue
    counts.current++
    if (isPodReady(oldest)) counts.ready++
    if (isPodAvailable(oldest, minReady, context.now)) counts.available++
    if (oldest.metadata.labels?.[REVISION_HASH] === run.hash) counts.updated++
  }
  const unavailable = counts.desired - counts.available
  const status = {
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: counts.desired,
    numberReady: counts.ready,
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(counts.updated === 0 ? {} : { updatedNumberScheduled: counts.updated }),
    ...(counts.available === 0 ? {} : { numberAvailable: counts.available }),
    ...(unavailable === 0 ? {} : { numberUnavailable: unavailable })
  }
  if (!sameJson(set.status, status)) yield write(updateRequest({ ...set, status }, 'daemonsets', 'status'))
}

function requeueForAvailability(set: DaemonSet, pods: readonly Pod[], now: number): Requeue {
  const minReady = set.spec.minReadySeconds ?? 0
  if (minReady === 0) return DONE
  const pending = pods.map((pod) => availableAt(pod, minReady)).filter((at) => at !== undefined && at > now) as number[]
  return pending.length === 0 ? DONE : { requeueAt: Math.min(...pending) }
}

function say(
  set: DaemonSet,
  type: 'Normal' | 'Warning',
  [reason, message]: readonly [string, string]
): ControllerEffect {
  return report({ about: set, type, reason, message, component: 'daemonset-controller' })
}
