import { TwinError, invariant } from '../../lib/errors/index.ts'
import { EventQueue, type Instant, type Scheduled, type Timeline } from '../../lib/time/index.ts'
import type { Random } from '../../lib/random/index.ts'
import type { ApiChange, ApiRequest, ApiResponse, KubeObject } from '../../kinds/index.ts'
import type { ControllerEvent, MetricsReader, Pod, PodRuntime } from '../../model/controllers/index.ts'
import { ClusterIndex } from './cluster-index.ts'
import { LEVEL, LEVELS } from './controllers.ts'
import { Dispatcher } from './dispatcher.ts'
import { EventRecorder } from './event-recorder.ts'
import { leanRequest } from './lean-requests.ts'
import { DEFAULT_NODES, nodeAddress, registerNode } from './nodes.ts'
import { runPlan } from './plan-runner.ts'
import { PodAddresses } from './pod-addresses.ts'
import { type KubeletPort, PodWorker } from './pod-worker.ts'
import type { Task } from './tasks.ts'
import { type Work, WorkQueue } from './work-queue.ts'

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

/** What there is to do with one pod on its node. */
interface PodWork {
  worker: PodWorker | undefined
  /** The kubelet looks at the pod. */
  readonly sync: Work
  /** It asks again whether the pod may be ready. */
  readonly refresh: Work
}

function newWork(run: () => void): Work {
  return { level: LEVEL.pods, run, waiting: false }
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
  /** Tasks that were given up the last time. */
  readonly #failing = new Set<Task>()
  /** Tasks whose next look is due without a change. */
  readonly #planned = new Set<Task>()
  #index = new ClusterIndex()
  /** What kubelets have to do with pods, by their uid. */
  #pods = new Map<string, PodWork>()
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
    const worker = this.#pods.get(pod?.metadata.uid ?? '')?.worker
    if (worker === undefined) throw new TwinError('TWIN_INTERNAL', `No pod ${podKey} runs on a node.`)
    worker.exited(container, exitCode)
    this.#wake()
  }

  refreshPods(): void {
    for (const { metadata } of this.#index.list('', 'pods')) {
      const work = this.#pods.get(metadata.uid ?? '')
      if (work !== undefined) this.#queue.add(work.refresh)
    }
    this.#wake()
  }

  resync(): void {
    for (const { worker } of this.#pods.values()) worker?.abandon()
    this.#pods = new Map()
    this.#index = new ClusterIndex()
    this.#queue.clear()
    this.#failing.clear()
    for (const { planned } of this.#planned) planned?.scheduled.cancel()
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
    for (const { worker } of this.#pods.values()) worker?.remove()
    this.#pods.clear()
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
      perform: (task) => this.#perform(task),
      makes: (task) => this.#makes(task),
      anyFailed: () => this.#failing.size > 0,
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
    const { resource, group } = change
    if (resource === 'events' && (group === '' || group === 'events.k8s.io')) return
    this.#index.apply(change)
    if (resource === 'pods' && group === '') this.#podChanged(change)
    this.#dispatcher.dispatch(change, initial)
    this.#wake()
  }

  #podChanged(change: ApiChange): void {
    const pod = change.object as Pod
    const { uid = '' } = pod.metadata
    const known = this.#pods.get(uid)
    if (change.type === 'DELETED') {
      known?.worker?.remove()
      this.#pods.delete(uid)
    } else if (pod.spec.nodeName !== undefined && known?.worker?.writing !== true)
      this.#queue.add((known ?? this.#newPodWork(pod, uid)).sync)
  }

  /** What the kubelet of a pod has to do with it. */
  #newPodWork({ metadata }: Pod, uid: string): PodWork {
    const { namespace, name } = metadata
    const work: PodWork = {
      worker: undefined,
      sync: newWork(() => {
        const current = this.#index.get('', 'pods', namespace, name) as Pod | undefined
        if (current === undefined || current.metadata.uid !== uid) return
        work.worker ??= new PodWorker(this, current)
        work.worker.sync(current)
      }),
      refresh: newWork(() => work.worker?.refresh())
    }
    this.#pods.set(uid, work)
    return work
  }

  /** Lets a task wait for its look; one that waits to plan it looks instead. */
  #enqueue(task: Task): void {
    task.plansFor = undefined
    this.#queue.add(task)
    this.#wake()
  }

  /** Does what a task waits for. */
  #perform(task: Task): void {
    const { plansFor } = task
    task.plansFor = undefined
    if (plansFor === undefined) this.#look(task)
    else this.#requeue(task, plansFor)
  }

  #look(task: Task): void {
    this.#task = task
    this.#changedOwn = false
    const { retry, again, requeueAt } = runPlan(task.plan(), this)
    this.#task = undefined
    if (this.#changedOwn && (retry === true || again === true)) this.#enqueue(task)
    if (retry === true) this.#retry(task)
    else if (task.failures > 0) this.#recover(task)
    if (requeueAt === undefined) return
    // What others do about this task's own change may bring it back before anything has to be planned.
    if (!this.#changedOwn) this.#requeue(task, requeueAt)
    else if (!task.waiting) {
      task.plansFor = requeueAt
      this.#queue.add(task)
    }
  }

  #makes(task: Task): boolean {
    if (this.#task !== task) return false
    this.#changedOwn = true
    return true
  }

  #retry(task: Task): void {
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(task.failures, 30))
    task.failures += 1
    this.#failing.add(task)
    this.#requeue(task, this.now() + delayMs)
  }

  #recover(task: Task): void {
    task.failures = 0
    this.#failing.delete(task)
  }

  #requeue(task: Task, due: Instant): void {
    if (task.planned !== undefined && task.planned.due <= due) return
    task.planned?.scheduled.cancel()
    const scheduled = this.#delayed.add(due, () => {
      task.planned = undefined
      this.#planned.delete(task)
      this.#enqueue(task)
    })
    task.planned = { due, scheduled }
    this.#planned.add(task)
  }

  #drain(): void {
    for (let count = 0; count < MAX_WORK; count++) {
      const work = this.#queue.take()
      if (work !== undefined) {
        work.run()
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
