import type { ApiRequest, KubeObject } from '../../kinds/index.ts'
import { keptByParts } from '../../lib/memory/index.ts'

/** `User-Agent` of the controllers; its first part becomes the manager of the fields they write. */
const CONTROLLER_AGENT = 'kube-controller-manager/v1.36.3'

/** Path of a namespaced or cluster-scoped object or collection of an API version (`v1`, `apps/v1`). */
export const resourcePath: (apiVersion: string, resource: string, namespace?: string, ...rest: string[]) => string =
  keptByParts(4096, (apiVersion: string, resource: string, namespace?: string, ...rest: string[]) => {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const scope = namespace === undefined ? '' : `/namespaces/${namespace}`
    let path = `${root}${scope}/${resource}`
    for (const part of rest) path += `/${part}`
    return path
  })

/** A POST to a collection, to which the object is given away. */
export function createRequest(object: object, place: RequestPlace): ApiRequest {
  return {
    method: 'POST',
    path: resourcePath(place.apiVersion, place.resource, place.namespace),
    headers: agentHeaders(place.agent),
    body: object,
    isGiven: true
  }
}

/** Where a request goes and who sends it. */
export interface RequestPlace {
  readonly apiVersion: string
  readonly resource: string
  readonly namespace?: string | undefined
  /** User agent; default the controller manager's. */
  readonly agent?: string
}

/** A PUT of a whole object, which is given away, optionally of one of its sub-resources. */
export function updateRequest(object: KubeObject, resource: string, subresource?: string, agent?: string): ApiRequest {
  const { apiVersion, metadata } = object
  const { namespace, name } = metadata
  return {
    method: 'PUT',
    path:
      subresource === undefined
        ? resourcePath(apiVersion, resource, namespace, name)
        : resourcePath(apiVersion, resource, namespace, name, subresource),
    headers: agentHeaders(agent),
    body: object,
    isGiven: true
  }
}

/** A JSON merge patch of an object. */
export function patchRequest(object: KubeObject, resource: string, patch: object, agent?: string): ApiRequest {
  return {
    method: 'PATCH',
    path: resourcePath(object.apiVersion, resource, object.metadata.namespace, object.metadata.name),
    headers: { ...agentHeaders(agent), 'content-type': 'application/merge-patch+json' },
    body: patch
  }
}

/** A DELETE of that very object (guarded by its uid). */
export function deleteRequest(
  object: KubeObject,
  resource: string,
  options: {
    readonly propagation?: 'Background' | 'Foreground' | 'Orphan'
    readonly graceSeconds?: number
    readonly agent?: string
  } = {}
): ApiRequest {
  const { propagation, graceSeconds } = options
  return {
    method: 'DELETE',
    path: resourcePath(object.apiVersion, resource, object.metadata.namespace, object.metadata.name),
    headers: agentHeaders(options.agent),
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(object.metadata.uid === undefined ? {} : { preconditions: { uid: object.metadata.uid } }),
      ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds })
    }
  }
}

/** Headers by agent, one object each: there are three agents. */
const headersOf = new Map<string, Readonly<Record<string, string>>>()

function agentHeaders(agent: string = CONTROLLER_AGENT): Readonly<Record<string, string>> {
  let headers = headersOf.get(agent)
  if (headers === undefined) {
    headers = Object.freeze({ accept: 'application/json', 'content-type': 'application/json', 'user-agent': agent })
    headersOf.set(agent, headers)
  }
  return headers
}
