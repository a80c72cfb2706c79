import type { AppSpec, KubeObject } from '../../kinds/index.ts'
import { TwinError } from '../../lib/errors/index.ts'
import type { TraceBody, TraceEvent } from '../../trace/index.ts'
import {
  applyObject,
  createKubeClient,
  type KubeClient,
  KubectlError,
  type ResourceKind,
  type ShellPlace,
  type WorldShell
} from '../shell/index.ts'
import type { CommandResult, World, WorldAddresses, WorldFigures, WorldSpec, WorldTime } from '../world.ts'
import type { WorldClock } from './clock.ts'
import type { ControlPlane } from './control-plane.ts'
import type { WallFigures } from './figures.ts'
import { objectName, requireKnownImages } from '../joint/index.ts'
import type { OpenLoop } from './load/open-loop.ts'
import type { WorldMetrics } from './metrics.ts'
import type { Network } from './network.ts'
import type { TraceLog } from './trace-log.ts'

/** Everything a running embedded world is made of. */
export interface WorldParts {
  readonly spec: WorldSpec
  readonly clock: WorldClock
  readonly trace: TraceLog
  readonly figures: WallFigures
  readonly controlPlane: ControlPlane
  readonly metrics: WorldMetrics
  readonly network: Network
  readonly shell: WorldShell
  readonly images: Record<string, AppSpec>
  readonly loads: readonly OpenLoop[]
  readonly failed: Promise<never>
  /** What ends besides the parts above, in this order. */
  readonly stops: readonly (() => unknown)[]
}

/** A world whose requests, API and metrics are real HTTP on loopback. */
export class EmbeddedWorld implements World {
  readonly time: WorldTime
  readonly failed: Promise<never>
  readonly #parts: WorldParts
  readonly #client: KubeClient
  readonly #commands = new AbortController()
  #stopped: Promise<void> | undefined

  constructor(parts: WorldParts) {
    this.#parts = parts
    this.failed = parts.failed
    this.#client = createKubeClient((request) => parts.controlPlane.api.handle(request))
    const { clock } = parts
    this.time = {
      nowMs: () => clock.now() - clock.startInstant,
      at: (dueMs, run) => {
        const scheduled = clock.at(clock.startInstant + dueMs, run)
        return () => scheduled.cancel()
      },
      hold: (name) => {
        const hold = clock.hold(name)
        return () => hold.release()
      }
    }
  }

  get addresses(): WorldAddresses {
    const { controlPlane, metrics } = this.#parts
    return {
      kubeconfig: controlPlane.kubeconfig(),
      apiUrl: controlPlane.bound.url,
      prometheusUrl: metrics.listener.url
    }
  }

  onTrace(listener: (event: TraceEvent) => void): void {
    this.#parts.trace.listen(listener)
  }

  record(body: TraceBody): void {
    // What the loads counted belongs before the word that ends the run.
    if (body.kind === 'end') for (const load of this.#parts.loads) load.closeStep()
    this.#parts.trace.record(body)
  }

  start(): void {
    this.#parts.clock.start()
  }

  async apply(objects: readonly KubeObject[]): Promise<void> {
    await Promise.resolve()
    this.applyNow(objects)
  }

  /** Applies objects in the same instant. @throws TwinError TWIN_IMAGE_UNKNOWN, TWIN_MANIFEST_REFUSED */
  applyNow(objects: readonly KubeObject[]): void {
    requireKnownImages(objects, this.#parts.images)
    for (const object of objects) {
      try {
        applyObject(this.#client, object, 'default')
      } catch (cause) {
        if (!(cause instanceof KubectlError)) throw cause
        const reason = cause.message.replace(/ \n\* /, ' ').replaceAll('\n* ', '; ')
        throw new TwinError('TWIN_MANIFEST_REFUSED', `${objectName(object)}: ${reason}`, {
          details: { object: objectName(object), apiVersion: object.apiVersion },
          cause
        })
      }
    }
  }

  get(kind: string, name: string): KubeObject | undefined {
    const { api } = this.#parts.controlPlane
    const resource = this.#resourceOf(kind)
    const slash = name.indexOf('/')
    const namespace = slash < 0 ? 'default' : name.slice(0, slash)
    return api.get(
      resource.group,
      resource.resource,
      resource.namespaced ? namespace : undefined,
      name.slice(slash + 1)
    )
  }

  #resourceOf(kind: string): ResourceKind {
    try {
      return this.#client.resourceOf(kind)
    } catch (cause) {
      if (!(cause instanceof KubectlError)) throw cause
      throw new TwinError('TWIN_SCENARIO_INVALID', `no kind "${kind}" is served`, { details: { kind }, cause })
    }
  }

  run(command: string, options: { readonly from?: string } = {}): Promise<CommandResult> {
    const place = options.from === undefined ? ({ kind: 'terminal' } as const) : this.#placeOf(options.from)
    if (typeof place === 'string') return Promise.resolve({ exitCode: 1, stdout: '', stderr: `${place}\n` })
    return this.#parts.shell.run(command, { place, signal: this.#commands.signal })
  }

  setFaults(image: string, spec: AppSpec): void {
    this.#parts.images[image] = spec
    this.#parts.network.plane.changeSpec(image, spec)
  }

  query(expression: string): ReturnType<World['query']> {
    const outcome = this.#parts.metrics.engine.instant(expression, this.#parts.clock.now())
    if (!outcome.ok) throw new TwinError('TWIN_SCENARIO_INVALID', `${expression}: ${outcome.error}`)
    if (outcome.value.type === 'scalar') return [{ labels: {}, value: outcome.value.value }]
    if (outcome.value.type !== 'vector') return []
    return outcome.value.elements.map(({ labels, value }) => ({ labels: labels.toRecord(), value }))
  }

  figures(): WorldFigures {
    const { clock, figures, loads, controlPlane } = this.#parts
    const wallMsBy = { ...figures.byUse(), idle: Math.round(clock.idleWallMs()) }
    return {
      simulatedMs: clock.now() - clock.startInstant,
      wallMs: figures.wallMs(),
      load: loads.map((load) => load.totals()),
      wallMsBy,
      tlsHandshakes: controlPlane.bound.handshakes(),
      peakRssBytes: figures.peakRssBytes()
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end()
    return this.#stopped
  }

  async #end(): Promise<void> {
    const { clock, loads, network, metrics, controlPlane, figures, stops } = this.#parts
    clock.stop()
    this.#commands.abort()
    for (const stop of stops) await stop()
    await Promise.all(loads.map((load) => load.close()))
    await Promise.all([network.close(), metrics.listener.close(), controlPlane.close()])
    figures.stop()
  }

  /** `namespace/name` of a Deployment (or of a pod itself) to a pod of it that runs. */
  #placeOf(from: string): ShellPlace | string {
    const { api } = this.#parts.controlPlane
    const [namespace = 'default', name = ''] = from.includes('/') ? from.split('/') : ['default', from]
    const pods = api.list('', 'pods', namespace).filter((pod) => isRunning(pod))
    const pod = pods.find((one) => one.metadata.name === name) ?? pods.find((one) => workloadOf(one) === name)
    if (pod === undefined) return `no pod of ${from} is running`
    return { kind: 'pod', namespace, pod: pod.metadata.name }
  }
}

function isRunning(pod: KubeObject): boolean {
  const { phase } = (pod.status ?? {}) as { readonly phase?: string }
  return phase === 'Running' && pod.metadata.deletionTimestamp === undefined
}

/** Name of the Deployment (or other owner) a pod belongs to. */
function workloadOf(pod: KubeObject): string | undefined {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
  const hash = pod.metadata.labels?.['pod-template-hash']
  return hash !== undefined && owner?.name.endsWith(`-${hash}`) === true
    ? owner.name.slice(0, -hash.length - 1)
    : owner?.name
}
