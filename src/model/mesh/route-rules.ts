import type { KubeObject } from '../../kinds/index.ts'
import { parseGoDuration } from '../../lib/time/index.ts'
import type { ObjectReader, RouteIdentity, ServicePort, WeightedBackend } from './cluster-view.ts'
import { asArray, asNumber, asRecord, asText } from './json.ts'

/** One rule of an HTTPRoute. */
export interface RouteRule {
  readonly route: RouteIdentity
  readonly matches: readonly RouteMatch[]
  readonly backends: readonly WeightedBackend[]
  /** Headers set, added and removed on the request, lower-case names. */
  readonly requestHeaders: HeaderChange
  /** Milliseconds. */
  readonly requestTimeoutMs: number | undefined
  readonly backendTimeoutMs: number | undefined
  readonly retry: RetryPolicy | undefined
}

/** Changes of headers by a filter. */
export interface HeaderChange {
  readonly set: Readonly<Record<string, string>>
  readonly add: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

/** Retries a route's annotations ask for. */
export interface RetryPolicy {
  readonly limit: number
  /** Inclusive ranges of statuses. */
  readonly statuses: readonly (readonly [number, number])[]
  readonly timeoutMs: number | undefined
}

type Comparison =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: RegExp }

/** A match of a rule: all of its parts must hold. */
export interface RouteMatch {
  readonly path: { readonly kind: 'exact' | 'prefix' | 'regex'; readonly value: string } | undefined
  readonly method: string | undefined
  readonly headers: readonly { readonly name: string; readonly comparison: Comparison }[]
  readonly query: readonly { readonly name: string; readonly comparison: Comparison }[]
}

/** What of a request decides its route. */
export interface RoutedRequest {
  readonly method: string
  /** Path with query. */
  readonly target: string
  header(name: string): string | undefined
}

/** The route used where nothing else applies. */
export const DEFAULT_ROUTE: RouteIdentity = { group: '', kind: 'default', namespace: '', name: 'http' }

const GROUPS: readonly string[] = ['gateway.networking.k8s.io', 'policy.linkerd.io']

/** The rules that apply to a Service's port for clients of a namespace, in the order of their routes' age and name. */
export function readRules(reader: ObjectReader, service: ServicePort, clientNamespace: string): readonly RouteRule[] {
  const rules: RouteRule[] = []
  for (const group of GROUPS) {
    const namespaces = new Set([clientNamespace, service.namespace])
    for (const namespace of namespaces) {
      const routes = reader.list(group, 'httproutes', namespace).toSorted(byAge)
      for (const route of routes) if (isParent(route, service)) rules.push(...rulesOf(reader, route, group))
    }
    if (rules.length > 0) break
  }
  return rules.length > 0 ? rules : serviceRules(reader, service)
}

/** A Service's own retry and time-out annotations govern its default route. */
function serviceRules(reader: ObjectReader, service: ServicePort): readonly RouteRule[] {
  const annotations = reader.get('', 'services', service.namespace, service.name)?.metadata.annotations ?? {}
  const requestTimeoutMs = duration(annotations['timeout.linkerd.io/request'])
  const backendTimeoutMs = duration(annotations['timeout.linkerd.io/response'])
  const retry = readRetry(annotations)
  if (requestTimeoutMs === undefined && backendTimeoutMs === undefined && retry === undefined) return []
  return [
    {
      route: DEFAULT_ROUTE,
      matches: [ANYTHING],
      backends: [{ service, weight: 1, missing: false }],
      requestHeaders: { set: {}, add: {}, remove: [] },
      requestTimeoutMs,
      backendTimeoutMs,
      retry
    }
  ]
}

function byAge(a: KubeObject, b: KubeObject): number {
  const left = `${a.metadata.creationTimestamp ?? ''} ${a.metadata.name}`
  const right = `${b.metadata.creationTimestamp ?? ''} ${b.metadata.name}`
  return left < right ? -1 : left > right ? 1 : 0
}

function isParent(route: KubeObject, service: ServicePort): boolean {
  return asArray(asRecord(route.spec)['parentRefs']).some((entry) => {
    const parent = asRecord(entry)
    const group = asText(parent['group']) ?? 'gateway.networking.k8s.io'
    return (
      (group === '' || group === 'core') &&
      parent['kind'] === 'Service' &&
      parent['name'] === service.name &&
      (asText(parent['namespace']) ?? route.metadata.namespace) === service.namespace &&
      (parent['port'] === undefined || parent['port'] === service.port)
    )
  })
}

function rulesOf(reader: ObjectReader, route: KubeObject, group: string): readonly RouteRule[] {
  const namespace = route.metadata.namespace ?? 'default'
  const identity = { group, kind: 'HTTPRoute', namespace, name: route.metadata.name }
  const annotations = route.metadata.annotations ?? {}
  return asArray(asRecord(route.spec)['rules']).map((entry) => {
    const rule = asRecord(entry)
    const timeouts = asRecord(rule['timeouts'])
    const matches = asArray(rule['matches'])
    return {
      route: identity,
      matches: matches.length === 0 ? [ANYTHING] : matches.map(readMatch),
      backends: asArray(rule['backendRefs']).map((reference) => readBackend(reader, reference, namespace)),
      requestHeaders: readHeaderChange(asArray(rule['filters'])),
      requestTimeoutMs: duration(timeouts['request'] ?? annotations['timeout.linkerd.io/request']),
      backendTimeoutMs: duration(timeouts['backendRequest'] ?? annotations['timeout.linkerd.io/response']),
      retry: readRetry(annotations)
    }
  })
}

const ANYTHING: RouteMatch = { path: undefined, method: undefined, headers: [], query: [] }

function duration(text: unknown): number | undefined {
  const ms = typeof text === 'string' ? parseGoDuration(text) : undefined
  return ms === 0 ? undefined : ms
}

function readRetry(annotations: Readonly<Record<string, string>>): RetryPolicy | undefined {
  const conditions = annotations['retry.linkerd.io/http']
  if (conditions === undefined) return undefined
  const statuses = conditions.split(',').flatMap((part): (readonly [number, number])[] => {
    const text = part.trim()
    if (text === '5xx') return [[500, 599]]
    if (text === 'gateway-error') return [[502, 504]]
    const range = /^(\d{3})(?:-(\d{3}))?$/.exec(text)
    return range === null ? [] : [[Number(range[1]), Number(range[2] ?? range[1])]]
  })
  return {
    limit: Number(annotations['retry.linkerd.io/limit'] ?? 1),
    statuses,
    timeoutMs: duration(annotations['retry.linkerd.io/timeout'])
  }
}

function readBackend(reader: ObjectReader, entry: unknown, namespace: string): WeightedBackend {
  const reference = asRecord(entry)
  const service = {
    namespace: asText(reference['namespace']) ?? namespace,
    name: asText(reference['name']) ?? '',
    port: asNumber(reference['port']) ?? 0
  }
  const kind = asText(reference['kind']) ?? 'Service'
  const stored = kind === 'Service' ? reader.get('', 'services', service.namespace, service.name) : undefined
  const hasPort = asArray(asRecord(stored?.spec)['ports']).some((port) => asRecord(port)['port'] === service.port)
  return { service, weight: asNumber(reference['weight']) ?? 1, missing: !hasPort }
}

function readMatch(entry: unknown): RouteMatch {
  const match = asRecord(entry)
  const path = asRecord(match['path'])
  const value = asText(path['value'])
  const type = asText(path['type']) ?? 'PathPrefix'
  const kind = type === 'Exact' ? 'exact' : type === 'RegularExpression' ? 'regex' : 'prefix'
  return {
    path: value === undefined ? undefined : { kind, value },
    method: asText(match['method']),
    headers: asArray(match['headers']).map((header) => readComparison(header, true)),
    query: asArray(match['queryParams']).map((parameter) => readComparison(parameter, false))
  }
}

function readComparison(entry: unknown, lower: boolean): { readonly name: string; readonly comparison: Comparison } {
  const part = asRecord(entry)
  const name = asText(part['name']) ?? ''
  const value = asText(part['value']) ?? ''
  const comparison: Comparison =
    part['type'] === 'RegularExpression'
      ? { kind: 'regex', value: new RegExp(`^(?:${value})$`) }
      : { kind: 'exact', value }
  return { name: lower ? name.toLowerCase() : name, comparison }
}

function readHeaderChange(filters: readonly unknown[]): HeaderChange {
  const set: Record<string, string> = {}
  const add: Record<string, string> = {}
  const remove: string[] = []
  for (const filter of filters.map(asRecord)) {
    if (filter['type'] !== 'RequestHeaderModifier') continue
    const modifier = asRecord(filter['requestHeaderModifier'])
    for (const entry of asArray(modifier['set']).map(asRecord))
      set[String(entry['name']).toLowerCase()] = String(entry['value'])
    for (const entry of asArray(modifier['add']).map(asRecord))
      add[String(entry['name']).toLowerCase()] = String(entry['value'])
    for (const name of asArray(modifier['remove'])) remove.push(String(name).toLowerCase())
  }
  return { set, add, remove }
}

/**
 * The rule for a request: the most specific match wins (exact path, longest prefix, method, headers, query parameters),
 * then the earlier rule. @returns undefined when none matches
 * @see Gateway API v1.2.1 HTTPRouteRule precedence
 */
export function pickRule(rules: readonly RouteRule[], request: RoutedRequest): RouteRule | undefined {
  const only = rules[0]
  if (rules.length === 1 && only?.matches.length === 1 && only.matches[0] === ANYTHING) return only
  let best: RouteRule | undefined
  let bestRank: readonly number[] = []
  for (const rule of rules) {
    for (const match of rule.matches) {
      if (!matches(match, request)) continue
      const rank = specificity(match)
      if (best !== undefined && !higher(rank, bestRank)) continue
      best = rule
      bestRank = rank
    }
  }
  return best
}

function specificity(match: RouteMatch): readonly number[] {
  const { path } = match
  return [
    path?.kind === 'exact' ? 2 : path?.kind === 'regex' ? 1 : 0,
    path?.value.length ?? 1,
    match.method === undefined ? 0 : 1,
    match.headers.length,
    match.query.length
  ]
}

function higher(left: readonly number[], right: readonly number[]): boolean {
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}

function matches(match: RouteMatch, request: RoutedRequest): boolean {
  const [path = '/', query = ''] = request.target.split('?', 2)
  if (match.path !== undefined && !matchesPath(match.path, path)) return false
  if (match.method !== undefined && match.method !== request.method) return false
  if (!match.headers.every(({ name, comparison }) => compare(comparison, request.header(name)))) return false
  if (match.query.length === 0) return true
  const parameters = new URLSearchParams(query)
  return match.query.every(({ name, comparison }) => compare(comparison, parameters.get(name) ?? undefined))
}

function matchesPath(match: { readonly kind: string; readonly value: string }, path: string): boolean {
  if (match.kind === 'exact') return path === match.value
  if (match.kind === 'regex') return new RegExp(`^(?:${match.value})$`).test(path)
  const prefix = match.value.replace(/\/+$/, '')
  return path === prefix || path.startsWith(`${prefix}/`)
}

function compare(comparison: Comparison, value: string | undefined): boolean {
  if (value === undefined) return false
  return comparison.kind === 'exact' ? value === comparison.value : comparison.value.test(value)
}
