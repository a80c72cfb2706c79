import type { KubeObject, KubeStatus } from '../../kinds/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import { sameJson } from './json.ts'
import { claimControlled, controlledAlready, controllerOf, controllerReference } from './owners.ts'
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
import { availableAt, isPodActive, isPodAvailable, isPodReady, isPodTerminating } from './pod-facts.ts'
import { podsToDelete } from './pod-ranking.ts'
import { createRequest, deleteRequest, updateRequest } from './requests.ts'
import { labelsInclude } from './selectors.ts'
import type { Condition, Pod, PodTemplate, ReplicaSet, ReplicaSetStatus } from './shapes.ts'

const COMPONENT = 'replicaset-controller'
/** Most pods created or deleted in one run, as upstream. */
const BURST = 500

interface Managed {
  /** Message of the refusal that ended the batch. */
  readonly failure?: string
  /** Pods were created or deleted. */
  readonly done?: true
  /** The namespace is on its way out and took no more pods. */
  readonly unwelcome?: true
}

const NOTHING: Managed = {}
const NO_STATUS: ReplicaSetStatus = { replicas: 0 }

/**
 * Keeps as many pods as the ReplicaSet wants.
 * @see kubernetes/pkg/controller/replicaset/replica_set.go syncReplicaSet, v1.36
 */
export function* reconcileReplicaSet(context: ReconcileContext, key: ObjectKey): Plan<Requeue> {
  const { view, now } = context
  const set = view.get('apps', 'replicasets', key.namespace, key.name) as ReplicaSet | undefined
  if (set === undefined) return DONE
  const wanted = { group: '', resource: 'pods', selector: set.spec.selector }
  const claimed = (controlledAlready(view, set, wanted) ??
    (yield* claimControlled(context, set, wanted))) as readonly Pod[]
  const active: Pod[] = []
  let terminating = 0
  for (const pod of claimed) {
    if (isPodActive(pod)) active.push(pod)
    else if (isPodTerminating(pod)) terminating += 1
  }
  const balanced = active.length === set.spec.replicas || set.metadata.deletionTimestamp !== undefined
  const managed = balanced ? NOTHING : yield* managePods(context, set, active)
  // Each created or deleted pod is a reason to look again, so that its count can wait.
  if (managed.done === true && context.lean) return DONE
  const status = calculateStatus(context, set, { active, terminating, managed })
  if (!sameJson(set.status ?? NO_STATUS, status))
    yield write(updateRequest({ ...set, status }, 'replicasets', 'status'))
  if (managed.failure !== undefined) return { retry: true }
  const requeue = requeueForAvailability(set, active, now)
  return managed.unwelcome === true ? { ...requeue, again: true } : requeue
}

function* managePods(context: ReconcileContext, set: ReplicaSet, active: readonly Pod[]): Plan<Managed> {
  const missing = set.spec.replicas - active.length
  if (missing > 0) return yield* createPods(set, Math.min(missing, BURST))
  return yield* deletePods(context, set, { active, count: Math.min(-missing, BURST) })
}

/** What a burst leaves over is done by the next run: each new pod is a reason for one. */
function* createPods(set: ReplicaSet, count: number): Plan<Managed> {
  for (let index = 0; index < count; index++) {
    const response = yield createPod(set, set.spec.template)
    if (response.code < 400) {
      const pod = response.body as Pod
      yield say(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
      continue
    }
    const status = response.body as KubeStatus
    if (status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating'))
      return { done: true, unwelcome: true }
    const failure = status.message ?? ''
    yield say(set, 'Warning', 'FailedCreate', `Error creating: ${failure}`)
    return { failure }
  }
  return { done: true }
}

/** The request for a pod made from a template for its controller, which hears the answer. */
export function createPod(owner: KubeObject, template: PodTemplate): ControllerEffect {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(owner)]
    },
    spec: template.spec
  }
  return attempt(createRequest(pod, { apiVersion: 'v1', resource: 'pods', namespace: owner.metadata.namespace }))
}

function* deletePods(
  context: ReconcileContext,
  set: ReplicaSet,
  options: { readonly active: readonly Pod[]; readonly count: number }
): Plan<Managed> {
  const related = relatedPods(context, set, options.active)
  for (const pod of podsToDelete(options.active, related, options.count, context.now)) {
    yield write(deleteRequest(pod, 'pods'))
    yield say(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  }
  return { done: true }
}

/** Active pods of every ReplicaSet of the same owner. */
function relatedPods(context: ReconcileContext, set: ReplicaSet, own: readonly Pod[]): readonly Pod[] {
  const owner = controllerOf(set)
  if (owner === undefined) return own
  const siblings = context.view.controlledBy('apps', 'replicasets', owner.uid)
  return siblings.flatMap((sibling) =>
    (context.view.controlledBy('', 'pods', sibling.metadata.uid ?? '') as Pod[]).filter(isPodActive)
  )
}

function calculateStatus(
  context: ReconcileContext,
  set: ReplicaSet,
  pods: { readonly active: readonly Pod[]; readonly terminating: number; readonly managed: Managed }
): ReplicaSetStatus {
  const templateLabels = set.spec.template.metadata?.labels ?? {}
  const minReadySeconds = set.spec.minReadySeconds ?? 0
  const conditions = withFailure(context, set, pods.managed.failure)
  let labelled = 0
  let ready = 0
  let available = 0
  for (const pod of pods.active) {
    if (labelsInclude(pod.metadata.labels, templateLabels)) labelled++
    if (!isPodReady(pod)) continue
    ready++
    if (isPodAvailable(pod, minReadySeconds, context.now)) available++
  }
  // Pods of this very run are counted by the next one, as upstream counts what it listed before.
  const status: { -readonly [Field in keyof ReplicaSetStatus]: ReplicaSetStatus[Field] } = {
    replicas: pods.active.length
  }
  // Go's `omitempty` leaves out numbers that are zero.
  if (labelled !== 0) status.fullyLabeledReplicas = labelled
  if (ready !== 0) status.readyReplicas = ready
  if (available !== 0) status.availableReplicas = available
  if ((set.metadata.generation ?? 0) !== 0) status.observedGeneration = set.metadata.generation ?? 0
  status.terminatingReplicas = pods.terminating
  if (conditions.length > 0) status.conditions = conditions
  return status
}

const NO_CONDITIONS: readonly Condition[] = []

function withFailure(context: ReconcileContext, set: ReplicaSet, failure: string | undefined): readonly Condition[] {
  const conditions = set.status?.conditions ?? NO_CONDITIONS
  if (failure === undefined && conditions.length === 0) return conditions
  const known = conditions.some((each) => each.type === 'ReplicaFailure')
  if (failure === undefined) return conditions.filter((each) => each.type !== 'ReplicaFailure')
  if (known) return conditions
  const lastTransitionTime = formatTimestamp(context.now)
  return [
    ...conditions,
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: failure, lastTransitionTime }
  ]
}

/** Ready pods become available with time alone, so the set has to be looked at again. */
function requeueForAvailability(set: ReplicaSet, active: readonly Pod[], now: number): Requeue {
  const minReadySeconds = set.spec.minReadySeconds ?? 0
  if (minReadySeconds === 0) return DONE
  const pending = active
    .map((pod) => availableAt(pod, minReadySeconds))
    .filter((at) => at !== undefined && at > now) as number[]
  return pending.length === 0 ? DONE : { requeueAt: Math.min(...pending) }
}

function say(set: ReplicaSet, type: 'Normal' | 'Warning', reason: string, message: string): ControllerEffect {
  return report({ about: set, type, reason, message, component: COMPONENT })
}
