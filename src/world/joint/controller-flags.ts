import { parseFlags } from '../../model/canary/index.ts'
import type { WorldSpec } from '../world.ts'
import { imagesOf, roleOfImage } from './images.ts'

/** Where Flagger of the tutorials finds Linkerd's Prometheus. */
const METRICS_SERVER = 'http://prometheus.linkerd-viz:9090'

/** Flags of the scenario over those of a Flagger among the manifests over what the mesh calls for. */
export function controllerFlags(spec: WorldSpec): Readonly<Record<string, string>> {
  return {
    'mesh-provider': spec.mesh.provider,
    'metrics-server': METRICS_SERVER,
    ...flagsOfManifests(spec),
    ...spec.controller.flags
  }
}

interface WithContainers {
  readonly template?: {
    readonly spec?: { readonly containers?: readonly { readonly image?: string; readonly args?: readonly string[] }[] }
  }
}

function flagsOfManifests(spec: WorldSpec): Readonly<Record<string, string>> {
  for (const object of spec.manifests) {
    const isController = imagesOf(object).some((image) => {
      const role = roleOfImage(image, spec.images)
      return role.role === 'stand-in' && role.part === 'controller'
    })
    if (!isController) continue
    const containers = (object.spec as WithContainers | undefined)?.template?.spec?.containers ?? []
    return parseFlags(containers.flatMap((container) => container.args ?? []))
  }
  return {}
}
