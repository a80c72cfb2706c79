import type { Canary, KubeObject, SessionAffinity } from '../../../kinds/index.ts'
import { canarySetCookie, cookiePattern, deletedCookie, primarySetCookie, sessionCookies } from '../affinity.ts'
import { log, type Plan } from '../effects.ts'
import { StepFailed, wrapped } from '../failure.ts'
import { createObject, findObject, getObject, updateObject, type Resource } from '../objects.ts'
import type { ControllerSettings } from '../settings.ts'
import { sameButEmpty, sameJson } from '../same.ts'
import { fullName, namespaceOf, serviceNames, statusOf } from '../spec.ts'
import {
  backendRef,
  cookieMatch,
  mapMatches,
  mergeMatches,
  mirrorFilter,
  serviceMatches,
  setCookieFilter,
  weightedRule,
  type BackendRef,
  type GatewayVersion,
  type HttpRouteSpec,
  type RouteMatch,
  type RouteRule
} from './gateway-api-rules.ts'
import {
  apexMetadata,
  newApexMetadata,
  nothingToFinalise,
  type Router,
  type RouterContext,
  type Routes
} from './router.ts'

interface ParentStatus {
  parentRef?: unknown
  conditions?: { type: string; status: string; observedGeneration?: number }[]
}

interface Context {
  readonly version: GatewayVersion
  readonly kind: Resource
  readonly settings: ControllerSettings
}

/**
 * Gateway API HTTPRoute.
 * @see fluxcd/flagger pkg/router/gateway_api.go, gateway_api_v1beta1.go 1.44.0
 */
export function gatewayRouter(version: GatewayVersion): (context: RouterContext) => Router {
  const spec = `gatewayapi/${version}.HTTPRouteSpec` as const
  const kind: Resource = { group: 'gateway.networking.k8s.io', version, plural: 'httproutes', kind: 'HTTPRoute', spec }
  return ({ settings }) => {
    const context: Context = { version, kind, settings }
    return {
      reportsMirroring: false,
      reconcile: (canary) => reconcile(context, canary),
      getRoutes: (canary) => getRoutes(context, canary),
      setRoutes: (canary, routes) => setRoutes(context, canary, routes),
      finalise: nothingToFinalise
    }
  }
}

function* reconcile(context: Context, canary: Canary): Plan<void> {
  const { kind } = context
  if ((canary.spec.service.gatewayRefs ?? []).length === 0) {
    throw new StepFailed('GatewayRefs must be specified when using Gateway API as a provider.')
  }
  const names = serviceNames(canary)
  const namespace = namespaceOf(canary)
  const name = `HTTPRoute ${names.apex}.${namespace}`
  const matches = mappedServiceMatches(canary)
  const rule = weightedRule(canary, context.version, matches, [
    [names.primary, 100],
    [names.canary, 0]
  ])
  const spec = withAnalysisMatch(context, canary, matches, { ...routeSpec(canary), rules: [rule] })
  const existing = yield* findObject(kind, namespace, names.apex, `${name} get error: `)
  const { labels, annotations } = apexMetadata(canary)
  if (existing === undefined) {
    const metadata = newApexMetadata(canary, { labels, annotations })
    yield* wrapped(`${name} create error: `, createObject(kind, namespace, { metadata, spec }))
    yield* log('info', `${name} created`, fullName(canary))
    return
  }
  const merged = Object.assign(annotations, { ...existing.metadata.annotations, ...annotations })
  const unchanged =
    sameSpec(context, canary, existing.spec as HttpRouteSpec, spec) &&
    sameButEmpty(labels, existing.metadata.labels) &&
    sameButEmpty(merged, existing.metadata.annotations)
  if (unchanged) return
  const draft = { ...existing, metadata: { ...existing.metadata, labels, annotations: merged }, spec }
  yield* updating(name, 'while reconciling', updateObject(kind, namespace, draft))
  yield* log('info', `${name} updated`, fullName(canary))
}

function mappedServiceMatches(canary: Canary): RouteMatch[] {
  try {
    return serviceMatches(canary)
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    throw new StepFailed(`Invalid request matching selectors: ${error.message}`)
  }
}

function routeSpec(canary: Canary): HttpRouteSpec {
  const { gatewayRefs = [], hosts = [] } = canary.spec.service
  return {
    parentRefs: gatewayRefs.map((reference) => ({ ...reference })),
    ...(hosts.length === 0 ? {} : { hostnames: [...hosts] })
  }
}

/** A/B testing: rule 0 with the analysis' matches, and a last rule to the primary for everybody else. */
function withAnalysisMatch(
  context: Context,
  canary: Canary,
  matches: readonly RouteMatch[],
  spec: HttpRouteSpec
): HttpRouteSpec {
  if ((canary.spec.analysis.match ?? []).length === 0) return spec
  const [first, ...others] = spec.rules ?? []
  const { timeouts, ...rest } = weightedRule(canary, context.version, matches, [[serviceNames(canary).primary, 100]])
  const merged = mergeMatches(analysisMatches(context, canary), matches)
  // Upstream gives the time-outs to the second rule, which with sticky rules is not this last one.
  const last = others.length === 0 && timeouts !== undefined ? { ...rest, timeouts } : rest
  return { ...spec, rules: [{ ...first, matches: merged }, ...others, last] }
}

/** Upstream drops the mapping error together with all matches. */
function analysisMatches(context: Context, canary: Canary): RouteMatch[] {
  try {
    return mapMatches(canary.spec.analysis.match ?? [])
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    if (context.settings.quirks['analysis-match-errors-are-dropped']) return []
    throw new StepFailed(`Invalid request matching selectors: ${error.message}`)
  }
}

function* updating(name: string, when: string, plan: Plan<unknown>): Plan<void> {
  try {
    yield* plan
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    throw new StepFailed(`${name} update error: ${error.message} ${when}`, { reason: error.reason })
  }
}

/** Whether the stored spec is as wanted, leaving out what the analysis itself changes. */
function sameSpec(context: Context, canary: Canary, stored: HttpRouteSpec, wanted: HttpRouteSpec): boolean {
  const affinity = canary.spec.analysis.sessionAffinity
  const { phase } = statusOf(canary)
  const mirrors =
    canary.spec.analysis.mirror === true &&
    (phase === 'Waiting' || phase === 'Progressing' || phase === 'WaitingPromotion')
  const comparable = (spec: HttpRouteSpec): unknown => ({
    ...spec,
    rules: (spec.rules ?? [])
      .filter((rule) => affinity === undefined || !isStickyRule(context, rule, affinity))
      .map(({ filters, ...rule }) => ({
        ...rule,
        ...(mirrors ? {} : { filters }),
        backendRefs: rule.backendRefs?.map((backend) => comparableBackend(backend, affinity !== undefined))
      }))
  })
  return sameButEmpty(comparable(stored), comparable(wanted))
}

function comparableBackend({ weight: _weight, filters, ...rest }: BackendRef, ignoresFilters: boolean): unknown {
  return ignoresFilters ? rest : { ...rest, filters }
}

/** A rule that routes by one of the cookies; an unset primary name is contained in every pattern, as upstream. */
function isStickyRule({ version }: Context, rule: RouteRule, affinity: SessionAffinity): boolean {
  const names = version === 'v1' ? [affinity.cookieName, affinity.primaryCookieName ?? ''] : [affinity.cookieName]
  return (rule.matches ?? []).some((match) =>
    (match.headers ?? []).some(
      ({ type, name, value }) =>
        type === 'RegularExpression' && name === 'Cookie' && names.some((cookie) => value.includes(cookie))
    )
  )
}

function read(context: Context, canary: Canary): Plan<KubeObject> {
  const { apex } = serviceNames(canary)
  const namespace = namespaceOf(canary)
  return getObject(context.kind, namespace, apex, `HTTPRoute ${apex}.${namespace} get error: `)
}

function* getRoutes(context: Context, canary: Canary): Plan<Routes> {
  const names = serviceNames(canary)
  const route = yield* read(context, canary)
  const waits = context.version === 'v1' && context.settings.quirks['unaccepted-route-ends-tick']
  if (waits) requireAccepted(`HTTPRoute ${names.apex}.${namespaceOf(canary)}`, route)
  let [primaryWeight, canaryWeight, mirrored] = [0, 0, false]
  const weigh = (rule: RouteRule): void => {
    for (const backend of rule.backendRefs ?? []) {
      if (backend.name === names.primary) primaryWeight = backend.weight ?? 0
      if (backend.name === names.canary) canaryWeight = backend.weight ?? 0
    }
  }
  const { rules = [] } = route.spec as HttpRouteSpec
  for (const rule of rules) {
    if ((rule.backendRefs ?? []).length === 2) weigh(rule)
    mirrored ||= (rule.filters ?? []).some((filter) => isMirrorTo(filter, names.canary))
  }
  if (canary.spec.analysis.sessionAffinity !== undefined) {
    // The rule that sets cookies is the one that distributes by weight.
    const weighted = rules.findLast((rule) => rule.backendRefs?.some((backend) => (backend.filters ?? []).length > 0))
    if (weighted !== undefined) weigh(weighted)
  }
  return { primaryWeight, canaryWeight, mirrored }
}

function isMirrorTo(filter: { type: string; requestMirror?: unknown }, service: string): boolean {
  const mirror = filter.requestMirror as { backendRef?: { name?: string } } | undefined
  return filter.type === 'RequestMirror' && mirror?.backendRef?.name === service
}

/** The gateway must have accepted the route's present generation; parents without status pass. */
function requireAccepted(name: string, route: KubeObject): void {
  const generation = route.metadata.generation ?? 0
  const parents = ((route.status ?? {}) as { parents?: ParentStatus[] }).parents ?? []
  for (const parent of (route.spec as HttpRouteSpec).parentRefs ?? []) {
    for (const status of parents.filter((candidate) => sameJson(candidate.parentRef, parent))) {
      for (const { type, status: accepted, observedGeneration = 0 } of status.conditions ?? []) {
        if (type !== 'Accepted' || (accepted === 'True' && observedGeneration >= generation)) continue
        const detail = `status: ${accepted}, observed generation: ${observedGeneration}, current generation: ${generation}`
        throw new StepFailed(`${name} parent ${parent.name} is not ready (${detail})`)
      }
    }
  }
}

function* setRoutes(context: Context, canary: Canary, routes: Routes): Plan<void> {
  const names = serviceNames(canary)
  const route = yield* read(context, canary)
  const matches = mappedServiceMatches(canary)
  const weighted = weightedRule(canary, context.version, matches, [
    [names.primary, routes.primaryWeight],
    [names.canary, routes.canaryWeight]
  ])
  if (routes.mirrored && (canary.spec.analysis.iterations ?? 0) > 0) {
    weighted.filters = [...(weighted.filters ?? []), mirrorFilter(canary, names.canary)]
  }
  const affinity = canary.spec.analysis.sessionAffinity
  const rules =
    affinity === undefined ? [weighted] : yield* affinityRules(context, canary, routes.canaryWeight, weighted)
  const spec = withAnalysisMatch(context, canary, matches, { ...routeSpec(canary), rules })
  const namespace = namespaceOf(canary)
  const name = `HTTPRoute ${names.apex}.${namespace}`
  yield* updating(name, 'while setting weights', updateObject(context.kind, namespace, { ...route, spec }))
}

/** Sticky rules before the weighted one, which sets the cookies. */
function* affinityRules(
  context: Context,
  canary: Canary,
  canaryWeight: number,
  weighted: RouteRule
): Plan<RouteRule[]> {
  const affinity = canary.spec.analysis.sessionAffinity
  if (affinity === undefined) return [weighted]
  const names = serviceNames(canary)
  const cookies = yield* sessionCookies(canary, affinity, canaryWeight, {
    quirks: context.settings.quirks,
    withPrimary: context.version === 'v1'
  })
  const own = mapMatches(canary.spec.service.match ?? [])
  const sticky = (cookie: string): RouteRule => ({
    ...weighted,
    matches: mergeMatches([cookieMatch(cookiePattern(cookie))], own)
  })
  if (cookies.canary === undefined) {
    if (cookies.previous === undefined) return [{ ...weighted }, weighted]
    const deleting = setCookieFilter(deletedCookie(cookies.previous))
    const rule = sticky(cookies.previous)
    return [{ ...rule, filters: [...(rule.filters ?? []), deleting] }, weighted]
  }
  const split = (primary: number): BackendRef[] => [
    backendRef(canary, names.primary, primary),
    backendRef(canary, names.canary, 100 - primary)
  ]
  const rules = [{ ...sticky(cookies.canary), backendRefs: split(0) }]
  const filtersOf: Record<string, BackendRef['filters']> = {
    [names.canary]: [setCookieFilter(canarySetCookie(affinity, cookies.canary))]
  }
  if (cookies.primary !== undefined) {
    filtersOf[names.primary] = [setCookieFilter(primarySetCookie(canary, affinity, cookies.primary))]
    rules.push({ ...sticky(cookies.primary), backendRefs: split(100) })
  }
  return [
    ...rules,
    { ...weighted, backendRefs: (weighted.backendRefs ?? []).map((backend) => withFilters(backend, filtersOf)) }
  ]
}

function withFilters(backend: BackendRef, filtersOf: Readonly<Record<string, BackendRef['filters']>>): BackendRef {
  const filters = filtersOf[backend.name]
  return filters === undefined ? backend : { ...backend, filters }
}
