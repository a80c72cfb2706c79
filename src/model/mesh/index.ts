export { answerAdmin, type AdminRequest } from './admin.ts'
export type { ProxyAnswer } from './answers.ts'
export { classify, isGrpc } from './classification.ts'
export {
  ClusterView,
  isMeshed,
  type MeshEndpoint,
  type ObjectReader,
  podEndpoint,
  type ServicePort,
  type ServiceRouting,
  type WeightedBackend
} from './cluster-view.ts'
export { hopDelay } from './hop.ts'
export { ADMIN_PORT, type InboundCall, InboundProxy } from './inbound.ts'
export { inboundTarget, type InboundKey, type InboundPeer, meshIdentity, outboundTarget } from './labels.ts'
export { type Authority, resolveAuthority, splitAuthority } from './names.ts'
export type { OutboundAttempt } from './attempt.ts'
export type { OutboundExchange, OutboundRequest, OutboundSink } from './exchange.ts'
export { OutboundProxy } from './outbound.ts'
export type { StackContext } from './outbound-stack.ts'
export { type LabelList, ProxyMetrics, type ResponseVerdict, TargetMetrics } from './proxy-metrics.ts'
export { type HeaderChange, pickRule, readRules, type RouteRule } from './route-rules.ts'
