import type { Canary } from '../../../kinds/index.ts'
import type { Plan } from '../effects.ts'
import { StepFailed } from '../failure.ts'
import type { Resource } from '../objects.ts'
import { namespaceOf, serviceNames } from '../spec.ts'
import { nothingToFinalise, type Router, type RouterContext, type Routes } from './router.ts'
import { readApexObject, reconcileApexObject, withoutField, writeApexSpec } from './weighted-object.ts'

const HTTP_PROXIES: Resource = {
  group: 'projectcontour.io',
  version: 'v1',
  plural: 'httpproxies',
  kind: 'HTTPProxy',
  spec: 'projectcontour/v1.HTTPProxySpec'
}

interface ProxySpec {
  routes?: { services?: { name: string; weight?: number }[] }[]
}

/**
 * Contour HTTPProxy. Weights of 0 are left out by its types.
 * @see fluxcd/flagger pkg/router/contour.go 1.44.0
 */
export function contourRouter({ settings }: RouterContext): Router {
  const { ingressClass } = settings
  return {
    reportsMirroring: false,
    reconcile: (canary) =>
      reconcileApexObject(
        HTTP_PROXIES,
        canary,
        () => proxySpec(canary, ingressClass, { primaryWeight: 100, canaryWeight: 0 }),
        (spec) => withoutField(spec, 'weight')
      ),
    getRoutes,
    setRoutes: (canary, routes) => setRoutes(ingressClass, canary, routes),
    finalise: nothingToFinalise
  }
}

function* getRoutes(canary: Canary): Plan<Routes> {
  const names = serviceNames(canary)
  const proxy = yield* readApexObject(HTTP_PROXIES, canary, 'get query error ')
  const { services = [] } = (proxy.spec as ProxySpec).routes?.[0] ?? {}
  if (services.length < 2) throw new StepFailed(`HTTPProxy ${names.apex}.${namespaceOf(canary)} services not found`)
  const primary = services.find((service) => service.name === names.primary)
  if (primary === undefined) return { primaryWeight: 0, canaryWeight: 0, mirrored: false }
  const primaryWeight = primary.weight ?? 0
  return { primaryWeight, canaryWeight: 100 - primaryWeight, mirrored: false }
}

function* setRoutes(ingressClass: string, canary: Canary, routes: Routes): Plan<void> {
  if (routes.primaryWeight === 0 && routes.canaryWeight === 0) {
    const place = `${serviceNames(canary).apex}.${namespaceOf(canary)}`
    throw new StepFailed(`HTTPProxy ${place} update failed: no valid weights`)
  }
  const proxy = yield* readApexObject(HTTP_PROXIES, canary, 'query error: ')
  yield* writeApexSpec(HTTP_PROXIES, canary, proxy, proxySpec(canary, ingressClass, routes))
}

function proxySpec(canary: Canary, ingressClass: string, routes: Omit<Routes, 'mirrored'>): unknown {
  const everybody = [{ prefix: prefixOf(canary) }]
  const isAb = (canary.spec.analysis.match ?? []).length > 0
  const weighted = route(canary, isAb ? matchConditions(canary) : everybody, routes)
  const rest = route(canary, everybody, { primaryWeight: 100, canaryWeight: 0 })
  return {
    routes: isAb ? [weighted, rest] : [weighted],
    ...(ingressClass === '' ? {} : { ingressClassName: ingressClass })
  }
}

function route(canary: Canary, conditions: readonly unknown[], routes: Omit<Routes, 'mirrored'>): unknown {
  const names = serviceNames(canary)
  const { timeout, retries } = canary.spec.service
  return {
    conditions,
    ...(timeout ? { timeoutPolicy: { response: timeout, idle: '5m' } } : {}),
    ...(retries === undefined ? {} : { retryPolicy: retryPolicy(retries) }),
    services: [
      weightedService(canary, names.primary, routes.primaryWeight),
      weightedService(canary, names.canary, routes.canaryWeight)
    ]
  }
}

function retryPolicy(retries: NonNullable<Canary['spec']['service']['retries']>): unknown {
  const { attempts = 0, perTryTimeout, retryOn = '' } = retries
  return { count: attempts, ...(perTryTimeout ? { perTryTimeout } : {}), retryOn: retryOn.split(',') }
}

function weightedService(canary: Canary, name: string, weight: number): unknown {
  const { port } = canary.spec.service
  const override = { name: 'l5d-dst-override', value: `${name}.${namespaceOf(canary)}.svc.cluster.local:${port}` }
  return { name, port, ...(weight === 0 ? {} : { weight }), requestHeadersPolicy: { set: [override] } }
}

function prefixOf(canary: Canary): string {
  return canary.spec.service.match?.[0]?.uri?.prefix || '/'
}

/** One condition per header, prefix and suffix as "contains". */
function matchConditions(canary: Canary): unknown[] {
  const prefix = prefixOf(canary)
  return (canary.spec.analysis.match ?? []).flatMap(({ headers = {} }) =>
    Object.entries(headers)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, match]) => {
        const contains = match.prefix || match.suffix
        return { prefix, header: { name, ...(contains ? { contains } : match.exact ? { exact: match.exact } : {}) } }
      })
  )
}
