import type { ApiServer } from '../../model/apiserver/index.ts'

/** Port on which every Prometheus of a cluster listens. */
const PROMETHEUS_PORT = 9090

/** Names under which tutorials and charts know Linkerd's Prometheus; any `prometheus…` host on its port is the world's. */
export function isPrometheus(host: string, port: number): boolean {
  return port === PROMETHEUS_PORT && /(^|[.-])prometheus([.-]|$)/.test(host)
}

/** `name`, `name.namespace`, `name.namespace.svc…`, an address: hosts that a pod's resolver finds in the cluster. */
export function isClusterName(api: Pick<ApiServer, 'get'>, host: string): boolean {
  if (/^[\d.]+$/.test(host)) return true
  const [, namespace, svc] = host.split('.')
  if (namespace === undefined || svc === 'svc') return true
  return svc === undefined && api.get('', 'namespaces', undefined, namespace) !== undefined
}
