import type { HeaderOperations, HttpMatchRequest } from '../../../kinds/index.ts'

/** Header operations of a route or destination. */
export interface IstioHeaders {
  request?: HeaderOperations
  response?: HeaderOperations
}

/** A weighted destination. */
export interface RouteDestination {
  destination: { host: string; subset?: string; port?: { number?: number; name?: string } }
  weight?: number
  headers?: IstioHeaders
}

/** An HTTP route. */
export interface HttpRoute {
  name?: string
  match?: HttpMatchRequest[]
  route?: RouteDestination[]
  mirror?: { host: string }
  mirrorPercentage?: { value?: number }
  headers?: IstioHeaders
  [field: string]: unknown
}

/** A TCP route. */
export interface TcpRoute {
  match?: { port?: number }[]
  route?: RouteDestination[]
}

/** `spec` of a VirtualService. */
export interface VirtualServiceSpec {
  hosts: string[]
  gateways?: string[]
  http?: HttpRoute[]
  tcp?: TcpRoute[]
}

/** A spec after Flagger's typed client decoded it: only known fields, `weight` on every destination. */
export function decodedSpec(spec: VirtualServiceSpec): VirtualServiceSpec {
  const { hosts, gateways, http, tcp } = spec
  const weighted = (routes: RouteDestination[]): RouteDestination[] =>
    routes.map(({ destination, weight = 0, headers }) => ({
      destination,
      weight,
      ...(headers === undefined ? {} : { headers })
    }))
  const withRoute = <Route extends { route?: RouteDestination[] }>(route: Route): Route =>
    route.route === undefined ? route : { ...route, route: weighted(route.route) }
  return {
    hosts: hosts ?? [],
    ...(gateways === undefined || gateways.length === 0 ? {} : { gateways }),
    ...(http === undefined || http.length === 0 ? {} : { http: http.map(withRoute) }),
    ...(tcp === undefined || tcp.length === 0 ? {} : { tcp: tcp.map(withRoute) })
  }
}

/** Matches of a TCP route: only the port is taken over. */
export function l4Matches(matches: readonly HttpMatchRequest[] = []): { match?: { port?: number }[] } {
  if (matches.length === 0) return {}
  return { match: matches.map(({ port = 0 }) => (port === 0 ? {} : { port })) }
}
