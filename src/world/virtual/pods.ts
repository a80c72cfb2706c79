import type { AppSpec, KubeObject } from '../../kinds/index.ts'
import { draw } from '../../lib/random/index.ts'
import type { AppRequest } from '../../model/app/index.ts'
import type { PodRuntime, PodStart, StandingTimes } from '../../model/controllers/index.ts'
import { ADMIN_PORT } from '../../model/mesh/index.ts'
import { containersOf, podKeyOf, portNumber, probedUrl, type ProbeSpec } from '../dataplane/index.ts'
import { imagesOf, objectName, roleOfImage, unknownImage } from '../joint/index.ts'
import { singleLatency } from './latency.ts'
import { latencyFor, outcomesFor } from './outcomes.ts'
import { type InboundOf, type PodPorts, VirtualPod } from './pod.ts'

/** Host of images that scenarios use for a pull that fails. */
const INVALID_REGISTRY = 'registry.invalid/'

/** Container creation of a kubelet with the image at hand, simulated milliseconds. */
const CREATION_MS = { least: 600, most: 1400 }

/** podcli waits before its first try. */
const PODCLI_WAIT_MS = 1000

/** What running pods need of their world. */
export interface VirtualPodsOptions extends Omit<PodPorts, 'specFor'> {
  readonly images: Readonly<Record<string, AppSpec>>
  /** An image nobody described was started. */
  readonly onUnknownImage: (error: Error) => void
}

/** The pods of a virtual world: what the kubelets start, probe and stop. */
export class VirtualPods implements PodRuntime {
  readonly #options: VirtualPodsOptions
  readonly #ports: PodPorts
  readonly #pods = new Map<string, VirtualPod>()
  #probes = 0

  constructor(options: VirtualPodsOptions) {
    this.#options = options
    this.#ports = { ...options, specFor: (image) => specOf(image, options.images) }
  }

  /** A running pod by `namespace/name`. */
  get(key: string): VirtualPod | undefined {
    return this.#pods.get(key)
  }

  /** Every running pod. */
  all(): Iterable<VirtualPod> {
    return this.#pods.values()
  }

  /** A running pod by its address. */
  byIp(ip: string): VirtualPod | undefined {
    for (const pod of this.#pods.values()) if (pod.ip === ip) return pod
    return undefined
  }

  start(pod: KubeObject, container?: string): PodStart {
    const { images, timeline, seed } = this.#options
    const unknown = imagesOf(pod).find((image) => roleOfImage(image, images).role === 'unknown')
    if (unknown !== undefined) {
      if (!unknown.startsWith(INVALID_REGISTRY))
        this.#options.onUnknownImage(unknownImage(unknown, objectName(pod), images))
      return { imageError: `failed to pull and unpack image "${unknown}": not found` }
    }
    const key = podKeyOf(pod)
    const chance = draw(seed, 0, 'container-creation', key)
    const startupMs = Math.round(CREATION_MS.least + (CREATION_MS.most - CREATION_MS.least) * chance)
    const at = timeline.now() + startupMs
    const known = this.#pods.get(key)
    if (known === undefined) {
      const started = new VirtualPod(pod, this.#ports, at)
      this.#pods.set(key, started)
      started.start(at)
    } else known.start(at, container)
    this.#options.changing()
    return { startupMs }
  }

  stop(pod: KubeObject): void {
    const key = podKeyOf(pod)
    this.#pods.get(key)?.stop()
    this.#pods.delete(key)
  }

  shutdownMs(pod: KubeObject): number {
    return this.#pods.get(podKeyOf(pod))?.terminate() ?? 0
  }

  probe(pod: KubeObject, container: string, probe: ProbeSpec, done: (ok: boolean, detail: string) => void): void {
    const running = this.#pods.get(podKeyOf(pod))
    const raw = containersOf(pod).find((candidate) => candidate['name'] === container) ?? {}
    if (roleOfImage(String(raw['image'] ?? ''), this.#options.images).role === 'stand-in') done(true, 'stand-in')
    else if (running === undefined) done(false, 'the pod does not run')
    else if (this.#heldBack(running, container, raw, probe)) done(false, 'not ready')
    else this.#ask(running, { raw, probe }, done)
  }

  standing(pod: KubeObject, container: string, probe: ProbeSpec, next: StandingTimes): (() => void) | undefined {
    const running = this.#pods.get(podKeyOf(pod))
    const raw = containersOf(pod).find((candidate) => candidate['name'] === container) ?? {}
    const ask = running === undefined ? undefined : probeGet(running, raw, probe)
    if (running === undefined || ask === undefined) return undefined
    const listener = running.listenerOf(ask.port)
    if (listener === undefined || listener.spec.faults.some(({ kind }) => kind === 'not-ready')) return undefined
    const request = probeRequest(ask, '')
    const answer = listener.standingAnswer(request)
    if (answer?.kind !== 'response' || answer.status < 200 || answer.status >= 400) return undefined
    const [outcome, ...others] = outcomesFor(listener.spec, request)
    if (outcome === undefined || others.length > 0 || outcome.reset || outcome.status !== undefined) return undefined
    const latency = latencyFor(listener.spec, outcome, 0)
    if (latency.tail(Math.min(ask.timeoutMs, next.periodMs) - ask.waitMs) > 0) return undefined
    const { timeline } = this.#options
    return running.probes.add(
      {
        due: next.dueMs,
        periodMs: next.periodMs,
        status: answer.status,
        latency,
        counters: (now) => (ask.counted ? running.inbound(inboundOf(ask), now) : undefined),
        resume: (due) => next.resume(due)
      },
      () => timeline.now()
    )
  }

  /** A declared `not-ready` fault fails the readiness probe, whatever it asks. */
  #heldBack(pod: VirtualPod, name: string, raw: Readonly<Record<string, unknown>>, probe: ProbeSpec): boolean {
    const app = pod.containers.get(name)?.app
    if (app === undefined || app.ready(this.#options.timeline.now())) return false
    const readiness = raw['readinessProbe']
    return readiness === probe || JSON.stringify(readiness) === JSON.stringify(probe)
  }

  #ask(
    pod: VirtualPod,
    of: { readonly raw: Readonly<Record<string, unknown>>; readonly probe: ProbeSpec },
    done: (ok: boolean, detail: string) => void
  ): void {
    const { raw, probe } = of
    const ask = probeGet(pod, raw, probe)
    if (ask !== undefined) return this.#get(pod, ask, done)
    if (probe.httpGet !== undefined) {
      const status = pod.admin(probe.httpGet.path ?? '/', undefined, this.#options.timeline.now())
      done(status < 400, `HTTP probe status ${status}`)
      return
    }
    if (probe.tcpSocket !== undefined || probe.grpc !== undefined) {
      const port = probe.grpc?.port ?? portNumber(raw, probe.tcpSocket?.port)
      const open = pod.meshed ? pod.up : pod.listenerOf(port) !== undefined
      done(open, open ? 'connected' : 'dial tcp: connect: connection refused')
      return
    }
    done(true, 'a command that the twin does not run')
  }

  #get(pod: VirtualPod, ask: ProbeGet, done: ProbeDone): void {
    const { timeline } = this.#options
    if (ask.waitMs === 0) return this.#send(pod, ask, done)
    if (ask.waitMs < ask.timeoutMs) {
      timeline.at(timeline.now() + ask.waitMs, () => this.#send(pod, ask, done))
    } else timeline.at(timeline.now() + ask.timeoutMs, () => done(false, timedOut(ask)))
  }

  /** Asks the app; what takes a moment is answered at once, what takes too long at its time-out. */
  #send(pod: VirtualPod, ask: ProbeGet, done: ProbeDone): void {
    const { timeline } = this.#options
    const now = timeline.now()
    const target = ask.counted ? pod.inbound(inboundOf(ask), now) : undefined
    target?.request(1, now)
    const listener = pod.listenerOf(ask.port)
    if (listener === undefined) {
      target?.latency(502, singleLatency(0), now)
      target?.response({ status: 502, success: false }, 1, now)
      return done(false, 'connection refused')
    }
    this.#probes += 1
    const request = probeRequest(ask, `probe ${pod.key}#${this.#probes}`)
    const { answer, elapsedMs } = listener.serveAtOnce(request) ?? { answer: { kind: 'hang' } as const, elapsedMs: 0 }
    const leftMs = ask.timeoutMs - ask.waitMs
    if (answer.kind === 'hang' || elapsedMs >= leftMs) {
      timeline.at(now + leftMs, () => done(false, timedOut(ask)))
      return
    }
    const status = answer.kind === 'response' ? answer.status : 502
    target?.latency(status, singleLatency(elapsedMs), now)
    target?.response({ status, success: status < 500 }, 1, now)
    const ok = status >= 200 && status < 400
    const detail = ok ? '' : `HTTP probe failed with statuscode: ${status}`
    if (elapsedMs < SOON_MS) done(ok, detail)
    else timeline.at(now + elapsedMs, () => done(ok, detail))
  }
}

/** Probes answered faster are answered at once, milliseconds. */
const SOON_MS = 100

/** An HTTP request of a probe. */
interface ProbeGet {
  readonly port: number
  readonly path: string
  /** How long the probing command waits before it asks. */
  readonly waitMs: number
  readonly timeoutMs: number
  /** Whether the pod's proxy is passed and counts. */
  readonly counted: boolean
}

/** The HTTP request that a probe makes of an app; undefined where it makes none, or one of the proxy. */
function probeGet(pod: VirtualPod, raw: Readonly<Record<string, unknown>>, probe: ProbeSpec): ProbeGet | undefined {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  if (probe.httpGet !== undefined) {
    const port = portNumber(raw, probe.httpGet.port)
    if (port === ADMIN_PORT && pod.meshed) return undefined
    return { port, path: probe.httpGet.path ?? '/', waitMs: 0, timeoutMs, counted: true }
  }
  if (probe.tcpSocket !== undefined || probe.grpc !== undefined) return undefined
  const argv = probe.exec?.command ?? []
  const url = probedUrl(argv)
  if (url === undefined) return undefined
  const waitMs = argv[0]?.endsWith('podcli') === true ? PODCLI_WAIT_MS : 0
  return { ...url, waitMs, timeoutMs, counted: false }
}

function probeRequest({ path, port }: ProbeGet, key: string): AppRequest {
  return { method: 'GET', target: path, headers: [], body: '', port, key }
}

function inboundOf({ path, port }: ProbeGet): InboundOf {
  const query = path.indexOf('?')
  return { port, method: 'GET', path: query < 0 ? path : path.slice(0, query), identity: undefined }
}

type ProbeDone = (ok: boolean, detail: string) => void

function timedOut({ timeoutMs }: ProbeGet): string {
  return `probe timed out after ${timeoutMs / 1000}s`
}

function specOf(image: string, images: Readonly<Record<string, AppSpec>>): AppSpec | undefined {
  const role = roleOfImage(image, images)
  if (role.role === 'app') return role.spec
  return role.role === 'stand-in' ? { app: 'pause', faults: [], options: {} } : undefined
}
