import { formatTimestamp } from '../../lib/time/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import { scaledValue } from './deployment-facts.ts'
import { sameJson } from './json.ts'
import { controllerOf } from './owners.ts'
import { DONE, type ObjectKey, type Plan, type ReconcileContext, type Requeue, write } from './plan.ts'
import { isPodFinished, isPodReady } from './pod-facts.ts'
import { updateRequest } from './requests.ts'
import { selectorMatches } from './selectors.ts'
import type { Condition, IntOrPercent, LabelSelector, Pod } from './shapes.ts'

/** policy/v1 PodDisruptionBudget. */
interface DisruptionBudget extends KubeObject {
  spec: {
    readonly selector?: LabelSelector
    readonly minAvailable?: IntOrPercent
    readonly maxUnavailable?: IntOrPercent
  }
  status?: {
    readonly conditions?: readonly Condition[]
    readonly disruptedPods?: Readonly<Record<string, string>>
  }
}

/**
 * Counts how many pods of a budget may be evicted.
 * @see kubernetes/pkg/controller/disruption/disruption.go, v1.36
 */
export function* reconcileDisruptionBudget(context: ReconcileContext, key: ObjectKey): Plan<Requeue> {
  const found = context.view.get('policy', 'poddisruptionbudgets', key.namespace, key.name)
  if (found === undefined) return DONE
  const budget = found as DisruptionBudget
  const { selector } = budget.spec
  const all = context.view.list('', 'pods', key.namespace) as readonly Pod[]
  const pods = all.filter((pod) => selector !== undefined && selectorMatches(selector, pod.metadata.labels))
  const expectedPods = expectedCount(context, pods)
  const desiredHealthy = desiredCount(budget, expectedPods)
  const disrupted = budget.status?.disruptedPods ?? {}
  const healthy = pods.filter(
    (pod) =>
      isPodReady(pod) && pod.metadata.deletionTimestamp === undefined && disrupted[pod.metadata.name] === undefined
  )
  const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, healthy.length - desiredHealthy)
  const stillThere = Object.entries(disrupted).filter(([name]) =>
    pods.some((pod) => pod.metadata.name === name && pod.metadata.deletionTimestamp === undefined)
  )
  const status = {
    conditions: [conditionOf(budget, disruptionsAllowed > 0, formatTimestamp(context.now))],
    currentHealthy: healthy.length,
    desiredHealthy,
    ...(stillThere.length === 0 ? {} : { disruptedPods: Object.fromEntries(stillThere) }),
    disruptionsAllowed,
    expectedPods,
    ...(budget.metadata.generation === undefined ? {} : { observedGeneration: budget.metadata.generation })
  }
  if (!sameJson(budget.status, status)) {
    yield write(updateRequest({ ...budget, status }, 'poddisruptionbudgets', 'status'))
  }
  return DONE
}

/** Pods the owners of the selected pods want; pods without known owner count as they are. */
function expectedCount(context: ReconcileContext, pods: readonly Pod[]): number {
  const sets = new Map<string, number>()
  let alone = 0
  for (const pod of pods) {
    if (isPodFinished(pod)) continue
    const owner = controllerOf(pod)
    const { namespace } = pod.metadata
    const set = owner === undefined ? undefined : context.view.get('apps', 'replicasets', namespace, owner.name)
    if (set === undefined) {
      alone++
      continue
    }
    const parent = controllerOf(set)
    const top = parent === undefined ? set : (context.view.get('apps', 'deployments', namespace, parent.name) ?? set)
    sets.set(top.metadata.uid ?? '', (top.spec as { readonly replicas: number }).replicas)
  }
  return alone + [...sets.values()].reduce((sum, replicas) => sum + replicas, 0)
}

function desiredCount(budget: DisruptionBudget, expected: number): number {
  const { minAvailable, maxUnavailable } = budget.spec
  if (maxUnavailable !== undefined) return Math.max(0, expected - scaledValue(maxUnavailable, expected, true))
  return minAvailable === undefined ? 0 : scaledValue(minAvailable, expected, true)
}

function conditionOf(budget: DisruptionBudget, allowed: boolean, time: string): Condition {
  const status = allowed ? 'True' : 'False'
  const old = budget.status?.conditions?.find((each) => each.type === 'DisruptionAllowed')
  const { generation } = budget.metadata
  return {
    lastTransitionTime: old?.status === status ? (old.lastTransitionTime ?? time) : time,
    message: '',
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    reason: allowed ? 'SufficientPods' : 'InsufficientPods',
    status,
    type: 'DisruptionAllowed'
  }
}
