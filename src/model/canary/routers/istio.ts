import type { Canary, HeaderOperations, HttpMatchRequest, KubeObject } from '../../../kinds/index.ts'
import { canarySetCookie, cookiePattern, deletedCookie, primarySetCookie, sessionCookies } from '../affinity.ts'
import { log, type Plan } from '../effects.ts'
import { StepFailed, wrapped } from '../failure.ts'
import { encodeTyped } from '../typed.ts'
import { goJson } from '../webhooks.ts'
import { markUnmanagedByFlux } from '../metadata.ts'
import {
  controllerReference,
  createObject,
  findObject,
  getObject,
  inMemory,
  updateObject,
  type Resource
} from '../objects.ts'
import { sameButEmpty, sameJson } from '../same.ts'
import type { ControllerSettings } from '../settings.ts'
import { fullName, namespaceOf, serviceNames } from '../spec.ts'
import { apexMetadata, newApexMetadata, type Router, type RouterContext, type Routes } from './router.ts'
import {
  l4Matches,
  type HttpRoute,
  type IstioHeaders,
  type RouteDestination,
  type VirtualServiceSpec
} from './istio-types.ts'

const GROUP = { group: 'networking.istio.io', version: 'v1beta1' } as const
const VIRTUAL_SERVICES: Resource = {
  ...GROUP,
  plural: 'virtualservices',
  kind: 'VirtualService',
  spec: 'istio/v1beta1.VirtualServiceSpec'
}
const DESTINATION_RULES: Resource = {
  ...GROUP,
  plural: 'destinationrules',
  kind: 'DestinationRule',
  spec: 'istio/v1beta1.DestinationRuleSpec'
}
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const ORIGINAL = 'flagger.kubernetes.io/original-configuration'

/**
 * Istio: two DestinationRules and one VirtualService.
 * @see fluxcd/flagger pkg/router/istio.go 1.44.0
 */
export function istioRouter({ settings }: RouterContext): Router {
  return {
    reportsMirroring: true,
    reconcile,
    getRoutes,
    setRoutes: (canary, routes) => setRoutes(settings, canary, routes),
    finalise
  }
}

function* reconcile(canary: Canary): Plan<void> {
  const names = serviceNames(canary)
  yield* wrapped('reconcileDestinationRule failed: ', reconcileDestinationRule(canary, names.canary))
  yield* wrapped('reconcileDestinationRule failed: ', reconcileDestinationRule(canary, names.primary))
  yield* wrapped('reconcileVirtualService failed: ', reconcileVirtualService(canary))
}

function* reconcileDestinationRule(canary: Canary, name: string): Plan<void> {
  const namespace = namespaceOf(canary)
  const text = `DestinationRule ${name}.${namespace}`
  const { trafficPolicy } = canary.spec.service
  const spec = { host: name, ...(trafficPolicy === undefined ? {} : { trafficPolicy }) }
  const existing = yield* findObject(DESTINATION_RULES, namespace, name, `${text} get query error: `)
  if (existing === undefined) {
    const metadata = { name, namespace, ownerReferences: [controllerReference(canary)] }
    yield* wrapped(`${text} create error: `, createObject(DESTINATION_RULES, namespace, { metadata, spec }))
    return yield* log('info', `${text} created`, fullName(canary))
  }
  if (sameJson(inMemory(DESTINATION_RULES, spec), existing.spec)) return
  yield* wrapped(`${text} update error: `, updateObject(DESTINATION_RULES, namespace, { ...existing, spec }))
  yield* log('info', `${text} updated`, fullName(canary))
}

function* reconcileVirtualService(canary: Canary): Plan<void> {
  const names = serviceNames(canary)
  const namespace = namespaceOf(canary)
  const text = `VirtualService ${names.apex}.${namespace}`
  const { service } = canary.spec
  if (service.delegation === true && ((service.hosts ?? []).length > 0 || (service.gateways ?? []).length > 0)) {
    throw new StepFailed(`${text} cannot have hosts and gateways when delegation enabled`)
  }
  const spec = wantedSpec(canary)
  const { labels, annotations } = apexMetadata(canary)
  const existing = yield* findObject(VIRTUAL_SERVICES, namespace, names.apex, `${text} get query error `)
  if (existing === undefined) {
    const metadata = newApexMetadata(canary, { labels, annotations })
    yield* wrapped(`${text} create error: `, createObject(VIRTUAL_SERVICES, namespace, { metadata, spec }))
    return yield* log('info', `${text} created`, fullName(canary))
  }
  for (const key of [LAST_APPLIED, ORIGINAL]) {
    const value = existing.metadata.annotations?.[key]
    if (value !== undefined) annotations[key] = value
  }
  const decoded = existing.spec as VirtualServiceSpec
  const stored = service.delegation === true ? { ...decoded, hosts: [], gateways: [] } : decoded
  const wanted = inMemory(VIRTUAL_SERVICES, spec) as VirtualServiceSpec
  const sameSpec = sameJson(comparable(canary, wanted), comparable(canary, stored))
  const sameMetadata =
    sameButEmpty(labels, existing.metadata.labels) && sameButEmpty(annotations, existing.metadata.annotations)
  if (sameSpec && sameMetadata) return
  if (annotations[LAST_APPLIED] === undefined && !sameSpec) {
    markUnmanagedByFlux(annotations)
    annotations[ORIGINAL] = goJson(encodeTyped('istio/v1beta1.VirtualServiceSpec', stored))
  }
  const draft = { ...existing, metadata: { ...existing.metadata, labels, annotations }, spec }
  yield* wrapped(`${text} update error: `, updateObject(VIRTUAL_SERVICES, namespace, draft))
  yield* log('info', `${text} updated`, fullName(canary))
}

function wantedSpec(canary: Canary): VirtualServiceSpec {
  const names = serviceNames(canary)
  const { service, analysis } = canary.spec
  const { hosts = [], gateways = [] } = service
  const weights = [destination(canary, names.primary, 100), destination(canary, names.canary, 0)]
  const place = {
    hosts: hosts.includes(names.apex) || hosts.includes('*') ? [...hosts] : [...hosts, names.apex],
    gateways: gateways.length === 0 ? ['mesh'] : [...gateways]
  }
  const scope = service.delegation === true ? { hosts: [], gateways: [] } : place
  if (isTcp(canary)) return { ...scope, tcp: [{ ...l4Matches(service.match), route: weights }] }
  const own = httpRoute(canary, service.match, weights)
  if ((analysis.match ?? []).length === 0) return { ...scope, http: [own] }
  const matched = httpRoute(canary, mergeMatches(analysis.match ?? [], service.match ?? []), weights)
  return { ...scope, http: [matched, httpRoute(canary, service.match, [destination(canary, names.primary, 100)])] }
}

/** Without weights and mirroring, and with session affinity without its cookie rules. */
function comparable(canary: Canary, spec: VirtualServiceSpec): unknown {
  const affinity = canary.spec.analysis.sessionAffinity
  const cookies = affinity === undefined ? [] : [affinity.cookieName, affinity.primaryCookieName ?? '']
  const isSticky = (route: HttpRoute): boolean =>
    (route.match ?? []).some((match) =>
      cookies.some((cookie) => (match.headers?.['Cookie']?.regex ?? '').includes(cookie))
    )
  const strip = ({ weight: _weight, headers, ...rest }: RouteDestination): unknown =>
    affinity === undefined ? { ...rest, headers } : rest
  const http = spec.http
    ?.filter((route) => !isSticky(route))
    .map(({ mirror: _mirror, mirrorPercentage: _percentage, ...route }) => ({
      ...route,
      route: route.route?.map(strip)
    }))
  const tcp = spec.tcp?.map((route) => ({ ...route, route: route.route?.map(strip) }))
  return { ...spec, http, tcp }
}

function read(canary: Canary, text = 'get query error '): Plan<KubeObject> {
  const { apex } = serviceNames(canary)
  const namespace = namespaceOf(canary)
  return getObject(VIRTUAL_SERVICES, namespace, apex, `VirtualService ${apex}.${namespace} ${text}`)
}

function* getRoutes(canary: Canary): Plan<Routes> {
  const names = serviceNames(canary)
  const { http = [], tcp = [] } = (yield* read(canary)).spec as VirtualServiceSpec
  const isTcpRoute = isTcp(canary)
  yield* log('info', `Canary ${fullName(canary)} uses ${isTcpRoute ? 'TCP' : 'HTTP'} service`)
  const toCanary = (route: { route?: RouteDestination[] }): boolean =>
    route.route?.some((target) => target.destination.host === names.canary) === true
  let [primaryWeight, canaryWeight] = [0, 0]
  const weigh = ({ destination: { host }, weight = 0 }: RouteDestination): void => {
    if (host === names.primary) primaryWeight = weight
    if (host === names.canary) canaryWeight = weight
  }
  const weighted = (isTcpRoute ? tcp : http).findLast(toCanary)
  weighted?.route?.forEach(weigh)
  const mirrored = !isTcpRoute && Boolean(http.findLast(toCanary)?.mirror?.host)
  if (!isTcpRoute && canary.spec.analysis.sessionAffinity !== undefined) {
    // The routes that set cookies are the ones that distribute by weight.
    for (const route of http) route.route?.filter((target) => target.headers !== undefined).forEach(weigh)
  }
  if (primaryWeight === 0 && canaryWeight === 0) {
    const place = `${names.apex}.${namespaceOf(canary)}`
    throw new StepFailed(`VirtualService ${place} does not contain routes for ${names.primary} and ${names.canary}`)
  }
  return { primaryWeight, canaryWeight, mirrored }
}

function* setRoutes(settings: ControllerSettings, canary: Canary, routes: Routes): Plan<void> {
  const names = serviceNames(canary)
  const namespace = namespaceOf(canary)
  const existing = yield* read(canary)
  const stored = existing.spec as VirtualServiceSpec
  const weights = [
    destination(canary, names.primary, routes.primaryWeight),
    destination(canary, names.canary, routes.canaryWeight)
  ]
  const spec = isTcp(canary)
    ? { ...stored, tcp: [{ ...l4Matches(canary.spec.service.match), route: weights }] }
    : { ...stored, http: yield* httpRoutes(settings, canary, routes, weights) }
  const updating = updateObject(VIRTUAL_SERVICES, namespace, { ...existing, spec })
  yield* wrapped(`VirtualService ${names.apex}.${namespace} update failed: `, updating)
}

function* httpRoutes(
  settings: ControllerSettings,
  canary: Canary,
  routes: Routes,
  weights: RouteDestination[]
): Plan<HttpRoute[]> {
  const names = serviceNames(canary)
  const { service, analysis } = canary.spec
  const weighted = httpRoute(canary, service.match, weights)
  const http =
    analysis.sessionAffinity === undefined ? [weighted] : yield* affinityRoutes(settings, canary, routes, weighted)
  const [first] = http
  if (routes.mirrored && first !== undefined) {
    first.mirror = { host: names.canary }
    const { mirrorWeight = 0 } = analysis
    if (mirrorWeight > 0) first.mirrorPercentage = { value: mirrorWeight }
  }
  if ((analysis.match ?? []).length === 0) return http
  const rest = settings.quirks['istio-default-route-carries-primary-weight'] ? routes.primaryWeight : 100
  return [
    httpRoute(canary, mergeMatches(analysis.match ?? [], service.match ?? []), weights),
    httpRoute(canary, service.match, [destination(canary, names.primary, rest)])
  ]
}

/** Sticky routes before the weighted one, whose destinations set the cookies. */
function* affinityRoutes(
  settings: ControllerSettings,
  canary: Canary,
  routes: Routes,
  weighted: HttpRoute
): Plan<HttpRoute[]> {
  const affinity = canary.spec.analysis.sessionAffinity
  if (affinity === undefined) return [weighted]
  const names = serviceNames(canary)
  const options = { quirks: settings.quirks, withPrimary: true }
  const cookies = yield* sessionCookies(canary, affinity, routes.canaryWeight, options)
  const own = canary.spec.service.match ?? []
  const sticky = (cookie: string): HttpRoute => ({
    ...weighted,
    match: mergeMatches([{ headers: { Cookie: { regex: cookiePattern(cookie) } } }], own)
  })
  if (cookies.canary === undefined) {
    if (cookies.previous === undefined) return [{ ...weighted }, weighted]
    const rule = sticky(cookies.previous)
    rule.headers = deletingHeaders(rule.headers, deletedCookie(cookies.previous))
    return [rule, weighted]
  }
  const split = (primary: number): RouteDestination[] => [
    destination(canary, names.primary, primary),
    destination(canary, names.canary, 100 - primary)
  ]
  const rules = [{ ...sticky(cookies.canary), route: split(0) }]
  const setCookie: Record<string, string> = { [names.canary]: canarySetCookie(affinity, cookies.canary) }
  if (cookies.primary !== undefined) {
    setCookie[names.primary] = primarySetCookie(canary, affinity, cookies.primary)
    rules.push({ ...sticky(cookies.primary), route: split(100) })
  }
  const route = weighted.route?.map((target) => withCookie(target, setCookie[target.destination.host]))
  return [...rules, { ...weighted, ...(route === undefined ? {} : { route }) }]
}

function withCookie(target: RouteDestination, cookie: string | undefined): RouteDestination {
  return cookie === undefined ? target : { ...target, headers: { response: { add: { 'Set-Cookie': cookie } } } }
}

/** The service's own headers are changed in place and so appear on every route, as upstream. */
function deletingHeaders(headers: IstioHeaders | undefined, cookie: string): IstioHeaders {
  const changed = headers ?? {}
  const response: HeaderOperations = (changed.response ??= {})
  response.add = Object.assign(response.add ?? {}, { 'Set-Cookie': cookie })
  return changed
}

function* finalise(canary: Canary): Plan<void> {
  const { apex } = serviceNames(canary)
  const namespace = namespaceOf(canary)
  const text = `VirtualService ${apex}.${namespace}`
  const existing = yield* read(canary, 'get query error: ')
  const annotations = existing.metadata.annotations ?? {}
  const key = [LAST_APPLIED, ORIGINAL].find((name) => annotations[name] !== undefined)
  if (key === undefined) return yield* log('warn', `${text} original configuration not found, unable to revert`)
  const stored = parsed(annotations[key] ?? '', `${text} failed to unMarshal annotation ${key}`)
  const original =
    key === LAST_APPLIED ? (stored as { spec?: VirtualServiceSpec }).spec : (stored as VirtualServiceSpec)
  const draft = { ...existing, spec: original ?? {} }
  yield* wrapped(`${text} update error: `, updateObject(VIRTUAL_SERVICES, namespace, draft))
}

function parsed(text: string, error: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new StepFailed(error)
  }
}

function isTcp(canary: Canary): boolean {
  return canary.spec.service.appProtocol?.toLowerCase() === 'tcp'
}

function httpRoute(
  canary: Canary,
  match: readonly HttpMatchRequest[] | undefined,
  route: RouteDestination[]
): HttpRoute {
  const { rewrite, timeout, retries, corsPolicy, headers } = canary.spec.service
  return {
    ...(match === undefined ? {} : { match: [...match] }),
    route,
    ...(rewrite === undefined ? {} : { rewrite: rewriteOf(rewrite) }),
    ...(timeout ? { timeout } : {}),
    ...(retries === undefined ? {} : { retries: { ...retries, attempts: retries.attempts ?? 0 } }),
    ...(corsPolicy === undefined ? {} : { corsPolicy }),
    ...(headers === undefined ? {} : { headers })
  }
}

function rewriteOf({ uri, authority }: { uri?: string; authority?: string }): { uri?: string; authority?: string } {
  return { ...(uri ? { uri } : {}), ...(authority ? { authority } : {}) }
}

/** The service's matches with the analysis' headers and source labels. */
function mergeMatches(analysis: readonly HttpMatchRequest[], service: readonly HttpMatchRequest[]): HttpMatchRequest[] {
  if (service.length === 0) return [...analysis]
  return analysis.flatMap((own) =>
    service.map((match) => ({
      ...match,
      ...(own.headers === undefined ? {} : { headers: own.headers }),
      ...(own.sourceLabels === undefined ? {} : { sourceLabels: own.sourceLabels })
    }))
  )
}

/** A weighted destination; the port is told only when several ports are served through a gateway. */
function destination(canary: Canary, host: string, weight: number): RouteDestination {
  const { portDiscovery, gateways = [], delegation, port } = canary.spec.service
  const viaGateway = (gateways.length > 0 && gateways[0] !== 'mesh') || delegation === true
  const needsPort = portDiscovery === true && viaGateway
  return { destination: { host, ...(needsPort ? { port: { number: port } } : {}) }, weight }
}
