import type { ApiRequest, KubeObject } from '../../kinds/index.ts'

/** The version of Linkerd whose proxies the twin imitates. */
const PROXY_VERSION = 'edge-26.8.3'

interface PodShape extends KubeObject {
  readonly spec?: { readonly hostNetwork?: boolean; readonly serviceAccountName?: string }
}

/**
 * Rewrites the creation of a pod as Linkerd's proxy injector does: a pod whose annotation, or whose namespace's, asks for
 * injection carries the labels by which the mesh and its Prometheus know it. Its proxy is the data plane's; no container
 * is added to the pod's spec.
 * @param namespaceOf - reads a Namespace
 * @see linkerd2 edge-26.8.3 controller/proxy-injector/webhook.go, pkg/inject/inject.go
 */
export function injectProxy(request: ApiRequest, namespaceOf: (name: string) => KubeObject | undefined): ApiRequest {
  if (request.method !== 'POST') return request
  const match = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(request.path)
  const namespace = match?.[1]
  if (namespace === undefined || !isObject(request.body)) return request
  const pod = request.body as PodShape
  const wanted =
    pod.metadata?.annotations?.['linkerd.io/inject'] ??
    namespaceOf(namespace)?.metadata.annotations?.['linkerd.io/inject']
  if ((wanted !== 'enabled' && wanted !== 'ingress') || pod.spec?.hostNetwork === true) return request
  const metadata = {
    ...pod.metadata,
    labels: {
      ...pod.metadata.labels,
      'linkerd.io/control-plane-ns': 'linkerd',
      'linkerd.io/workload-ns': namespace,
      ...ownerLabel(pod)
    },
    annotations: {
      ...pod.metadata.annotations,
      'linkerd.io/created-by': `linkerd/proxy-injector ${PROXY_VERSION}`,
      'linkerd.io/inject': wanted,
      'linkerd.io/proxy-version': PROXY_VERSION
    }
  }
  return { ...request, body: { ...pod, metadata } }
}

/** `linkerd.io/proxy-<kind>` of the root owner; a ReplicaSet with a template hash stands for its Deployment. */
function ownerLabel(pod: PodShape): Readonly<Record<string, string>> {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
  if (owner === undefined) return {}
  const hash = pod.metadata.labels?.['pod-template-hash']
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return { 'linkerd.io/proxy-deployment': owner.name.slice(0, -hash.length - 1) }
  }
  return { [`linkerd.io/proxy-${owner.kind.toLowerCase()}`]: owner.name }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
