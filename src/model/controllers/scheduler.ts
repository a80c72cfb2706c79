import { formatTimestamp } from '../../lib/time/index.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue, report, write } from './plan.ts'
import { isPodFinished } from './pod-facts.ts'
import { resourcePath, updateRequest } from './requests.ts'
import { labelsInclude, requirementMatches } from './selectors.ts'
import type { Condition, Node, NodeTerm, Pod } from './shapes.ts'

const AGENT = 'kube-scheduler/v1.36.3'
const PROFILE = 'default-scheduler'

/**
 * Binds a pod to the fitting node with the fewest pods, or says why none fits. Capacity of nodes is not counted.
 * @see kubernetes/pkg/scheduler, v1.36
 */
export function* schedulePod(context: ReconcileContext, key: ObjectKey, load: NodeLoad): Plan<Requeue> {
  const pod = context.view.get('', 'pods', key.namespace, key.name) as Pod | undefined
  if (pod === undefined || !isSchedulable(pod)) return DONE
  const nodes = context.view.list('', 'nodes') as readonly Node[]
  const chosen = chooseNode(pod, nodes, load)
  if (chosen === undefined) return yield* reportUnschedulable(context, pod, nodes)
  const { namespace, name } = pod.metadata
  yield write({
    method: 'POST',
    path: resourcePath('v1', 'pods', namespace, name, 'binding'),
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': AGENT },
    body: {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid: pod.metadata.uid },
      target: { kind: 'Node', name: chosen.metadata.name }
    }
  })
  yield report({
    about: pod,
    type: 'Normal',
    reason: 'Scheduled',
    message: `Successfully assigned ${namespace}/${name} to ${chosen.metadata.name}`,
    component: PROFILE,
    action: 'Binding'
  })
  return DONE
}

/** Number of pods bound to a node. */
export type NodeLoad = (node: string) => number

/** The fitting node with the fewest pods; undefined when none fits or the pod is not this scheduler's to place. */
export function chooseNode(pod: Pod, nodes: readonly Node[], load: NodeLoad): Node | undefined {
  if (!isSchedulable(pod)) return undefined
  let best: Node | undefined
  for (const node of nodes) {
    if (refusal(pod, node) !== undefined) continue
    if (best === undefined || load(node.metadata.name) < load(best.metadata.name)) best = node
  }
  return best
}

function isSchedulable(pod: Pod): boolean {
  return (
    pod.spec.nodeName === undefined &&
    pod.metadata.deletionTimestamp === undefined &&
    (pod.spec.schedulerName ?? PROFILE) === PROFILE &&
    (pod.spec.schedulingGates ?? []).length === 0 &&
    !isPodFinished(pod)
  )
}

/** Why a pod may not run on a node, in the scheduler's words; undefined when it may. */
export function refusal(pod: Pick<Pod, 'spec'>, node: Node): string | undefined {
  const taint = (node.spec?.taints ?? []).find((each) => each.effect !== 'PreferNoSchedule' && !tolerates(pod, each))
  if (node.spec?.unschedulable === true) return 'node(s) were unschedulable'
  if (taint !== undefined) return `node(s) had untolerated taint(s)`
  if (!nodeMatches(pod, node)) return "node(s) didn't match Pod's node affinity/selector"
  return undefined
}

interface Toleration {
  readonly key?: string
  readonly operator?: string
  readonly value?: string
  readonly effect?: string
}

function tolerates(
  pod: Pick<Pod, 'spec'>,
  taint: { readonly key: string; readonly value?: string; readonly effect: string }
): boolean {
  return ((pod.spec.tolerations ?? []) as readonly Toleration[]).some((toleration) => {
    if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false
    if (toleration.key === undefined || toleration.key === '') return toleration.operator === 'Exists'
    if (toleration.key !== taint.key) return false
    return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '')
  })
}

/** Whether nodeSelector and required node affinity of a pod accept a node. */
export function nodeMatches(pod: Pick<Pod, 'spec'>, node: Node): boolean {
  const { labels, name } = node.metadata
  if (!labelsInclude(labels, pod.spec.nodeSelector ?? {})) return false
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || required.nodeSelectorTerms.some((term) => termMatches(term, labels ?? {}, name))
}

function termMatches(term: NodeTerm, labels: Readonly<Record<string, string>>, name: string): boolean {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length + fields.length === 0) return false
  return (
    expressions.every((requirement) => requirementMatches(requirement, labels[requirement.key])) &&
    fields.every((requirement) => requirement.key === 'metadata.name' && requirementMatches(requirement, name))
  )
}

function* reportUnschedulable(context: ReconcileContext, pod: Pod, nodes: readonly Node[]): Plan<Requeue> {
  const message = explain(pod, nodes)
  const condition: Condition = {
    type: 'PodScheduled',
    status: 'False',
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    lastProbeTime: null,
    lastTransitionTime: formatTimestamp(context.now),
    reason: 'Unschedulable',
    message
  }
  const before = pod.status?.conditions?.find((each) => each.type === 'PodScheduled')
  if (before?.message === message && before.reason === 'Unschedulable') return DONE
  const others = (pod.status?.conditions ?? []).filter((each) => each.type !== 'PodScheduled')
  const status = { ...pod.status, conditions: [...others, condition] }
  yield report({
    about: pod,
    type: 'Warning',
    reason: 'FailedScheduling',
    message,
    component: PROFILE,
    action: 'Scheduling'
  })
  yield write(updateRequest({ ...pod, status }, 'pods', 'status', AGENT))
  return DONE
}

function explain(pod: Pod, nodes: readonly Node[]): string {
  if (nodes.length === 0) return 'no nodes available to schedule pods'
  const counts = new Map<string, number>()
  for (const node of nodes) {
    const reason = refusal(pod, node) ?? ''
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted()
  const total = nodes.length
  return (
    `0/${total} nodes are available: ${reasons.join(', ')}. no new claims to deallocate, ` +
    `preemption: 0/${total} nodes are available: ${total} Preemption is not helpful for scheduling.`
  )
}
