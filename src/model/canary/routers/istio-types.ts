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

/** Matches of a TCP route: only the port is taken over. */
export function l4Matches(matches: readonly HttpMatchRequest[] = []): { match?: { port?: number }[] } {
  if (matches.length === 0) return {}
  return { match: matches.map(({ port = 0 }) => (port === 0 ? {} : { port })) }
}
