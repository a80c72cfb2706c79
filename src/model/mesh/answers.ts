/** An answer a proxy makes itself. */
export interface ProxyAnswer {
  /** Status; 0: the connection is closed without an answer. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The connection to the client closes after it. */
  readonly close: boolean
}

/** gRPC status a gRPC client sees instead of the HTTP status. @see linkerd2-proxy v2.366.0 app/core/src/errors/respond.rs */
const GRPC_STATUS: Readonly<Record<number, number>> = { 403: 7, 404: 5, 429: 14, 500: 9, 502: 14, 503: 14, 504: 4 }

/**
 * A proxy's own error.
 * @param options - `message`: text of `l5d-proxy-error`; `fatal`: the connection closes; `grpc`: the client speaks gRPC
 */
export function proxyError(
  status: number,
  options: { readonly message: string; readonly fatal: boolean; readonly grpc: boolean }
): ProxyAnswer {
  const headers: Record<string, string> = { 'l5d-proxy-error': options.message }
  if (options.fatal) headers['l5d-proxy-connection'] = 'close'
  if (!options.grpc) return { status, headers, body: '', close: options.fatal }
  headers['content-type'] = 'application/grpc'
  headers['grpc-status'] = String(GRPC_STATUS[status] ?? 2)
  headers['grpc-message'] = options.message
  return { status: 200, headers, body: '', close: options.fatal }
}
