/** A path of a pod's streaming sub-resource. */
export interface PodPath {
  readonly namespace: string
  readonly pod: string
  readonly subresource: 'log' | 'exec' | 'attach' | 'portforward'
}

/** Reads `/api/v1/namespaces/test/pods/x/exec`; undefined for any other path. */
export function parsePodPath(path: string): PodPath | undefined {
  const match = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/(log|exec|attach|portforward)$/.exec(path)
  const [, namespace, pod, subresource] = match ?? []
  if (namespace === undefined || pod === undefined) return undefined
  if (subresource !== 'log' && subresource !== 'exec' && subresource !== 'attach' && subresource !== 'portforward') {
    return undefined
  }
  return { namespace, pod, subresource }
}
