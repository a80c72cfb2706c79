import type { AppSpec, KubeObject } from '../../kinds/index.ts'
import type { PodRuntime } from '../../model/controllers/index.ts'
import type { Dataplane } from '../dataplane/index.ts'
import { type ControllerFleet, isController } from './controller-fleet.ts'
import { imagesOf, objectName, roleOfImage, unknownImage } from '../joint/index.ts'

/** Host of images that scenarios use for a pull that fails. */
const INVALID_REGISTRY = 'registry.invalid/'

/** What {@link podRuntime} needs. */
export interface PodRuntimeOptions {
  readonly plane: Dataplane
  readonly images: Readonly<Record<string, AppSpec>>
  /** Processes of the controller, which come and go with its pods. */
  readonly fleet: Pick<ControllerFleet, 'podStarted' | 'podTerminating' | 'podStopped'>
  /** An image nobody described was started: an error of the run where there is one to fail. */
  readonly onUnknownImage: (error: Error) => void
}

/** Runs pods on the data plane; stand-ins for the twin's own parts are always well. */
export function podRuntime({ plane, images, fleet, onUnknownImage }: PodRuntimeOptions): PodRuntime {
  const imageOf = (pod: KubeObject, container: string): string => {
    const spec = pod.spec as
      | { readonly containers?: readonly { readonly name: string; readonly image?: string }[] }
      | undefined
    return spec?.containers?.find((one) => one.name === container)?.image ?? ''
  }
  const hasController = (pod: KubeObject): boolean => imagesOf(pod).some((image) => isController(image, images))
  return {
    start(pod, container) {
      const unknown = imagesOf(pod).find((image) => roleOfImage(image, images).role === 'unknown')
      if (unknown !== undefined) {
        if (!unknown.startsWith(INVALID_REGISTRY)) onUnknownImage(unknownImage(unknown, objectName(pod), images))
        return { imageError: `failed to pull and unpack image "${unknown}": not found` }
      }
      const started = plane.startPod(pod, container)
      if (hasController(pod) && 'startupMs' in started) fleet.podStarted(pod, started.startupMs)
      return started
    },
    stop: (pod) => {
      fleet.podStopped(pod)
      void plane.stopPod(pod)
    },
    probe(pod, container, probe, done) {
      if (roleOfImage(imageOf(pod, container), images).role === 'stand-in') done(true, 'stand-in')
      else plane.probe(pod, container, probe, done)
    },
    shutdownMs: (pod) => Math.max(fleet.podTerminating(pod), plane.terminatePod(pod))
  }
}
