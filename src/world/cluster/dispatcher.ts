import { keptByParts, keptByText } from '../../lib/memory/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { ApiChange, KubeObject, ObjectMeta } from '../../kinds/index.ts'
import {
  AUTOSCALER_PERIOD_MS,
  type AutoscalerMemory,
  DONE,
  type LabelSelector,
  type MetricsReader,
  NAMESPACE_GRACE_MS,
  type NamespaceSource,
  type ObjectKey,
  type Plan,
  type Pod,
  type ReconcileContext,
  type Requeue,
  type Service,
  collectGarbage,
  controllerOf,
  hasSolidOwners,
  labelsInclude,
  newAutoscalerMemory,
  reconcileAutoscaler,
  reconcileNamespace,
  schedulePod,
  selectorMatches
} from '../../model/controllers/index.ts'
import type { ClusterIndex } from './cluster-index.ts'
import { CONTROLLERS, type ControllerName, LEVEL } from './controllers.ts'
import { isLeaving, mirrorsEndpoints, movesCounts, movesEndpoints } from './relevance.ts'
import { ControllerTasks, type Task, newTask } from './tasks.ts'

/**
 * What a change is to a task: `input`: something it reads. `own`: the object it looks after; where the task made the change
 * itself, it has taken it into account. `aside`: nothing it reads, so that only a task that failed is done again.
 */
type Cause = 'input' | 'own' | 'aside'

/** What a dispatcher works with. */
export interface DispatcherPort {
  readonly index: ClusterIndex
  /** Controllers that do not run. */
  readonly without: ReadonlySet<string>
  readonly rootCertificate: string
  readonly random: Random
  readonly lean: boolean
  enqueue(task: Task): void
  later(due: Instant, task: Task): void
  /** Does what a task waits for. */
  perform(task: Task): void
  /** Whether that task makes this very change; it is done again if it asks for that. */
  makes(task: Task): boolean
  /** Whether any task was given up the last time it ran. */
  anyFailed(): boolean
  /** Resource metrics for autoscalers; absent: none are served. */
  readonly metrics: MetricsReader | undefined
  now(): Instant
}

/** Controller of each workload kind and the resource it is served as. */
const OWNERS: Readonly<Record<string, ControllerName>> = {
  ReplicaSet: 'replicaset',
  Deployment: 'deployment',
  DaemonSet: 'daemonset',
  Job: 'job'
}
/** Resources whose controllers adopt pods without owner. */
const SELECTING: readonly (readonly [string, string])[] = [
  ['apps', 'replicasets'],
  ['apps', 'daemonsets'],
  ['batch', 'jobs']
]
/** Most tasks of single objects that are kept, of each kind; one that waits as they are forgotten may be done twice. */
const TASKS_MAX = 10_000

/** Turns API changes into work: which controllers have to look at which objects. */
export class Dispatcher {
  readonly #port: DispatcherPort
  readonly #namespaces: NamespaceSource
  readonly #podsPerNode = new Map<string, number>()
  readonly #tasks: Readonly<Record<ControllerName, ControllerTasks>>
  /** Namespaces that are being deleted. */
  readonly #ending = new Set<string>()
  /** Tasks about a namespace that stays and about one that ends, by its name. */
  readonly #namespaceTask: (name: string) => Task
  readonly #namespaceEndTask: (name: string) => Task
  readonly #schedulerTask: (namespace: string | undefined, name: string) => Task
  /** Tasks about what an owner's end means to an object, by its uid. */
  readonly #garbageTask: (uid: string) => Task
  readonly #autoscalers = new Map<string, AutoscalerMemory>()

  constructor(port: DispatcherPort) {
    this.#port = port
    this.#namespaces = {
      rootCertificate: port.rootCertificate,
      contents: (namespace) => port.index.contents(namespace)
    }
    const tasks = (name: ControllerName): ControllerTasks => this.#tasksOf(name)
    this.#tasks = {
      deployment: tasks('deployment'),
      replicaset: tasks('replicaset'),
      daemonset: tasks('daemonset'),
      job: tasks('job'),
      endpoints: tasks('endpoints'),
      endpointslice: tasks('endpointslice'),
      disruption: tasks('disruption'),
      quota: tasks('quota')
    }
    const namespace = (level: number) => (name: string) =>
      this.#newTask(level, () => reconcileNamespace(this.#context(), { name }, this.#namespaces))
    // At once: pods are refused until their namespace has its default ServiceAccount.
    this.#namespaceTask = keptByText(TASKS_MAX, namespace(LEVEL.pods))
    this.#namespaceEndTask = keptByText(TASKS_MAX, namespace(LEVEL.cluster))
    this.#schedulerTask = keptByParts(TASKS_MAX, (home: string | undefined, name: string) => {
      const key = home === undefined ? { name } : { namespace: home, name }
      return this.#newTask(LEVEL.pods, () => schedulePod(this.#context(), key, (node) => this.podsOn(node)))
    })
    this.#garbageTask = keptByText(TASKS_MAX, (uid) =>
      this.#newTask(LEVEL.cluster, () => collectGarbage(port.index, uid))
    )
  }

  /**
   * Enqueues everything a change concerns. The index has taken it in already.
   * @param initial - the object was there before: its owners are not questioned, some may be of kinds nobody listed
   */
  dispatch(change: ApiChange, initial: boolean = false): void {
    const { object, resource } = change
    const { metadata } = object
    switch (resource) {
      case 'pods':
        this.#pod(change)
        break
      case 'replicasets':
        this.#look(this.#tasks.replicaset, metadata, 'own')
        this.#owner(object)
        break
      case 'controllerrevisions':
        this.#owner(object)
        break
      case 'horizontalpodautoscalers':
        this.#autoscaler(change)
        break
      case 'services':
        this.#look(this.#tasks.endpoints, metadata, 'input')
        this.#look(this.#tasks.endpointslice, metadata, 'input')
        break
      case 'endpoints':
        this.#endpoints(metadata)
        break
      case 'endpointslices':
        this.#slice(metadata)
        break
      case 'namespaces':
        this.#namespaceChanged(change)
        break
      case 'nodes':
        this.#nodes()
        break
      case 'configmaps':
      case 'serviceaccounts':
        if (!initial) this.#bornWith(change)
        break
      default:
        if (change.type !== 'DELETED') this.#plain(change)
    }
    const { namespace } = metadata
    if (namespace !== undefined && resource !== 'resourcequotas') this.#quotas(namespace)
    if (!initial || metadata.deletionTimestamp !== undefined) this.#ownership(change)
    // A terminating namespace waits for its last object.
    if (!initial && namespace !== undefined && this.#ending.size > 0 && this.#ending.has(namespace))
      this.#namespace(namespace)
  }

  /** Number of pods bound to a node. */
  podsOn(node: string): number {
    return this.#podsPerNode.get(node) ?? 0
  }

  /** Resources whose changes concern just one controller of the same object. */
  #plain({ resource, object }: ApiChange): void {
    switch (resource) {
      case 'deployments':
        return this.#look(this.#tasks.deployment, object.metadata, 'own')
      case 'daemonsets':
        return this.#look(this.#tasks.daemonset, object.metadata, 'input')
      case 'jobs':
        return this.#look(this.#tasks.job, object.metadata, 'input')
      case 'poddisruptionbudgets':
        return this.#look(this.#tasks.disruption, object.metadata, 'input')
      case 'resourcequotas':
        return this.#look(this.#tasks.quota, object.metadata, 'input')
    }
  }

  #tasksOf(name: ControllerName): ControllerTasks {
    const port = { context: () => this.#context(), perform: this.#port.perform }
    return new ControllerTasks(CONTROLLERS[name], port, this.#port.without.has(name))
  }

  #newTask(level: number, plan: () => Plan<Requeue>): Task {
    return newTask(level, plan, this.#port.perform)
  }

  /** Upstream looks at an autoscaler one period after it appeared and then once per period. */
  #autoscaler(change: ApiChange): void {
    const key = keyOf(change.object)
    const text = `horizontal|${change.object.metadata.uid ?? ''}`
    if (change.type === 'DELETED') this.#autoscalers.delete(text)
    if (change.type !== 'ADDED' || this.#port.without.has('horizontal')) return
    const memory = newAutoscalerMemory()
    this.#autoscalers.set(text, memory)
    const plan = function* (this: Dispatcher): Plan<Requeue> {
      // Deleted meanwhile; one that was created again under its name has a schedule of its own.
      if (this.#autoscalers.get(text) !== memory) return DONE
      return yield* reconcileAutoscaler(this.#context(), key, { memory, metrics: this.#port.metrics })
    }.bind(this)
    this.#port.later(this.#port.now() + AUTOSCALER_PERIOD_MS, this.#newTask(LEVEL.services, plan))
  }

  #quotas(namespace: string): void {
    for (const { metadata } of this.#port.index.list('', 'resourcequotas', namespace))
      this.#look(this.#tasks.quota, metadata, 'input')
  }

  #budgetsOf(pod: Pod): void {
    for (const budget of this.#port.index.list('policy', 'poddisruptionbudgets', pod.metadata.namespace)) {
      const { selector } = (budget.spec ?? {}) as { readonly selector?: LabelSelector }
      if (selector !== undefined && selectorMatches(selector, pod.metadata.labels))
        this.#look(this.#tasks.disruption, budget.metadata, 'input')
    }
  }

  #context(): ReconcileContext {
    return { view: this.#port.index, now: this.#port.now(), random: this.#port.random, lean: this.#port.lean }
  }

  /** Lets a controller look at an object. */
  #look(tasks: ControllerTasks, { namespace, name }: ObjectMeta, cause: Cause): void {
    this.#lookAt(tasks, namespace, name, cause)
  }

  #lookAt(tasks: ControllerTasks, ...[namespace, name, cause]: [string | undefined, string, Cause]): void {
    if (tasks.off || (cause === 'aside' && !this.#port.anyFailed())) return
    const task = tasks.of(namespace, name)
    if (cause === 'aside' && task.failures === 0) return
    if (cause === 'own' && this.#port.makes(task)) return
    this.#port.enqueue(task)
  }

  /** The controller of an object looks at it again. */
  #owner(object: KubeObject): void {
    const owner = controllerOf(object)
    const name = owner === undefined ? undefined : OWNERS[owner.kind]
    if (owner !== undefined && name !== undefined)
      this.#lookAt(this.#tasks[name], object.metadata.namespace, owner.name, 'input')
    else if (owner === undefined && object.kind === 'ReplicaSet') this.#matching('apps', 'deployments', object)
  }

  #matching(group: string, resource: string, object: KubeObject): void {
    for (const each of this.#port.index.list(group, resource, object.metadata.namespace)) {
      const { selector } = each.spec as { readonly selector: Parameters<typeof selectorMatches>[0] }
      const name = OWNERS[each.kind]
      if (name !== undefined && selectorMatches(selector, object.metadata.labels))
        this.#look(this.#tasks[name], each.metadata, 'input')
    }
  }

  #pod(change: ApiChange): void {
    const pod = change.object as Pod
    const previous = change.previous as Pod | undefined
    this.#countOnNode(change)
    const gone = change.type === 'DELETED'
    if (!gone && pod.spec.nodeName === undefined)
      this.#port.enqueue(this.#schedulerTask(pod.metadata.namespace, pod.metadata.name))
    const owner = controllerOf(pod)
    const before = previous === undefined ? undefined : controllerOf(previous)
    if (owner?.kind === 'ReplicaSet') {
      const counts = gone || previous === undefined || movesCounts(pod, previous)
      this.#lookAt(this.#tasks.replicaset, pod.metadata.namespace, owner.name, counts ? 'input' : 'aside')
    } else if (owner !== undefined) this.#owner(pod)
    else for (const [group, resource] of SELECTING) this.#matching(group, resource, pod)
    if (previous !== undefined && before?.uid !== owner?.uid) this.#owner(previous)
    if (gone) this.#grandOwner(pod)
    if (gone || previous === undefined || movesEndpoints(pod, previous)) this.#servicesOf(pod, previous, 'input')
    else if (this.#port.anyFailed()) this.#servicesOf(pod, previous, 'aside')
    this.#budgetsOf(pod)
  }

  /** A pod that is gone may let a Recreate rollout of its Deployment go on. */
  #grandOwner(pod: Pod): void {
    const owner = controllerOf(pod)
    const set = owner === undefined ? undefined : this.#port.index.byUid(owner.uid)
    if (set !== undefined) this.#owner(set.object)
  }

  #countOnNode(change: ApiChange): void {
    const after = change.type === 'DELETED' ? undefined : (change.object as Pod).spec.nodeName
    const kept = change.type === 'DELETED' ? (change.object as Pod) : (change.previous as Pod | undefined)
    const before = kept?.spec.nodeName
    if (before === after) return
    if (before !== undefined) this.#podsPerNode.set(before, (this.#podsPerNode.get(before) ?? 1) - 1)
    if (after !== undefined) this.#podsPerNode.set(after, (this.#podsPerNode.get(after) ?? 0) + 1)
  }

  #servicesOf(pod: Pod, previous: Pod | undefined, cause: Cause): void {
    const { namespace, labels } = pod.metadata
    const before = previous?.metadata.labels
    for (const object of this.#port.index.list('', 'services', namespace)) {
      const { selector } = (object as Service).spec
      if (selector === undefined) continue
      if (!labelsInclude(labels, selector) && (before === labels || !labelsInclude(before, selector))) continue
      this.#look(this.#tasks.endpoints, object.metadata, isLeaving(previous) ? 'aside' : cause)
      this.#look(this.#tasks.endpointslice, object.metadata, cause)
    }
  }

  #endpoints({ namespace, name }: ObjectMeta): void {
    this.#lookAt(this.#tasks.endpoints, namespace, name, 'own')
    const mirrored = mirrorsEndpoints(this.#port.index.get('', 'services', namespace, name))
    this.#lookAt(this.#tasks.endpointslice, namespace, name, mirrored ? 'input' : 'aside')
  }

  #slice({ namespace, labels }: ObjectMeta): void {
    const name = labels?.['kubernetes.io/service-name']
    if (name !== undefined) this.#lookAt(this.#tasks.endpointslice, namespace, name, 'own')
  }

  #namespaceChanged({ type, object }: ApiChange): void {
    const { name, deletionTimestamp } = object.metadata
    if (type === 'DELETED') this.#ending.delete(name)
    else if (deletionTimestamp !== undefined) this.#ending.add(name)
    this.#namespace(name)
  }

  #namespace(name: string): void {
    if (this.#port.without.has('namespace')) return
    if (this.#ending.has(name))
      return this.#port.later(this.#port.now() + NAMESPACE_GRACE_MS, this.#namespaceEndTask(name))
    const task = this.#namespaceTask(name)
    if (!this.#port.makes(task)) this.#port.enqueue(task)
  }

  /** Deleted born-with objects come back. */
  #bornWith({ resource, object }: ApiChange): void {
    const { namespace, name } = object.metadata
    const born = resource === 'configmaps' ? 'kube-root-ca.crt' : 'default'
    if (namespace !== undefined && name === born && !this.#ending.has(namespace)) this.#namespace(namespace)
  }

  #nodes(): void {
    for (const set of this.#port.index.list('apps', 'daemonsets'))
      this.#look(this.#tasks.daemonset, set.metadata, 'input')
    for (const pod of this.#port.index.list('', 'pods') as readonly Pod[]) {
      if (pod.spec.nodeName === undefined)
        this.#pod({ type: 'MODIFIED', group: '', resource: 'pods', object: pod, previous: pod })
    }
  }

  /** Objects whose owners may be gone, and owners that wait for their dependents. */
  #ownership({ type, object, previous }: ApiChange): void {
    if (this.#port.without.has('garbage-collector')) return
    const { metadata } = object
    const { deletionTimestamp, ownerReferences } = metadata
    if (type === 'DELETED') {
      for (const dependent of this.#port.index.dependents(metadata.uid ?? ''))
        this.#collect(dependent.object.metadata.uid)
    } else if (deletionTimestamp !== undefined) {
      if ((metadata.finalizers ?? []).length > 0) this.#collect(metadata.uid)
    } else {
      const moved =
        type === 'ADDED'
          ? ownerReferences !== undefined && !hasSolidOwners(this.#port.index, object)
          : losesOwners(previous?.metadata.ownerReferences, ownerReferences)
      if (moved) this.#collect(metadata.uid)
      return
    }
    for (const { uid } of ownerReferences ?? [])
      if (this.#port.index.byUid(uid)?.object.metadata.deletionTimestamp !== undefined) this.#collect(uid)
  }

  #collect(uid: string = ''): void {
    this.#port.enqueue(this.#garbageTask(uid))
  }
}

/** Whether there are other owners than before, by their number. */
function losesOwners(before: ObjectMeta['ownerReferences'], now: ObjectMeta['ownerReferences']): boolean {
  return before !== now && before?.length !== now?.length
}

function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name } = object.metadata
  return namespace === undefined ? { name } : { namespace, name }
}
