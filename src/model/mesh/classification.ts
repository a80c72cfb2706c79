import type { ResponseVerdict } from './proxy-metrics.ts'

/** gRPC codes that count as failures. @see linkerd2-proxy v2.366.0 linkerd/proxy/client-policy/src/grpc.rs */
const GRPC_FAILURES: ReadonlySet<number> = new Set([2, 4, 7, 13, 14, 15])
const GRPC_UNKNOWN = 2
const GRPC_MOST = 16

/** Whether a request counts as gRPC: its own content type decides, nothing in the response. */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType?.startsWith('application/grpc') === true
}

/**
 * The default classes: 5xx fails, everything else succeeds; for gRPC its status decides and a missing one is success.
 * @param grpcStatus - text of the `grpc-status` header or trailer
 */
export function classify(status: number, grpc: boolean, grpcStatus: string | undefined): ResponseVerdict {
  if (!grpc) return { status, success: status < 500 || status > 599 }
  if (grpcStatus === undefined) return { status, success: true, grpcStatus: GRPC_UNKNOWN }
  const code = Number(grpcStatus)
  const known = Number.isInteger(code) && code >= 0 && code <= GRPC_MOST ? code : GRPC_UNKNOWN
  return { status, success: !GRPC_FAILURES.has(known), grpcStatus: known }
}
