/** The two builtin queries of one provider, as templates; whitespace runs become one blank before sending. */
export interface ObserverQueries {
  readonly successRate: string
  readonly duration: string
  /** Milliseconds per unit of the duration query's value. */
  readonly durationUnitMs: number
  /** Skipper writes `_` for every character of its names that is no word character. */
  readonly wordCharactersOnly?: boolean
  /** Errors of the success rate come without the prefix `running query failed: `. */
  readonly bareErrors?: boolean
}

const successRate = (metric: string, selector: string, ok: string, end = ''): string =>
  ` sum( rate( ${metric}{ ${selector}, ${ok} }[{{ interval }}] ) ) / sum( rate( ${metric}{ ${selector}${end} }[{{ interval }}] ) ) * 100`

const quantile = (metric: string, selector: string): string =>
  ` histogram_quantile( 0.99, sum( rate( ${metric}{ ${selector} }[{{ interval }}] ) ) by (le) )`

const average = (metric: string, selector: string): string =>
  ` sum( rate( ${metric}_sum{ ${selector} }[{{ interval }}] ) ) / sum( rate( ${metric}_count{ ${selector} }[{{ interval }}] ) ) * 1000`

const POD = 'kubernetes_namespace="{{ namespace }}", kubernetes_pod_name=~"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'

/** Envoy clusters: selectors without a status end with a comma. */
const envoy = (selector: string): ObserverQueries => ({
  successRate: successRate('envoy_cluster_upstream_rq', selector, 'envoy_response_code!~"5.*"', ','),
  duration: quantile('envoy_cluster_upstream_rq_time_bucket', `${selector},`),
  durationUnitMs: 1
})

const LINKERD = 'namespace="{{ namespace }}", deployment=~"{{ target }}"'
const ISTIO =
  'reporter="destination", destination_workload_namespace="{{ namespace }}", destination_workload=~"{{ target }}"'
const NGINX = 'namespace="{{ namespace }}", ingress="{{ ingress }}", canary!=""'
const OSM = 'destination_namespace="{{ namespace }}", destination_kind="Deployment", destination_name="{{ target }}"'
const TRAEFIK = 'service=~"{{ namespace }}-{{ target }}-canary-[0-9a-zA-Z-]+@kubernetescrd"'
const APISIX = 'route=~"{{ namespace }}_{{ route }}-{{ target }}-canary_.+"'
const SKIPPER = 'route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*__{{ service }}_canary(_[0-9]+)?"'
const SKIPPER_BUCKET = `skipper_response_duration_seconds_bucket{${SKIPPER}`
const SKIPPER_SERVE = 'skipper_serve_route_duration_seconds'

/** Names of observers. */
type ObserverName =
  | 'linkerd'
  | 'istio'
  | 'http'
  | 'nginx'
  | 'appmesh'
  | 'contour'
  | 'gloo'
  | 'knative'
  | 'kuma'
  | 'osm'
  | 'traefik'
  | 'skipper'
  | 'apisix'

/**
 * Builtin queries by observer.
 * @see fluxcd/flagger pkg/metrics/observers 1.44.0
 */
export const OBSERVERS: Readonly<Record<ObserverName, ObserverQueries>> = {
  linkerd: {
    successRate:
      ` sum( rate( response_total{ ${LINKERD}, classification!="failure", direction="inbound" }[{{ interval }}] ) )` +
      ` / sum( rate( response_total{ ${LINKERD}, direction="inbound" }[{{ interval }}] ) ) * 100`,
    duration: quantile('response_latency_ms_bucket', `${LINKERD}, direction="inbound"`),
    durationUnitMs: 1
  },
  istio: {
    successRate: successRate('istio_requests_total', ISTIO, 'response_code!~"5.*"'),
    duration: quantile('istio_request_duration_milliseconds_bucket', ISTIO),
    durationUnitMs: 1
  },
  http: {
    successRate: successRate('http_request_duration_seconds_count', POD, 'status!~"5.*"'),
    duration: quantile('http_request_duration_seconds_bucket', POD),
    durationUnitMs: 1000,
    bareErrors: true
  },
  nginx: {
    successRate: successRate('nginx_ingress_controller_requests', NGINX, 'status!~"5.*"'),
    duration: average('nginx_ingress_controller_response_duration_seconds', NGINX),
    durationUnitMs: 1
  },
  appmesh: {
    successRate: successRate('envoy_cluster_upstream_rq', POD, 'envoy_response_code!~"5.*"'),
    duration: quantile('envoy_cluster_upstream_rq_time_bucket', POD),
    durationUnitMs: 1
  },
  contour: envoy('envoy_cluster_name=~"{{ namespace }}_{{ service }}-canary_[0-9a-zA-Z-]+"'),
  gloo: envoy('envoy_cluster_name=~"{{ namespace }}-{{ target }}-canaryupstream-[0-9a-zA-Z-]+_[0-9a-zA-Z-]+"'),
  knative: envoy('envoy_cluster_name=~"{{ namespace }}/{{ route }}"'),
  kuma: envoy('service=~"{{ target }}-canary_{{ namespace }}_svc_[0-9a-zA-Z-]+"'),
  osm: {
    successRate: successRate('osm_request_total', OSM, 'response_code!~"5.*"'),
    duration: quantile('osm_request_duration_ms_bucket', OSM),
    durationUnitMs: 1
  },
  traefik: {
    successRate:
      ` sum( rate( traefik_service_request_duration_seconds_bucket{ ${TRAEFIK}, code!~"5..", le="+Inf" }[{{ interval }}] ) )` +
      ` / sum( rate( traefik_service_request_duration_seconds_bucket{ ${TRAEFIK}, le="+Inf" }[{{ interval }}] ) ) * 100`,
    duration: `${quantile('traefik_service_request_duration_seconds_bucket', TRAEFIK)} * 1000`,
    durationUnitMs: 1
  },
  skipper: {
    successRate:
      ` sum(rate(${SKIPPER_BUCKET},code!~"5..",le="+Inf"}[{{ interval }}])) /` +
      ` sum(rate(${SKIPPER_BUCKET},le="+Inf"}[{{ interval }}])) * 100`,
    duration:
      ` sum(rate(${SKIPPER_SERVE}_sum{${SKIPPER}}[{{ interval }}])) /` +
      ` sum(rate(${SKIPPER_SERVE}_count{${SKIPPER}}[{{ interval }}])) * 1000`,
    durationUnitMs: 1,
    wordCharactersOnly: true
  },
  apisix: {
    successRate: successRate('apisix_http_status', APISIX, 'code!~"5.."'),
    duration: quantile('apisix_http_latency_bucket', `type=~"request", ${APISIX}`),
    durationUnitMs: 1
  }
}
