import type { ApiRequest } from '../../kinds/index.ts'
import {
  type ClusterView,
  type Node,
  type NodeLoad,
  type Pod,
  type PodRuntime,
  chooseNode
} from '../../model/controllers/index.ts'

const POD_COLLECTION = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/
const POD = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/

/** What shortcuts are decided from. */
export interface LeanPort {
  readonly view: ClusterView
  readonly runtime: PodRuntime
  readonly load: NodeLoad
}

/**
 * Shortens what controllers ask for in a lean cluster, where nobody watches the steps: a new pod is bound as it is created, and one whose
 * processes end at once is gone as it is deleted.
 */
export function leanRequest(request: ApiRequest, port: LeanPort): ApiRequest {
  const { method, path } = request
  if (method === 'POST' && path.endsWith('/pods') && POD_COLLECTION.test(path)) return bindOnCreate(request, port)
  if (method === 'DELETE' && path.includes('/pods/')) return deleteAtOnce(request, port)
  return request
}

function bindOnCreate(request: ApiRequest, port: LeanPort): ApiRequest {
  const pod = request.body as Pod
  const node = chooseNode(pod, port.view.list('', 'nodes') as readonly Node[], port.load)
  if (node === undefined) return request
  return { ...request, body: { ...pod, spec: { ...pod.spec, nodeName: node.metadata.name } } }
}

function deleteAtOnce(request: ApiRequest, port: LeanPort): ApiRequest {
  const [, namespace, name = ''] = POD.exec(request.path) ?? []
  const pod = namespace === undefined ? undefined : port.view.get('', 'pods', namespace, name)
  if (pod === undefined || port.runtime.shutdownMs?.(pod) !== 0) return request
  return { ...request, body: { ...(request.body as object), gracePeriodSeconds: 0 } }
}
