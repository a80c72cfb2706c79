import { TwinError, invariant } from '../../lib/errors/index.ts'
import { EventQueue, type Instant, type Scheduled, type Timeline } from '../../lib/time/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { ApiChange, ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import type { ControllerEvent, MetricsReader, Pod, PodRuntime } from '../../model/controllers/index.ts'
import { ClusterIndex } from './cluster-index.ts'
import { LEVEL, LEVELS } from './controllers.ts'
import { Dispatcher, type Task, type TaskKey } from './dispatcher.ts'
import { EventRecorder } from './event-recorder.ts'
import { leanRequest } from './lean-requests.ts'
import { DEFAULT_NODES, nodeAddress, registerNode } from './nodes.ts'
import { runPlan } from './plan-runner.ts'
import { PodAddresses } from './pod-addresses.ts'
import { type KubeletPort, PodWorker } from './pod-worker.ts'
import { WorkQueue } from './work-queue.ts'

/** The part of the API server a cluster needs. */
export interface ClusterApi {
  handle(request: ApiRequest): ApiResponse
  subscribe(listener: (change: ApiChange) => void): () => void
  list(group: string, resource: string, namespace?: string): readonly KubeObject[]
}

/** Settings of a cluster. */
export interface ClusterOptions {
  readonly timeline: Timeline
  readonly api: ClusterApi
  readonly random: Random
  readonly runtime: PodRuntime
  /** `auto`: changes are acted upon in the same instant. `manual`: nothing acts until {@link Cluster.settle}. Default `auto`. */
  readonly mode?: 'auto' | 'manual'
  /** `lean` leaves out Events and the pod statuses only a watcher would see. Default `full`. */
  readonly detail?: 'full' | 'lean'
  /** Names of the Ready nodes to register; default `node-1`, `node-2`. */
  readonly nodes?: readonly string[]
  /** PEM certificate for `kube-root-ca.crt`; default a placeholder text. */
  readonly rootCertificate?: string
  /** Resource metrics for autoscalers; absent: the metrics API is not served. */
  readonly metrics?: MetricsReader
  /** Controllers that do not run: objects are stored and nothing acts on them (golden traces have no `horizontal`). */
  readonly without?: readonly string[]
}

/** Controllers, scheduler and kubelets over an API server. */
export interface Cluster {
  readonly api: ClusterApi
  /** Runs everything that is due by now to a fixed point. @throws TwinError TWIN_INTERNAL when it finds none */
  settle(): void
  /** Reports that a container's process ended by itself. `podKey` is `namespace/name`. */
  containerExited(podKey: string, container: string, exitCode: number): void
  /** Asks the runtime again which pods may be ready (rules have changed). */
  refreshPods(): void
  /** Reads the whole API again: after its state was restored. */
  resync(): void
  /** Ends everything; pods are told to stop. */
  stop(): void
}

/** Most pieces of work of one settling. */
const MAX_WORK = 50_000_000
const RETRY_BASE_MS = 5
const RETRY_MAX_MS = 1_000_000

/** Resources read when a cluster starts over an API that has content. */
const INITIAL_RESOURCES: readonly (readonly [string, string])[] = [
  ['', 'nodes'],
  ['', 'namespaces'],
  ['', 'configmaps'],
  ['', 'secrets'],
  ['', 'serviceaccounts'],
  ['', 'services'],
  ['', 'endpoints'],
  ['discovery.k8s.io', 'endpointslices'],
  ['', 'pods'],
  ['apps', 'replicasets'],
  ['apps', 'deployments'],
  ['apps', 'daemonsets'],
  ['apps', 'controllerrevisions'],
  ['batch', 'jobs'],
  ['batch', 'cronjobs'],
  ['autoscaling', 'horizontalpodautoscalers'],
  ['policy', 'poddisruptionbudgets'],
  ['', 'resourcequotas'],
  ['networking.k8s.io', 'ingresses'],
  ['flagger.app', 'canaries'],
  ['gateway.networking.k8s.io', 'httproutes'],
  ['split.smi-spec.io', 'trafficsplits'],
  ['keda.sh', 'scaledobjects'],
  ['networking.istio.io', 'virtualservices'],
  ['networking.istio.io', 'destinationrules'],
  ['projectcontour.io', 'httpproxies'],
  ['gateway.solo.io', 'routetables'],
  ['gloo.solo.io', 'upstreams'],
  ['kuma.io', 'trafficroutes'],
  ['traefik.io', 'traefikservices']
]

/** Wires controllers to an API server and a clock. */
export function createCluster(options: ClusterOptions): Cluster {
  return new RunningCluster(options)
}

class RunningCluster implements Cluster, KubeletPort {
  readonly api: ClusterApi
  readonly runtime: PodRuntime
  readonly addresses: PodAddresses = new PodAddresses()
  readonly lean: boolean
  readonly #options: ClusterOptions
  readonly #auto: boolean
  readonly #queue = new WorkQueue(LEVELS)
  readonly #delayed = new EventQueue()
  readonly #recorder: EventRecorder
  readonly #failures = new Map<TaskKey, number>()
  /** The next look at an object that is due without a change, by key. */
  readonly #planned = new Map<TaskKey, { readonly due: Instant; readonly scheduled: Scheduled }>()
  #index = new ClusterIndex()
  #workers = new Map<string, PodWorker>()
  #dispatcher: Dispatcher
  /** The task that is being done. */
  #task: Task | undefined
  /** Whether it has changed what it looks after. */
  #changedOwn = false
  #armed: { readonly due: Instant; readonly scheduled: Scheduled } | undefined
  #busy = false
  #stopped = false
  readonly #unsubscribe: () => void

  constructor(options: ClusterOptions) {
    this.#options = options
    this.api = options.api
    this.runtime = options.runtime
    this.lean = options.detail === 'lean'
    this.#auto = options.mode !== 'manual'
    this.#recorder = new EventRecorder((request) => this.api.handle(request))
    this.#dispatcher = this.#newDispatcher()
    this.#unsubscribe = this.api.subscribe((change) => this.#onChange(change))
    this.#load()
    this.#registerNodes()
    this.#wake()
  }

  now(): Instant {
    return this.#options.timeline.now()
  }

  at(due: Instant, run: () => void): Scheduled {
    const scheduled = this.#delayed.add(due, run)
    this.#wake()
    return scheduled
  }

  send(request: ApiRequest): ApiResponse {
    if (!this.lean) return this.api.handle(request)
    const load = (node: string): number => this.#dispatcher.podsOn(node)
    return this.api.handle(leanRequest(request, { view: this.#index, runtime: this.runtime, load }))
  }

  record(event: ControllerEvent): void {
    if (!this.lean) this.#recorder.record(event, this.now())
  }

  nodeIp(node: string): string {
    return nodeAddress(Math.max(0, (this.#options.nodes ?? DEFAULT_NODES).indexOf(node)))
  }

  settle(): void {
    if (this.#busy || this.#stopped) return
    this.#busy = true
    try {
      this.#drain()
    } finally {
      this.#busy = false
    }
    this.#wake()
  }

  containerExited(podKey: string, container: string, exitCode: number): void {
    const [namespace = '', name = ''] = podKey.split('/')
    const pod = this.#index.get('', 'pods', namespace, name)
    const worker = pod === undefined ? undefined : this.#workers.get(pod.metadata.uid ?? '')
    if (worker === undefined) throw new TwinError('TWIN_INTERNAL', `No pod ${podKey} runs on a node.`)
    worker.exited(container, exitCode)
    this.#wake()
  }

  refreshPods(): void {
    for (const object of this.#index.list('', 'pods')) {
      const { uid = '' } = object.metadata
      this.#queue.add(LEVEL.pods, `refresh|${uid}`, () => this.#workers.get(uid)?.refresh())
    }
    this.#wake()
  }

  resync(): void {
    for (const worker of this.#workers.values()) worker.abandon()
    this.#workers = new Map()
    this.#index = new ClusterIndex()
    this.#queue.clear()
    this.#failures.clear()
    for (const { scheduled } of this.#planned.values()) scheduled.cancel()
    this.#planned.clear()
    this.#dispatcher = this.#newDispatcher()
    this.#load()
    this.#wake()
  }

  stop(): void {
    this.#stopped = true
    this.#unsubscribe()
    this.#armed?.scheduled.cancel()
    this.#queue.clear()
    for (const worker of this.#workers.values()) worker.remove()
    this.#workers.clear()
  }

  #newDispatcher(): Dispatcher {
    return new Dispatcher({
      index: this.#index,
      without: new Set(this.#options.without ?? []),
      rootCertificate: this.#options.rootCertificate ?? 'rollout-twin',
      random: this.#options.random,
      lean: this.lean,
      enqueue: (task) => this.#enqueue(task),
      later: (due, task) => this.#requeue(task, due),
      makes: (key) => this.#makes(key),
      failed: (key) => this.#failures.has(key),
      anyFailed: () => this.#failures.size > 0,
      metrics: this.#options.metrics,
      now: () => this.now()
    })
  }

  #load(): void {
    for (const [group, resource] of INITIAL_RESOURCES) {
      for (const object of this.api.list(group, resource)) {
        this.#onChange({ type: 'ADDED', group, resource, object }, true)
      }
    }
  }

  #registerNodes(): void {
    for (const [index, name] of (this.#options.nodes ?? DEFAULT_NODES).entries()) {
      if (this.#index.get('', 'nodes', undefined, name) !== undefined) continue
      for (const request of registerNode(name, index, this.now())) this.api.handle(request)
    }
  }

  #onChange(change: ApiChange, initial: boolean = false): void {
    if (this.#stopped) return
    if (change.resource === 'events' && (change.group === '' || change.group === 'events.k8s.io')) return
    this.#index.apply(change)
    if (change.resource === 'pods' && change.group === '') this.#podChanged(change)
    this.#dispatcher.dispatch(change, initial)
    this.#wake()
  }

  #podChanged(change: ApiChange): void {
    const pod = change.object as Pod
    if (change.type !== 'DELETED') return this.#enqueuePod(pod)
    this.#workers.get(pod.metadata.uid ?? '')?.remove()
    this.#workers.delete(pod.metadata.uid ?? '')
  }

  /** Lets the pod's kubelet look at it. */
  #enqueuePod(pod: Pod): void {
    if (pod.spec.nodeName === undefined) return
    const { uid = '', namespace, name } = pod.metadata
    if (this.#workers.get(uid)?.writing === true) return
    this.#queue.add(LEVEL.pods, `kubelet|${uid}`, () => {
      const current = this.#index.get('', 'pods', namespace, name) as Pod | undefined
      if (current === undefined || current.metadata.uid !== uid) return
      let worker = this.#workers.get(uid)
      if (worker === undefined) {
        worker = new PodWorker(this, current)
        this.#workers.set(uid, worker)
      }
      worker.sync(current)
    })
  }

  #enqueue(task: Task): void {
    this.#queue.add(task.level, task.key, task.run ?? this.#runOf(task))
    this.#wake()
  }

  #runOf(task: Task): () => void {
    const run = (): void => this.#perform(task)
    task.run = run
    return run
  }

  #perform(task: Task): void {
    this.#task = task
    this.#changedOwn = false
    const outcome = runPlan(task.plan(), this)
    this.#task = undefined
    const failed = outcome.retry === true
    if (this.#changedOwn && (failed || outcome.again === true)) this.#enqueue(task)
    if (failed) this.#retry(task)
    else this.#failures.delete(task.key)
    const { requeueAt } = outcome
    if (requeueAt === undefined) return
    // What others do about this task's own change may bring it back before anything has to be planned.
    if (this.#changedOwn) this.#queue.add(task.level, task.key, () => this.#requeue(task, requeueAt), true)
    else this.#requeue(task, requeueAt)
  }

  #makes(key: TaskKey): boolean {
    if (this.#task?.key !== key) return false
    this.#changedOwn = true
    return true
  }

  #retry(task: Task): void {
    const failures = this.#failures.get(task.key) ?? 0
    this.#failures.set(task.key, failures + 1)
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(failures, 30))
    this.#requeue(task, this.now() + delayMs)
  }

  #requeue(task: Task, due: Instant): void {
    const planned = this.#planned.get(task.key)
    if (planned !== undefined && planned.due <= due) return
    planned?.scheduled.cancel()
    const scheduled = this.#delayed.add(due, () => {
      this.#planned.delete(task.key)
      this.#enqueue(task)
    })
    this.#planned.set(task.key, { due, scheduled })
  }

  #drain(): void {
    for (let work = 0; work < MAX_WORK; work++) {
      const item = this.#queue.take()
      if (item !== undefined) {
        item.run()
        continue
      }
      const due = this.#delayed.nextDue()
      if (due === undefined || due > this.now()) return
      this.#delayed.take()?.callback()
    }
    invariant(false, 'The cluster finds no fixed point: two controllers undo each other.')
  }

  /** In auto mode, sees to it that the clock comes back when there is something to do. */
  #wake(): void {
    if (!this.#auto || this.#busy || this.#stopped) return
    const due = this.#queue.empty ? this.#delayed.nextDue() : this.now()
    if (due === undefined || (this.#armed !== undefined && this.#armed.due <= due)) return
    this.#armed?.scheduled.cancel()
    const scheduled = this.#options.timeline.at(due, () => {
      this.#armed = undefined
      this.settle()
    })
    this.#armed = { due, scheduled }
  }
}
