import type { AppFetch, AppRequest } from '../../model/app/index.ts'
import type { RequestClass, VirtualClient } from './routes.ts'

/** Requests as apps see them: the same object for all that are alike. */
export class RequestKinds {
  /** By kind, then by who sends it where. */
  readonly #known = new WeakMap<RequestClass, Map<string, AppRequest>>()

  /** The request without a key of its own, as the app on that port sees it. */
  of(request: RequestClass, client: VirtualClient, port: number): AppRequest {
    let known = this.#known.get(request)
    if (known === undefined) this.#known.set(request, (known = new Map<string, AppRequest>()))
    const key = `${port} ${client.identity ?? ''}`
    let made = known.get(key)
    if (made === undefined) known.set(key, (made = appRequest(request, client, { port, key: '' })))
    return made
  }
}

/** A client's request as the app on that port sees it. @param at - `key`: identity of the request */
export function appRequest(
  { method, url, headers, body }: RequestClass,
  client: VirtualClient,
  at: { readonly port: number; readonly key: string }
): AppRequest {
  const host: readonly [string, string][] = 'host' in headers ? [] : [['host', url.host]]
  const identity: readonly [string, string][] =
    client.identity === undefined ? [] : [['l5d-client-id', client.identity]]
  const target = `${url.pathname}${url.search}`
  return { method, target, headers: [...host, ...Object.entries(headers), ...identity], body, ...at }
}

/** An app's call as a class of requests. */
export function classOf(fetch: AppFetch): RequestClass {
  const headers = Object.fromEntries(Object.entries(fetch.headers).map(([name, value]) => [name.toLowerCase(), value]))
  return requestClass({ method: fetch.method, url: new URL(fetch.url), headers, body: fetch.body })
}

/** A class of requests to a URL. @param of - header names in lower case */
export function requestClass(of: Omit<RequestClass, 'path'>): RequestClass {
  return { ...of, path: of.url.pathname }
}
