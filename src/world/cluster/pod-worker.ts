import { type Instant, type Scheduled, formatTimestamp } from '../../lib/time/index.ts'
import type { ApiRequest, ApiResponse } from '../../kinds/index.ts'
import {
  type Backoff,
  type ContainerRun,
  type ControllerEvent,
  type Pod,
  type PodRuntime,
  type PodStart,
  backoffText,
  containerId,
  deleteRequest,
  isPodFinished,
  nextPullDelay,
  planRestart,
  podStatus,
  restarts,
  updateRequest
} from '../../model/controllers/index.ts'
import type { PodAddresses } from './pod-addresses.ts'
import { ProbeLoop } from './probe-loop.ts'

const AGENT = 'kubelet/v1.36.3'
/** How long processes take to end after SIGTERM unless the runtime says otherwise. */
const DEFAULT_SHUTDOWN_MS = 250
/** How long a failed state shows before the back-off does. */
const FAILURE_SHOWN_MS = 1000

/** What a kubelet needs of the cluster. */
export interface KubeletPort {
  now(): Instant
  at(due: Instant, run: () => void): Scheduled
  send(request: ApiRequest): ApiResponse
  record(event: ControllerEvent): void
  readonly runtime: PodRuntime
  readonly addresses: PodAddresses
  nodeIp(node: string): string
  /** Leave out statuses that only a watcher would see. */
  readonly lean: boolean
}

/** One container of one pod on its node. */
interface ContainerWork {
  run: ContainerRun
  /** What it was started from. */
  image: string | undefined
  startedAt: Instant
  backoff: Backoff | undefined
  pullDelayMs: number | undefined
  probes: ProbeLoop | undefined
}

/** The life of one pod on its node: start, probes, restarts, termination. @see kubernetes/pkg/kubelet, v1.36 */
export class PodWorker {
  readonly #port: KubeletPort
  readonly #work = new Map<string, ContainerWork>()
  readonly #timers = new Set<Scheduled>()
  #pod: Pod
  #ip: string | undefined
  #begun = false
  #terminating = false
  #gone = false
  #stopped = false
  /** Several containers change at once: one status for all of them follows. */
  #quiet = false
  #writing = false

  constructor(port: KubeletPort, pod: Pod) {
    this.#port = port
    this.#pod = pod
    for (const container of pod.spec.containers) this.#work.set(container.name, newWork(container.name))
    if (pod.status?.containerStatuses !== undefined && pod.status.podIP !== undefined) this.#takeOver(pod)
  }

  /** The runtime may judge the pod's readiness differently now. */
  refresh(): void {
    if (this.#begun && !this.#terminating && !isPodFinished(this.#pod)) this.#report()
  }

  /** The pod changed: go on from where it is. */
  sync(pod: Pod): void {
    const { resourceVersion } = pod.metadata
    const ownWrite = resourceVersion !== undefined && resourceVersion === this.#pod.metadata.resourceVersion
    if (this.#gone || (this.#begun && ownWrite)) return
    this.#pod = pod
    if (pod.metadata.deletionTimestamp !== undefined) this.#terminate()
    else if (isPodFinished(pod)) return
    else if (this.#begun) {
      this.#restartChanged()
      this.#report()
    } else this.#begin()
  }

  /** The pod is gone from the API. */
  remove(): void {
    if (this.#gone) return
    this.#gone = true
    this.#stop()
    if (this.#ip !== undefined) this.#port.addresses.release(this.#ip)
  }

  /** Another worker takes over: ends nothing but its own timers. */
  abandon(): void {
    this.#stopped = true
    this.remove()
  }

  /** A container's process ended by itself. */
  exited(name: string, exitCode: number): void {
    const work = this.#work.get(name)
    if (work?.run.state.running === undefined || this.#gone) return
    this.#end(name, work, exitCode)
  }

  /** Whether the pod's change is this worker's own, which it knows. */
  get writing(): boolean {
    return this.#writing
  }

  /** Where that container's probes reach the pod as it is now. */
  get pod(): Pod {
    return this.#pod
  }

  #begin(): void {
    this.#begun = true
    const port = this.#port
    const pod = this.#pod
    this.#ip = port.addresses.take(pod.spec.nodeName ?? '')
    const { apiVersion, kind, metadata, spec } = pod
    const status = { ...pod.status, podIP: this.#ip, podIPs: [{ ip: this.#ip }] }
    const placed: Pod = { apiVersion, kind, metadata, spec, status }
    const start = port.runtime.start(placed)
    this.#quiet = true
    for (const name of this.#work.keys()) this.#launch(name, start)
    this.#quiet = false
    this.#report()
  }

  /** Containers whose image was changed are started again with the new one. */
  #restartChanged(): void {
    for (const { name, image } of this.#pod.spec.containers) {
      const work = this.#work.get(name)
      if (work?.run.state.running === undefined || work.image === undefined || work.image === image) continue
      this.#event('Normal', 'Killing', `Container ${name} definition changed, will be restarted`, name)
      this.#end(name, work, 0)
    }
  }

  #takeOver(pod: Pod): void {
    this.#begun = true
    this.#ip = pod.status?.podIP
    if (this.#ip !== undefined) this.#port.addresses.reserve(this.#ip)
    for (const status of pod.status?.containerStatuses ?? []) {
      const { name, state, lastState, restartCount, ready } = status
      const work = this.#work.get(name)
      if (work === undefined) continue
      work.run = { name, state, lastState, restartCount, ready, started: status.started === true }
      work.image = status.image
      if (state.running !== undefined && !isPodFinished(pod)) this.#probe(name, work)
    }
  }

  /** Starts one container as the runtime said. */
  #launch(name: string, start: PodStart): void {
    const work = this.#work.get(name)
    if (work === undefined) return
    const fails = 'imageError' in start && (start.container ?? name) === name
    if (fails) return this.#pullFailed(name, work, start.imageError)
    const begin = 'imageError' in start ? { startupMs: 0 } : start
    work.pullDelayMs = undefined
    work.image = this.#pod.spec.containers.find((each) => each.name === name)?.image
    const run = (): void => this.#started(name, work, begin)
    if (begin.startupMs > 0) this.#later(begin.startupMs, run)
    else run()
  }

  #started(name: string, work: ContainerWork, start: Extract<PodStart, { startupMs: number }>): void {
    const now = this.#port.now()
    work.startedAt = now
    work.run = { ...work.run, state: { running: { startedAt: formatTimestamp(now) } }, ready: false, started: false }
    const container = this.#pod.spec.containers.find((each) => each.name === name)
    const pulled = `Container image "${container?.image ?? ''}" already present on machine and can be accessed by the pod`
    this.#event('Normal', 'Pulled', pulled, name)
    this.#event('Normal', 'Created', 'Container created', name)
    this.#event('Normal', 'Started', 'Container started', name)
    const quiet = this.#quiet
    this.#quiet = true
    this.#probe(name, work)
    this.#quiet = quiet
    const { exit } = start
    if (exit !== undefined) this.#later(exit.afterMs, () => this.exited(name, exit.exitCode))
    if (start.startupMs > 0) this.#report()
  }

  #probe(name: string, work: ContainerWork): void {
    const container = this.#pod.spec.containers.find((each) => each.name === name)
    if (container === undefined) return
    work.probes?.stop()
    work.probes = new ProbeLoop(this.#port, container, {
      pod: () => this.#pod,
      update: (state) => {
        const before = work.run
        work.run = { ...before, ...state }
        if (before.ready !== work.run.ready || before.started !== work.run.started) this.#reportSoon()
      },
      failed: (kind) => {
        const probe = kind === 'startup' ? 'startup' : 'liveness'
        this.#event('Normal', 'Killing', `Container ${name} failed ${probe} probe, will be restarted`, name)
        this.#end(name, work, 137)
      },
      event: (message) => this.#event('Warning', 'Unhealthy', message, name)
    })
    work.probes.start(work.run)
  }

  #end(name: string, work: ContainerWork, exitCode: number): void {
    work.probes?.stop()
    const now = this.#port.now()
    const terminated = {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: formatTimestamp(work.startedAt),
      finishedAt: formatTimestamp(now),
      containerID: containerId(this.#pod, name, work.run.restartCount)
    }
    work.run = { ...work.run, state: { terminated }, ready: false, started: false }
    if (this.#terminating) return
    const again = restarts(this.#pod.spec.restartPolicy, exitCode)
    if (again) this.#planRestart(name, work, now)
    this.#report()
    if (isPodFinished(this.#pod)) this.#stop()
  }

  #planRestart(name: string, work: ContainerWork, now: Instant): void {
    const plan = planRestart(work.backoff, work.startedAt, now)
    work.backoff = plan.backoff
    if (plan.waitedMs > 0)
      this.#later(Math.min(FAILURE_SHOWN_MS, plan.waitedMs), () => this.#backOff(name, work, plan.waitedMs))
    this.#later(plan.startAt - now, () => this.#restart(name, work))
  }

  #backOff(name: string, work: ContainerWork, waitedMs: number): void {
    const { name: podName, namespace = '', uid = '' } = this.#pod.metadata
    const where = `${podName}_${namespace}(${uid})`
    const message = `back-off ${backoffText(waitedMs)} restarting failed container=${name} pod=${where}`
    work.run = waitAgain(work.run, 'CrashLoopBackOff', message)
    this.#event('Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${where}`, name)
    this.#report()
  }

  #restart(name: string, work: ContainerWork): void {
    work.run = { ...waitAgain(work.run, 'ContainerCreating'), restartCount: work.run.restartCount + 1 }
    this.#launch(name, this.#port.runtime.start(this.#pod, name))
    this.#report()
  }

  #pullFailed(name: string, work: ContainerWork, error: string): void {
    const image = this.#pod.spec.containers.find((each) => each.name === name)?.image ?? ''
    work.pullDelayMs = nextPullDelay(work.pullDelayMs)
    const told = error.startsWith('failed to pull')
    const text = told ? error : `failed to pull and unpack image "${image}": ${error}`
    work.run = { ...work.run, state: { waiting: { reason: 'ErrImagePull', message: text } } }
    this.#event('Normal', 'Pulling', `Pulling image "${image}"`, name)
    this.#event('Warning', 'Failed', `Failed to pull image "${image}": ${text}`, name)
    this.#event('Warning', 'Failed', 'Error: ErrImagePull', name)
    this.#later(FAILURE_SHOWN_MS, () => {
      const message = `Back-off pulling image "${image}": ErrImagePull: ${text}`
      work.run = { ...work.run, state: { waiting: { reason: 'ImagePullBackOff', message } } }
      this.#event('Normal', 'BackOff', `Back-off pulling image "${image}"`, name)
      this.#event('Warning', 'Failed', 'Error: ImagePullBackOff', name)
      this.#report()
    })
    this.#later(work.pullDelayMs, () => {
      this.#launch(name, this.#port.runtime.start(this.#pod, name))
      this.#report()
    })
  }

  #terminate(): void {
    if (this.#terminating) return
    this.#terminating = true
    const running = [...this.#work.values()].filter((work) => work.run.state.running !== undefined)
    if (running.length === 0) return this.#finish()
    for (const { run } of running) this.#event('Normal', 'Killing', `Stopping container ${run.name}`, run.name)
    const graceMs = (this.#pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000
    const stopMs = this.#port.runtime.shutdownMs?.(this.#pod) ?? DEFAULT_SHUTDOWN_MS
    const delayMs = Math.min(graceMs, preStopMs(this.#pod) + stopMs)
    if (delayMs > 0) this.#later(delayMs, () => this.#finish())
    else this.#finish()
  }

  #finish(): void {
    this.#stop()
    if (!this.#port.lean && this.#begun) {
      // Servers end well at a SIGTERM; work that was to end by itself counts as failed.
      const exitCode = (this.#pod.spec.restartPolicy ?? 'Always') === 'Always' ? 0 : 143
      for (const [name, work] of this.#work) if (work.run.state.running !== undefined) this.#end(name, work, exitCode)
      this.#report(true)
    }
    this.#port.send(deleteRequest(this.#pod, 'pods', { graceSeconds: 0, agent: AGENT }))
  }

  /** Ends probes, timers and the processes. */
  #stop(): void {
    for (const work of this.#work.values()) work.probes?.stop()
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    if (this.#begun && !this.#stopped) this.#port.runtime.stop(this.#pod)
    this.#stopped = true
  }

  #reportSoon(): void {
    if (!this.#quiet) this.#report()
  }

  /** Writes the status if it changed. */
  #report(ended: boolean = false): void {
    if (this.#gone) return
    const { runtime } = this.#port
    const runs: ContainerRun[] = []
    for (const work of this.#work.values()) runs.push(work.run)
    const status = podStatus({
      pod: this.#pod,
      runs,
      podIp: this.#ip,
      hostIp: this.#port.nodeIp(this.#pod.spec.nodeName ?? ''),
      mayBeReady: runtime.mayBeReady?.(this.#pod) ?? true,
      ended,
      now: this.#port.now()
    })
    if (status === this.#pod.status) return
    this.#writing = true
    const response = this.#port.send(updateRequest({ ...this.#pod, status }, 'pods', 'status', AGENT))
    this.#writing = false
    if (response.code < 400) this.#pod = response.body as Pod
  }

  #later(delayMs: number, run: () => void): void {
    const timer = this.#port.at(this.#port.now() + delayMs, () => {
      this.#timers.delete(timer)
      if (!this.#gone) run()
    })
    this.#timers.add(timer)
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string, container: string): void {
    if (this.#port.lean) return
    const fieldPath = `spec.containers{${container}}`
    const host = this.#pod.spec.nodeName ?? ''
    this.#port.record({ about: this.#pod, type, reason, message, component: 'kubelet', host, fieldPath })
  }
}

function newWork(name: string): ContainerWork {
  const state = { waiting: { reason: 'ContainerCreating' } }
  const run = { name, state, lastState: {}, restartCount: 0, started: false, ready: false }
  return { run, image: undefined, startedAt: 0, backoff: undefined, pullDelayMs: undefined, probes: undefined }
}

/** A container that waits, its end kept as last state. */
function waitAgain(run: ContainerRun, reason: string, message?: string): ContainerRun {
  const lastState = run.state.terminated === undefined ? run.lastState : run.state
  const waiting = message === undefined ? { reason } : { reason, message }
  return { ...run, state: { waiting }, lastState }
}

/** Longest declared sleep before containers get their SIGTERM. */
function preStopMs(pod: Pod): number {
  return Math.max(0, ...pod.spec.containers.map((each) => (each.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000))
}
