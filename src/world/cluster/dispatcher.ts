import { keptByParts } from '../../lib/memory/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { ApiChange, KubeObject } from '../../kinds/index.ts'
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

/** A text, or one object for equal tasks: that costs no putting together and no hashing. */
export type TaskKey = string | ObjectKey

/** A controller's look at one object. */
export interface Task {
  readonly level: number
  /** Stands for controller and object; a task waits at most once. */
  readonly key: TaskKey
  readonly plan: () => Plan<Requeue>
  /** What its waiting ends with; made when it waits first. */
  run?: () => void
}

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
  /** Whether the task of that key makes this very change; it is done again if it asks for that. */
  makes(key: TaskKey): boolean
  /** Whether the task of that key was given up the last time it ran. */
  failed(key: TaskKey): boolean
  /** Whether any task was. */
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
/** Resources whose changes concern just one controller of the same object. */
const PLAIN: Readonly<Record<string, ControllerName>> = {
  deployments: 'deployment',
  daemonsets: 'daemonset',
  jobs: 'job',
  poddisruptionbudgets: 'disruption',
  resourcequotas: 'quota'
}

/** Most parts of tasks' names that are kept; one that waits as they are forgotten may be done twice. */
const TASKS_MAX = 10_000

/** Turns API changes into work: which controllers have to look at which objects. */
export class Dispatcher {
  readonly #port: DispatcherPort
  readonly #namespaces: NamespaceSource
  readonly #podsPerNode = new Map<string, number>()
  /** A controller's task of an object, the same one every time. */
  readonly #taskOf: (controller: ControllerName, namespace: string | undefined, name: string) => Task = keptByParts(
    TASKS_MAX,
    (controller, namespace, name): Task => {
      const { level, reconcile } = CONTROLLERS[controller]
      const key = namespace === undefined ? { name } : { namespace, name }
      return { level, key, plan: () => reconcile(this.#context(), key) }
    }
  )
  readonly #autoscalers = new Map<string, AutoscalerMemory>()

  constructor(port: DispatcherPort) {
    this.#port = port
    this.#namespaces = {
      rootCertificate: port.rootCertificate,
      contents: (namespace) => port.index.contents(namespace)
    }
  }

  /**
   * Enqueues everything a change concerns. The index has taken it in already.
   * @param initial - the object was there before: its owners are not questioned, some may be of kinds nobody listed
   */
  dispatch(change: ApiChange, initial: boolean = false): void {
    const { object, resource } = change
    switch (resource) {
      case 'pods':
        this.#pod(change)
        break
      case 'replicasets':
        this.#controller('replicaset', object, 'own')
        this.#owner(object)
        break
      case 'controllerrevisions':
        this.#owner(object)
        break
      case 'horizontalpodautoscalers':
        this.#autoscaler(change)
        break
      case 'services':
        this.#controller('endpoints', object)
        this.#controller('endpointslice', object)
        break
      case 'endpoints':
        this.#endpoints(object)
        break
      case 'endpointslices':
        this.#slice(object)
        break
      case 'namespaces':
        this.#namespace(object.metadata.name)
        break
      case 'nodes':
        this.#nodes()
        break
      default:
        this.#plain(change)
    }
    this.#quotas(change)
    if (!initial || object.metadata.deletionTimestamp !== undefined) this.#ownership(change)
    if (!initial) this.#namespaceContent(change)
  }

  /** Number of pods bound to a node. */
  podsOn(node: string): number {
    return this.#podsPerNode.get(node) ?? 0
  }

  #plain(change: ApiChange): void {
    const name = PLAIN[change.resource]
    if (name === undefined || change.type === 'DELETED') return
    this.#controller(name, change.object, name === 'deployment' ? 'own' : 'input')
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
    this.#port.later(this.#port.now() + AUTOSCALER_PERIOD_MS, { level: LEVEL.services, key: text, plan })
  }

  #quotas(change: ApiChange): void {
    const { namespace } = change.object.metadata
    if (namespace === undefined || change.resource === 'resourcequotas') return
    for (const quota of this.#port.index.list('', 'resourcequotas', namespace)) this.#controller('quota', quota)
  }

  #budgetsOf(pod: Pod): void {
    for (const budget of this.#port.index.list('policy', 'poddisruptionbudgets', pod.metadata.namespace)) {
      const { selector } = (budget.spec ?? {}) as { readonly selector?: LabelSelector }
      if (selector !== undefined && selectorMatches(selector, pod.metadata.labels))
        this.#controller('disruption', budget)
    }
  }

  #context(): ReconcileContext {
    return { view: this.#port.index, now: this.#port.now(), random: this.#port.random, lean: this.#port.lean }
  }

  #controller(name: ControllerName, { metadata }: KubeObject, cause: Cause = 'input'): void {
    this.#byName(name, metadata.namespace, metadata.name, cause)
  }

  #byName(name: ControllerName, ...[namespace, objectName, cause]: [string | undefined, string, Cause]): void {
    if (this.#port.without.has(name)) return
    if (cause === 'aside' && !this.#port.anyFailed()) return
    const task = this.#taskOf(name, namespace, objectName)
    if (cause === 'aside' && !this.#port.failed(task.key)) return
    if (cause === 'own' && this.#port.makes(task.key)) return
    this.#port.enqueue(task)
  }

  /** The controller of an object looks at it again. */
  #owner(object: KubeObject): void {
    const owner = controllerOf(object)
    const name = owner === undefined ? undefined : OWNERS[owner.kind]
    if (owner !== undefined && name !== undefined) this.#byName(name, object.metadata.namespace, owner.name, 'input')
    else if (owner === undefined && object.kind === 'ReplicaSet') this.#matching('apps', 'deployments', object)
  }

  #matching(group: string, resource: string, object: KubeObject): void {
    for (const each of this.#port.index.list(group, resource, object.metadata.namespace)) {
      const { selector } = each.spec as { readonly selector: Parameters<typeof selectorMatches>[0] }
      const name = OWNERS[each.kind]
      if (name !== undefined && selectorMatches(selector, object.metadata.labels)) this.#controller(name, each)
    }
  }

  #pod(change: ApiChange): void {
    const pod = change.object as Pod
    const previous = change.previous as Pod | undefined
    this.#countOnNode(change)
    const gone = change.type === 'DELETED'
    if (!gone && pod.spec.nodeName === undefined) {
      const key = keyOf(pod)
      const text = `scheduler|${pod.metadata.uid ?? ''}`
      const plan = (): Plan<Requeue> => schedulePod(this.#context(), key, (node) => this.podsOn(node))
      this.#port.enqueue({ level: LEVEL.pods, key: text, plan })
    }
    const owner = controllerOf(pod)
    const before = previous === undefined ? undefined : controllerOf(previous)
    if (owner?.kind === 'ReplicaSet') {
      const counts = gone || previous === undefined || movesCounts(pod, previous)
      this.#byName('replicaset', pod.metadata.namespace, owner.name, counts ? 'input' : 'aside')
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
    for (const object of this.#port.index.list('', 'services', pod.metadata.namespace)) {
      const { selector } = (object as Service).spec
      if (selector === undefined) continue
      const concerned =
        labelsInclude(pod.metadata.labels, selector) ||
        (previous !== undefined && labelsInclude(previous.metadata.labels, selector))
      if (!concerned) continue
      this.#controller('endpoints', object, isLeaving(previous) ? 'aside' : cause)
      this.#controller('endpointslice', object, cause)
    }
  }

  #endpoints(endpoints: KubeObject): void {
    this.#controller('endpoints', endpoints, 'own')
    const { namespace, name } = endpoints.metadata
    const mirrored = mirrorsEndpoints(this.#port.index.get('', 'services', namespace, name))
    this.#controller('endpointslice', endpoints, mirrored ? 'input' : 'aside')
  }

  #slice(slice: KubeObject): void {
    const name = slice.metadata.labels?.['kubernetes.io/service-name']
    if (name !== undefined) this.#byName('endpointslice', slice.metadata.namespace, name, 'own')
  }

  #namespace(name: string): void {
    if (this.#port.without.has('namespace')) return
    const plan = (): Plan<Requeue> => reconcileNamespace(this.#context(), { name }, this.#namespaces)
    const key = `namespace|${name}`
    const home = this.#port.index.get('', 'namespaces', undefined, name)
    if (home?.metadata.deletionTimestamp !== undefined) {
      this.#port.later(this.#port.now() + NAMESPACE_GRACE_MS, { level: LEVEL.cluster, key, plan })
      return
    }
    // At once: pods are refused until their namespace has its default ServiceAccount.
    if (!this.#port.makes(key)) this.#port.enqueue({ level: LEVEL.pods, key, plan })
  }

  /** Deleted born-with objects come back; a terminating namespace waits for its last object. */
  #namespaceContent(change: ApiChange): void {
    const { namespace, name } = change.object.metadata
    if (namespace === undefined) return
    const bornWith =
      (change.resource === 'configmaps' && name === 'kube-root-ca.crt') ||
      (change.resource === 'serviceaccounts' && name === 'default')
    if (bornWith) return this.#namespace(namespace)
    const home = this.#port.index.get('', 'namespaces', undefined, namespace)
    if (home?.metadata.deletionTimestamp !== undefined) this.#namespace(namespace)
  }

  #nodes(): void {
    for (const set of this.#port.index.list('apps', 'daemonsets')) this.#controller('daemonset', set)
    for (const pod of this.#port.index.list('', 'pods') as readonly Pod[]) {
      if (pod.spec.nodeName === undefined)
        this.#pod({ type: 'MODIFIED', group: '', resource: 'pods', object: pod, previous: pod })
    }
  }

  /** Objects whose owners may be gone, and owners that wait for their dependents. */
  #ownership(change: ApiChange): void {
    if (this.#port.without.has('garbage-collector')) return
    const { metadata } = change.object
    const uid = metadata.uid ?? ''
    if (change.type === 'DELETED') {
      for (const dependent of this.#port.index.dependents(uid)) this.#collect(dependent.object.metadata.uid ?? '')
    } else if (metadata.deletionTimestamp !== undefined) {
      if ((metadata.finalizers ?? []).length > 0) this.#collect(uid)
    } else if (change.type === 'ADDED') {
      if (!hasSolidOwners(this.#port.index, change.object)) this.#collect(uid)
    } else if (change.previous?.metadata.ownerReferences?.length !== metadata.ownerReferences?.length)
      this.#collect(uid)
    if (change.type !== 'DELETED' && metadata.deletionTimestamp === undefined) return
    for (const owner of metadata.ownerReferences ?? []) {
      const found = this.#port.index.byUid(owner.uid)
      if (found?.object.metadata.deletionTimestamp !== undefined) this.#collect(owner.uid)
    }
  }

  #collect(uid: string): void {
    const plan = (): Plan<Requeue> => collectGarbage(this.#port.index, uid)
    this.#port.enqueue({ level: LEVEL.cluster, key: `garbage|${uid}`, plan })
  }
}

function keyOf(object: KubeObject): ObjectKey {
  const { namespace, name } = object.metadata
  return namespace === undefined ? { name } : { namespace, name }
}
