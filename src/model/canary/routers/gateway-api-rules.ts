import type { Canary, HttpMatchRequest, ParentReference, StringMatch } from '../../../kinds/index.ts'
import { parseGoDuration } from '../../../lib/time/index.ts'
import { StepFailed } from '../failure.ts'

/** Versions of the HTTPRoute API. */
export type GatewayVersion = 'v1' | 'v1beta1'

/** A match of an HTTPRoute rule. */
export interface RouteMatch {
  path?: { type: string; value: string }
  method?: string
  headers?: NamedMatch[]
  queryParams?: NamedMatch[]
}

interface NamedMatch {
  type: string
  name: string
  value: string
}

/** A filter of a rule or of a backend. */
export type RouteFilter = { type: string } & Record<string, unknown>

/** A weighted backend. */
export interface BackendRef {
  group?: string
  kind?: string
  name: string
  namespace?: string
  port?: number
  weight?: number
  filters?: RouteFilter[]
}

/** A rule of an HTTPRoute. */
export interface RouteRule {
  matches?: RouteMatch[]
  filters?: RouteFilter[]
  backendRefs?: BackendRef[]
  timeouts?: { request?: string; backendRequest?: string }
}

/** `spec` of an HTTPRoute. */
export interface HttpRouteSpec {
  parentRefs?: ParentReference[]
  hostnames?: string[]
  rules?: RouteRule[]
}

/** Matches everything. */
const ANY_PATH: RouteMatch = { path: { type: 'PathPrefix', value: '/' } }

/**
 * The service's matches as Gateway API writes them; everything when there are none.
 * @throws StepFailed for a selector that Gateway API does not have
 */
export function serviceMatches(canary: Canary): RouteMatch[] {
  const matches = mapMatches(canary.spec.service.match ?? [])
  return matches.length === 0 ? [ANY_PATH] : matches
}

/**
 * Istio's matches as Gateway API writes them; headers and query parameters by name (Flagger's order is random).
 * @throws StepFailed for a selector that Gateway API does not have
 */
export function mapMatches(requests: readonly HttpMatchRequest[]): RouteMatch[] {
  return requests.map(mapMatch).filter((match) => Object.keys(match).length > 0)
}

/** Cross product: the service's matches with the analysis' headers and query parameters. */
export function mergeMatches(analysis: readonly RouteMatch[], service: readonly RouteMatch[]): RouteMatch[] {
  if (analysis.length === 0) return [...service]
  if (service.length === 0) return [...analysis]
  return analysis.flatMap((own) =>
    service.map((match) => ({
      ...match,
      ...(own.headers === undefined ? {} : { headers: own.headers }),
      ...(own.queryParams === undefined ? {} : { queryParams: own.queryParams })
    }))
  )
}

/** A rule with both backends, primary first. */
export function weightedRule(
  canary: Canary,
  version: GatewayVersion,
  matches: readonly RouteMatch[],
  backends: readonly (readonly [service: string, weight: number])[]
): RouteRule {
  const filters = makeFilters(canary, version)
  const timeouts = makeTimeouts(canary, version)
  return {
    matches: [...matches],
    ...(filters.length === 0 ? {} : { filters }),
    backendRefs: backends.map(([service, weight]) => backendRef(canary, service, weight)),
    ...(timeouts === undefined ? {} : { timeouts })
  }
}

/** A weighted reference to a Service at the canary's port. */
export function backendRef(canary: Canary, name: string, weight: number): BackendRef {
  return { group: '', kind: 'Service', name, port: canary.spec.service.port, weight }
}

/** The filter that copies requests to a Service. */
export function mirrorFilter(canary: Canary, name: string): RouteFilter {
  const reference = { group: '', kind: 'Service', name, port: canary.spec.service.port }
  return { type: 'RequestMirror', requestMirror: { backendRef: reference } }
}

/** The filter that sets a cookie in responses. */
export function setCookieFilter(value: string): RouteFilter {
  return { type: 'ResponseHeaderModifier', responseHeaderModifier: { add: [{ name: 'Set-Cookie', value }] } }
}

/** A match on the Cookie header. */
export function cookieMatch(pattern: string): RouteMatch {
  return { headers: [{ type: 'RegularExpression', name: 'Cookie', value: pattern }] }
}

function mapMatch(request: HttpMatchRequest): RouteMatch {
  const match: RouteMatch = {}
  if (request.uri !== undefined) match.path = mapPath(request.uri)
  if (request.method !== undefined) {
    // The error prints the headers, as upstream.
    if (!request.method.exact) throw unsupported('header', goMap(request.headers ?? {}))
    match.method = request.method.exact
  }
  const headers = mapNamed(request.headers, 'header')
  if (headers.length > 0) match.headers = headers
  const queryParams = mapNamed(request.queryParams, 'query')
  if (queryParams.length > 0) match.queryParams = queryParams
  return match
}

function mapPath(uri: StringMatch): NonNullable<RouteMatch['path']> {
  if (uri.regex) return { type: 'RegularExpression', value: uri.regex }
  if (uri.exact) return { type: 'Exact', value: uri.exact }
  if (uri.prefix) return { type: 'PathPrefix', value: uri.prefix }
  throw unsupported('path', `&${goStringMatch(uri)}`)
}

function mapNamed(selectors: Readonly<Record<string, StringMatch>> | undefined, what: string): NamedMatch[] {
  return Object.entries(selectors ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, selector]) => {
      if (selector.exact) return { type: 'Exact', name, value: selector.exact }
      if (selector.regex) return { type: 'RegularExpression', name, value: selector.regex }
      throw unsupported(what, goMap(selectors ?? {}))
    })
}

/** The text ends with a line feed, as upstream. */
function unsupported(what: string, selector: string): StepFailed {
  return new StepFailed(`Gateway API doesn't support the specified ${what} matching selector: ${selector}\n`)
}

function goStringMatch({ exact = '', prefix = '', suffix = '', regex = '' }: StringMatch): string {
  return `{Exact:${exact} Prefix:${prefix} Suffix:${suffix} Regex:${regex}}`
}

function goMap(selectors: Readonly<Record<string, StringMatch>>): string {
  const entries = Object.entries(selectors).sort(([left], [right]) => (left < right ? -1 : 1))
  return `map[${entries.map(([name, selector]) => `${name}:${goStringMatch(selector)}`).join(' ')}]`
}

function makeTimeouts(canary: Canary, version: GatewayVersion): RouteRule['timeouts'] {
  const { timeout, backendTimeout } = canary.spec.service
  if (version !== 'v1' || (!timeout && !backendTimeout)) return undefined
  return { ...(timeout ? { request: timeout } : {}), ...(backendTimeout ? { backendRequest: backendTimeout } : {}) }
}

/** Filters of a rule, in Flagger's order. */
function makeFilters(canary: Canary, version: GatewayVersion): RouteFilter[] {
  const { headers, rewrite, mirror, corsPolicy } = canary.spec.service
  const filters: RouteFilter[] = []
  if (headers?.request !== undefined) {
    filters.push({ type: 'RequestHeaderModifier', requestHeaderModifier: headerOperations(headers.request) })
  }
  if (headers?.response !== undefined) {
    filters.push({ type: 'ResponseHeaderModifier', responseHeaderModifier: headerOperations(headers.response) })
  }
  if (rewrite !== undefined) filters.push({ type: 'URLRewrite', urlRewrite: rewriteOf(rewrite) })
  for (const { backendRef: reference } of mirror ?? []) {
    const { group, kind, name, namespace, port } = reference
    filters.push({
      type: 'RequestMirror',
      requestMirror: { backendRef: present({ group, kind, name, namespace, port }) }
    })
  }
  if (corsPolicy !== undefined && version === 'v1') filters.push({ type: 'CORS', cors: corsOf(corsPolicy) })
  return filters
}

interface HeaderChanges {
  readonly add?: Readonly<Record<string, string>>
  readonly set?: Readonly<Record<string, string>>
  readonly remove?: readonly string[]
}

function headerOperations({ add, set, remove }: HeaderChanges): Record<string, unknown> {
  return present({ add: headerList(add), set: headerList(set), remove: remove?.length === 0 ? undefined : remove })
}

function headerList(headers: Readonly<Record<string, string>> = {}): { name: string; value: string }[] | undefined {
  const list = Object.entries(headers)
    .map(([name, value]) => ({ name, value }))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
  return list.length === 0 ? undefined : list
}

function rewriteOf(rewrite: { uri?: string; authority?: string; type?: string }): Record<string, unknown> {
  const { uri, authority } = rewrite
  const path =
    rewrite.type === 'ReplacePrefixMatch'
      ? { type: 'ReplacePrefixMatch', replacePrefixMatch: uri }
      : { type: 'ReplaceFullPath', replaceFullPath: uri }
  return { ...(authority ? { hostname: authority } : {}), ...(uri ? { path } : {}) }
}

function corsOf(cors: NonNullable<Canary['spec']['service']['corsPolicy']>): Record<string, unknown> {
  const maxAgeMs = cors.maxAge ? parseGoDuration(cors.maxAge) : undefined
  const maxAge = Math.trunc((maxAgeMs ?? 0) / 1000)
  return present({
    allowOrigins: filled(cors.allowOrigin),
    allowCredentials: cors.allowCredentials === true ? true : undefined,
    allowMethods: filled(cors.allowMethods),
    allowHeaders: filled(cors.allowHeaders),
    exposeHeaders: filled(cors.exposeHeaders),
    maxAge: maxAge === 0 ? undefined : maxAge
  })
}

function filled(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}

function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
