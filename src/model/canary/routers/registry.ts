import { log, type Plan } from '../effects.ts'
import { StepFailed } from '../failure.ts'
import type { ControllerSettings } from '../settings.ts'
import { contourRouter } from './contour.ts'
import { gatewayRouter } from './gateway-api.ts'
import { glooRouter } from './gloo.ts'
import { istioRouter } from './istio.ts'
import { kubernetesRouter } from './kubernetes.ts'
import { kumaRouter } from './kuma.ts'
import { nginxRouter } from './nginx.ts'
import type { Router, RouterContext } from './router.ts'
import { skipperRouter } from './skipper.ts'
import { smiRouter } from './smi.ts'
import { traefikRouter } from './traefik.ts'

interface Entry {
  /** Exact provider name, or a prefix. */
  readonly name: string
  readonly prefix?: boolean
  /** Undefined: known to Flagger, not modelled here. */
  readonly make: ((context: RouterContext) => Router) | undefined
}

/**
 * Routers by provider, first match wins; adding one takes this line and its file.
 * @see fluxcd/flagger pkg/router/factory.go MeshRouter 1.44.0
 */
const ROUTERS: readonly Entry[] = [
  { name: 'appmesh', prefix: true, make: undefined },
  { name: 'linkerd', make: smiRouter('v1alpha1') },
  { name: 'istio', make: istioRouter },
  { name: 'smi:v1alpha1', prefix: true, make: smiRouter('v1alpha1') },
  { name: 'smi:v1alpha2', prefix: true, make: smiRouter('v1alpha2') },
  { name: 'smi:v1alpha3', prefix: true, make: smiRouter('v1alpha3') },
  { name: 'contour', make: contourRouter },
  { name: 'knative', make: undefined },
  { name: 'gloo', prefix: true, make: glooRouter },
  { name: 'nginx', make: nginxRouter },
  { name: 'skipper', make: skipperRouter },
  { name: 'traefik', make: traefikRouter },
  { name: 'apisix', make: undefined },
  { name: 'osm', make: smiRouter('v1alpha2') },
  { name: 'kuma', make: kumaRouter },
  { name: 'gatewayapi:v1beta1', prefix: true, make: gatewayRouter('v1beta1') },
  { name: 'gatewayapi:v1', prefix: true, make: gatewayRouter('v1') },
  { name: 'kubernetes', make: kubernetesRouter }
]

/**
 * The router of a provider; unknown providers get Istio's, with a warning in the log.
 * @throws StepFailed for a provider that the twin does not model
 */
export function* routerFor(settings: ControllerSettings, provider: string): Plan<Router> {
  const known = routersBySettings.get(settings)?.get(provider)
  if (known !== undefined) return known
  const entry = ROUTERS.find(({ name, prefix }) => provider === name || (prefix === true && provider.startsWith(name)))
  if (entry === undefined) {
    yield* log('warn', `unknown mesh router provider '${provider}', using istio`)
    return istioRouter({ settings, provider })
  }
  if (entry.make === undefined) throw new StepFailed(`mesh provider ${provider}: not modelled by rollout-twin`)
  const router = entry.make({ settings, provider })
  const made = routersBySettings.get(settings) ?? new Map<string, Router>()
  routersBySettings.set(settings, made.set(provider, router))
  return router
}

/** Routers hold nothing but their context: each is made once. */
const routersBySettings = new WeakMap<ControllerSettings, Map<string, Router>>()
