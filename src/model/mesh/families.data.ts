/** A metric family of the proxy, in the order it is printed. */
export interface MetricFamily {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Upper bounds without +Inf, for histograms. */
  readonly bounds?: readonly number[]
}

/** Bounds of the legacy latency histograms, milliseconds. @see linkerd2-proxy v2.366.0 linkerd/metrics/src/latency.rs */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 1000, 2000, 3000, 4000, 5000, 10_000, 20_000, 30_000,
  40_000, 50_000
]

const SLOW: readonly number[] = [0.05, 0.5, 1, 10]
const FAST: readonly number[] = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 10]

/** Families of requests per target: evicted when idle. They print between the authorization and the TCP families. */
export const TARGET_FAMILIES: readonly MetricFamily[] = [
  { name: 'request_total', type: 'counter', help: 'Total count of HTTP requests.' },
  {
    name: 'response_latency_ms',
    type: 'histogram',
    help: "Elapsed times between a request's headers being received and its response stream completing",
    bounds: LATENCY_BOUNDS_MS
  },
  { name: 'response_total', type: 'counter', help: 'Total count of HTTP responses.' }
]

/** The other families; those before {@link TARGET_FAMILIES} carry `first`. @see linkerd2-proxy v2.366.0, recorded scrapes */
export const FAMILIES: readonly (MetricFamily & { readonly first?: boolean })[] = [
  {
    name: 'inbound_http_authz_allow_total',
    type: 'counter',
    help: 'The total number of inbound HTTP requests that were authorized',
    first: true
  },
  {
    name: 'inbound_http_authz_deny_total',
    type: 'counter',
    help: 'The total number of inbound HTTP requests that could not be processed due to being unauthorized.',
    first: true
  },
  {
    name: 'inbound_http_route_not_found_total',
    type: 'counter',
    help: 'The total number of inbound HTTP requests for which no route was found',
    first: true
  },
  {
    name: 'inbound_http_local_ratelimit_total',
    type: 'counter',
    help: 'The total number of inbound HTTP requests that could not be processed due to being rate-limited.',
    first: true
  },
  {
    name: 'inbound_http_errors_total',
    type: 'counter',
    help: 'The total number of inbound HTTP requests that could not be processed due to a proxy error.',
    first: true
  },
  {
    name: 'inbound_tcp_errors_total',
    type: 'counter',
    help: 'The total number of inbound TCP connections that could not be processed due to a proxy error.',
    first: true
  },
  {
    name: 'outbound_http_errors_total',
    type: 'counter',
    help: 'The total number of outbound HTTP requests that could not be processed due to a proxy error.',
    first: true
  },
  {
    name: 'outbound_tcp_errors_total',
    type: 'counter',
    help: 'The total number of outbound TCP connections that could not be processed due to a proxy error.',
    first: true
  },
  { name: 'route_request_total', type: 'counter', help: 'Total count of HTTP requests.' },
  {
    name: 'route_response_latency_ms',
    type: 'histogram',
    help: "Elapsed times between a request's headers being received and its response stream completing",
    bounds: LATENCY_BOUNDS_MS
  },
  { name: 'route_response_total', type: 'counter', help: 'Total count of HTTP responses.' },
  { name: 'route_retryable_total', type: 'counter', help: 'Total count of retryable HTTP responses.' },
  { name: 'route_actual_request_total', type: 'counter', help: 'Total count of HTTP requests.' },
  { name: 'route_actual_response_total', type: 'counter', help: 'Total count of HTTP responses.' },
  { name: 'tcp_open_total', type: 'counter', help: 'Total count of opened connections' },
  { name: 'tcp_open_connections', type: 'gauge', help: 'Number of currently-open connections' },
  { name: 'tcp_read_bytes_total', type: 'counter', help: 'Total count of bytes read from peers' },
  { name: 'tcp_write_bytes_total', type: 'counter', help: 'Total count of bytes written to peers' },
  { name: 'tcp_close_total', type: 'counter', help: 'Total count of closed connections' },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'Time that the process started (in seconds since the UNIX epoch)'
  },
  {
    name: 'inbound_tcp_detect_http_results_total',
    type: 'counter',
    help: 'The number of results of HTTP protocol detection.'
  },
  {
    name: 'outbound_tcp_protocol_connections_total',
    type: 'counter',
    help: 'Outbound TCP connections by protocol configuration.'
  },
  {
    name: 'outbound_tcp_detect_http_results_total',
    type: 'counter',
    help: 'The number of results of HTTP protocol detection.'
  },
  { name: 'inbound_http_requests_total', type: 'counter', help: 'The number of requests dispatched.' },
  {
    name: 'inbound_http_request_duration_seconds',
    type: 'histogram',
    help: 'The time between request initialization and response completion.',
    bounds: FAST
  },
  {
    name: 'inbound_http_response_duration_seconds',
    type: 'histogram',
    help: 'The time between request completion and response completion.',
    bounds: SLOW
  },
  { name: 'inbound_http_statuses_total', type: 'counter', help: 'Completed responses.' },
  {
    name: 'outbound_http_route_request_duration_seconds',
    type: 'histogram',
    help: 'The time between request initialization and response completion.',
    bounds: SLOW
  },
  { name: 'outbound_http_route_backend_requests_total', type: 'counter', help: 'The number of requests dispatched.' },
  {
    name: 'outbound_http_route_backend_response_duration_seconds',
    type: 'histogram',
    help: 'The time between request completion and response completion.',
    bounds: FAST
  },
  { name: 'outbound_http_route_backend_response_statuses_total', type: 'counter', help: 'Completed responses.' },
  {
    name: 'outbound_http_route_retry_limit_exceeded_total',
    type: 'counter',
    help: 'Retryable requests not sent due to retry limits.'
  },
  {
    name: 'outbound_http_route_retry_overflow_total',
    type: 'counter',
    help: 'Retryable requests not sent due to circuit breakers.'
  },
  { name: 'outbound_http_route_retry_requests_total', type: 'counter', help: 'Retry requests emitted.' },
  {
    name: 'outbound_http_route_retry_successes_total',
    type: 'counter',
    help: 'Successful responses to retry requests.'
  },
  { name: 'outbound_http_route_request_statuses_total', type: 'counter', help: 'Completed request-response streams.' },
  {
    name: 'outbound_http_balancer_endpoints',
    type: 'gauge',
    help: 'The number of endpoints currently in a HTTP request balancer'
  },
  {
    name: 'outbound_http_balancer_p2c_endpoints',
    type: 'gauge',
    help: 'The number of endpoints currently in the balancer'
  },
  {
    name: 'outbound_http_balancer_p2c_updates_total',
    type: 'counter',
    help: 'The total number of service discovery updates received by a balancer'
  },
  { name: 'outbound_http_balancer_queue_length', type: 'gauge', help: 'The number of requests currently in the queue' },
  {
    name: 'outbound_http_balancer_queue_requests_total',
    type: 'counter',
    help: 'The total number of requests that have been sent to the queue'
  },
  {
    name: 'outbound_http_balancer_queue_gate_open_total',
    type: 'counter',
    help: 'The number of times the gate has been opened'
  },
  {
    name: 'outbound_http_balancer_queue_gate_shut_total',
    type: 'counter',
    help: 'The number of times the gate has been shut'
  }
]
