import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { StepFailed, wrapped } from '../failure.ts'
import {
  controllerReference,
  createObject,
  findObject,
  getObject,
  mergePatch,
  RESOURCES,
  type Resource
} from '../objects.ts'
import { sameJson } from '../same.ts'
import { namespaceOf, serviceNames } from '../spec.ts'
import { nothingToFinalise, type Router, type Routes } from './router.ts'
import { readApexObject, reconcileApexObject, withoutField, writeApexSpec } from './weighted-object.ts'

const ROUTE_TABLES: Resource = {
  group: 'gateway.solo.io',
  version: 'v1',
  plural: 'routetables',
  kind: 'RouteTable',
  spec: 'gloogateway/v1.RouteTableSpec'
}
const UPSTREAMS: Resource = {
  group: 'gloo.solo.io',
  version: 'v1',
  plural: 'upstreams',
  kind: 'Upstream',
  spec: 'gloo/v1.UpstreamSpec'
}
/** Fields that an upstream takes over from the one that upstreamRef names. */
const CONFIG_FIELDS = [
  'labels',
  'sslConfig',
  'circuitBreakers',
  'connectionConfig',
  'loadBalancerConfig',
  'useHttp2',
  'initialStreamWindowSize',
  'initialConnectionWindowSize',
  'httpProxyHostName'
] as const

interface Destination {
  destination: { upstream: { name: string; namespace: string } }
  weight?: number
}

interface TableSpec {
  routes?: { routeAction?: { multi?: { destinations?: Destination[] } } }[]
}

/**
 * Gloo Edge: two Upstreams and a RouteTable.
 * @see fluxcd/flagger pkg/router/gloo.go 1.44.0
 */
export function glooRouter(): Router {
  return { reportsMirroring: false, reconcile, getRoutes, setRoutes, finalise: nothingToFinalise }
}

function upstreamName(canary: Canary, role: 'primary' | 'canary'): string {
  return `${namespaceOf(canary)}-${serviceNames(canary).apex}-${role}upstream-${canary.spec.service.port}`
}

function* reconcile(canary: Canary): Plan<void> {
  yield* wrapped('error creating flagger primary upstream: ', reconcileUpstream(canary, 'primary'))
  yield* wrapped('error creating flagger canary upstream: ', reconcileUpstream(canary, 'canary'))
  yield* reconcileApexObject(
    ROUTE_TABLES,
    canary,
    () => tableSpec(canary, { primaryWeight: 100, canaryWeight: 0 }),
    (spec) => withoutField(spec, 'weight')
  )
}

function* reconcileUpstream(canary: Canary, role: 'primary' | 'canary'): Plan<void> {
  const namespace = namespaceOf(canary)
  const service = serviceNames(canary)[role]
  const name = upstreamName(canary, role)
  const source = yield* getObject(
    RESOURCES.services,
    namespace,
    service,
    `service ${service}.${namespace} get query error: `
  )
  const existing = yield* findObject(UPSTREAMS, namespace, name, `upstream ${name}.${namespace} get query error: `)
  const config = yield* configUpstream(canary)
  if (existing !== undefined) return yield* syncUpstream(canary, existing, config)
  const { selector } = source.spec as { selector?: Record<string, string> }
  const spec = {
    ...pickedConfig(config),
    kube: {
      serviceName: service,
      serviceNamespace: namespace,
      servicePort: canary.spec.service.port,
      ...(selector === undefined ? {} : { selector })
    }
  }
  const metadata = { name, namespace, ownerReferences: [controllerReference(canary)] }
  const creating = createObject(UPSTREAMS, namespace, { metadata, spec })
  yield* wrapped(`upstream ${name}.${namespace} create query error: `, creating)
}

function* configUpstream(canary: Canary): Plan<KubeObject | undefined> {
  const reference = canary.spec.upstreamRef
  if (reference === undefined) return undefined
  return yield* getObject(
    UPSTREAMS,
    reference.namespace ?? '',
    reference.name,
    `config upstream ${reference.name}.${namespaceOf(canary)} get query error: `
  )
}

function pickedConfig(config: KubeObject | undefined): Record<string, unknown> {
  const spec = (config?.spec ?? {}) as Record<string, unknown>
  return Object.fromEntries(
    CONFIG_FIELDS.filter((field) => spec[field] !== undefined).map((field) => [field, spec[field]])
  )
}

/** Only the load balancer's configuration follows changes. */
function* syncUpstream(canary: Canary, existing: KubeObject, config: KubeObject | undefined): Plan<void> {
  if (config === undefined) return
  const wanted = (config.spec as Record<string, unknown>)['loadBalancerConfig']
  if (sameJson(wanted, (existing.spec as Record<string, unknown>)['loadBalancerConfig'])) return
  const { name } = existing.metadata
  const namespace = namespaceOf(canary)
  yield* log('debug', `detect diff in upstream spec ${name}.${namespace}`)
  const body = {
    metadata: { creationTimestamp: null },
    spec: wanted === undefined ? {} : { loadBalancerConfig: wanted }
  }
  yield* wrapped(`upstream ${name}.${namespace} spec patch error: `, mergePatch(UPSTREAMS, namespace, name, body))
}

function* getRoutes(canary: Canary): Plan<Routes> {
  const table = yield* readApexObject(ROUTE_TABLES, canary, 'get query error: ')
  const { destinations = [] } = (table.spec as TableSpec).routes?.[0]?.routeAction?.multi ?? {}
  if (destinations.length < 2) {
    throw new StepFailed(`RouteTable ${serviceNames(canary).apex}.${namespaceOf(canary)} destinations not found`)
  }
  const name = upstreamName(canary, 'primary')
  const primary = destinations.find(({ destination }) => destination.upstream.name === name)
  if (primary === undefined) return { primaryWeight: 0, canaryWeight: 0, mirrored: false }
  const primaryWeight = primary.weight ?? 0
  return { primaryWeight, canaryWeight: 100 - primaryWeight, mirrored: false }
}

function* setRoutes(canary: Canary, routes: Routes): Plan<void> {
  if (routes.primaryWeight === 0 && routes.canaryWeight === 0) {
    const place = `${serviceNames(canary).apex}.${namespaceOf(canary)}`
    throw new StepFailed(`RoutingRule ${place} update failed: no valid weights`)
  }
  const table = yield* readApexObject(ROUTE_TABLES, canary, 'query error: ')
  yield* writeApexSpec(ROUTE_TABLES, canary, table, tableSpec(canary, routes))
}

function tableSpec(canary: Canary, routes: Omit<Routes, 'mirrored'>): unknown {
  const matchers = matchersOf(canary)
  const destinations = [
    destination(canary, 'primary', routes.primaryWeight),
    destination(canary, 'canary', routes.canaryWeight)
  ]
  return {
    routes: [
      {
        inheritablePathMatchers: true,
        ...(matchers === undefined ? {} : { matchers }),
        routeAction: { multi: { destinations } }
      }
    ]
  }
}

function destination(canary: Canary, role: 'primary' | 'canary', weight: number): Destination {
  const upstream = { name: upstreamName(canary, role), namespace: namespaceOf(canary) }
  return { destination: { upstream }, ...(weight === 0 ? {} : { weight }) }
}

function matchersOf(canary: Canary): unknown[] | undefined {
  const matches = canary.spec.analysis.match ?? []
  const headers = matches.flatMap((match) =>
    Object.entries(match.headers ?? {})
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, { exact, regex }]) =>
        regex ? { name, value: regex, regex: true } : { name, ...(exact ? { value: exact } : {}) }
      )
  )
  const methods = matches.flatMap(({ method }) => (method === undefined ? [] : [method.exact ?? '']))
  if (headers.length === 0 && methods.length === 0) return undefined
  return [{ ...(headers.length === 0 ? {} : { headers }), ...(methods.length === 0 ? {} : { methods }) }]
}
