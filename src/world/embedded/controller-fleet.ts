import type { KubeObject } from '../../kinds/index.ts'
import type { Hold, Timeline } from '../../lib/time/index.ts'
import type { Controller } from '../controller/index.ts'
import { imagesOf, roleOfImage } from '../joint/index.ts'
import type { WorldSpec } from '../world.ts'

/** Time a controller's pod takes to end after SIGTERM: enough to give its lease back. */
const SHUTDOWN_MS = 250

/** Starts one process; `onExit` is called when it ended by itself. */
export type StartProcess = (process: {
  readonly hostname: string
  /** The pod it runs in; absent: it has none of its own. */
  readonly pod?: KubeObject
  readonly onExit?: (exitCode: number) => void
}) => Promise<Controller>

/** What a fleet is made with. */
export interface FleetOptions {
  readonly spec: WorldSpec
  readonly timeline: Timeline
  readonly leaderElection: boolean
  readonly start: StartProcess
  /** A pod's container ended: whoever plays kubelet starts it again. */
  readonly exited: (podKey: string, container: string, exitCode: number) => void
  readonly hold: (name: string) => Hold | undefined
  readonly onFailure: (error: unknown) => void
}

interface Replica {
  controller: Controller | undefined
  gone: boolean
}

/**
 * The processes of the controller. There is one, whatever pods stand for it, unless replicas are to elect a leader: then
 * each pod of the controller has a process of its own, which begins and ends with it.
 */
export class ControllerFleet {
  readonly #options: FleetOptions
  readonly #perPod: boolean
  #single: Controller | undefined
  readonly #replicas = new Map<string, Replica>()

  constructor(options: FleetOptions) {
    this.#options = options
    this.#perPod =
      options.leaderElection && options.spec.manifests.some((object) => runsController(object, options.spec))
  }

  /** Starts the one process; replicas come with their pods. */
  async begin(): Promise<void> {
    if (!this.#perPod) this.#single = await this.#options.start({ hostname: 'flagger' })
  }

  /** A pod of the controller was started; its process begins when its containers run. */
  podStarted(pod: KubeObject, startupMs: number): void {
    if (!this.#perPod) return
    const replica: Replica = { controller: undefined, gone: false }
    this.podStopped(pod)
    this.#replicas.set(keyOf(pod), replica)
    const { timeline, hold, onFailure } = this.#options
    timeline.at(timeline.now() + startupMs, () => {
      const starting = hold(`start of ${pod.metadata.name}`)
      this.#run(pod, replica)
        .catch(onFailure)
        .finally(() => starting?.release())
    })
  }

  /** SIGTERM. @returns simulated milliseconds until the process has ended */
  podTerminating(pod: KubeObject): number {
    const controller = this.#replicas.get(keyOf(pod))?.controller
    if (controller === undefined) return 0
    controller.terminate().catch(this.#options.onFailure)
    return SHUTDOWN_MS
  }

  /** The pod is gone, and whatever its process was doing with it. */
  podStopped(pod: KubeObject): void {
    const replica = this.#replicas.get(keyOf(pod))
    if (replica === undefined) return
    this.#replicas.delete(keyOf(pod))
    replica.gone = true
    replica.controller?.stop().catch(this.#options.onFailure)
  }

  /** The process behind a pod of the controller; undefined when it does not run. */
  behind(namespace: string, pod: string): Controller | undefined {
    return this.#perPod ? this.#replicas.get(`${namespace}/${pod}`)?.controller : this.#single
  }

  /** Ends every process. */
  async stop(): Promise<void> {
    const replicas = [...this.#replicas.values()]
    for (const replica of replicas) replica.gone = true
    const controllers = [this.#single, ...replicas.map(({ controller }) => controller)]
    await Promise.all(controllers.flatMap((controller) => (controller === undefined ? [] : [controller.stop()])))
  }

  async #run(pod: KubeObject, replica: Replica): Promise<void> {
    if (replica.gone) return
    const { spec, exited } = this.#options
    const controller = await this.#options.start({
      hostname: pod.metadata.name,
      pod,
      onExit: (exitCode) => exited(keyOf(pod), containerOf(pod, spec.images), exitCode)
    })
    if (replica.gone) await controller.stop()
    else replica.controller = controller
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function containerOf(pod: KubeObject, images: WorldSpec['images']): string {
  const { containers = [] } = pod.spec as {
    readonly containers?: readonly { readonly name: string; readonly image?: string }[]
  }
  return containers.find(({ image = '' }) => isController(image, images))?.name ?? ''
}

function runsController(object: KubeObject, spec: WorldSpec): boolean {
  return imagesOf(object).some((image) => isController(image, spec.images))
}

/** Whether an image stands for the controller. */
export function isController(image: string, images: WorldSpec['images']): boolean {
  const role = roleOfImage(image, images)
  return role.role === 'stand-in' && role.part === 'controller'
}
