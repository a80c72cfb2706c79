import type { KubeObject } from './api.ts'

/** Every phase of `status.phase`; the empty string is a canary no worker has seen yet. */
export type CanaryPhase =
  | ''
  | 'Initializing'
  | 'Initialized'
  | 'Waiting'
  | 'Progressing'
  | 'WaitingPromotion'
  | 'Promoting'
  | 'Finalising'
  | 'Succeeded'
  | 'Failed'
  | 'Terminating'
  | 'Terminated'

/** The single condition of a Canary, type `Promoted`. */
export interface CanaryCondition {
  type: string
  status: string
  reason?: string
  message?: string
  lastUpdateTime?: string
  lastTransitionTime?: string
}

/** `status` of a Canary (flagger.app/v1beta1). */
export interface CanaryStatus {
  phase: CanaryPhase
  failedChecks: number
  canaryWeight: number
  iterations: number
  trackedConfigs?: Record<string, string>
  lastAppliedSpec?: string
  lastPromotedSpec?: string
  lastTransitionTime?: string
  sessionAffinityCookie?: string
  primarySessionAffinityCookie?: string
  previousSessionAffinityCookie?: string
  conditions?: CanaryCondition[]
}

/** One way to match a string; at most one field is set. */
export interface StringMatch {
  exact?: string
  prefix?: string
  suffix?: string
  regex?: string
}

/** Istio's HTTPMatchRequest, which Flagger uses for `service.match` and `analysis.match` of every provider. */
export interface HttpMatchRequest {
  name?: string
  uri?: StringMatch
  scheme?: StringMatch
  method?: StringMatch
  authority?: StringMatch
  headers?: Record<string, StringMatch>
  port?: number
  sourceLabels?: Record<string, string>
  gateways?: string[]
  queryParams?: Record<string, StringMatch>
  ignoreUriCase?: boolean
  withoutHeaders?: Record<string, StringMatch>
  sourceNamespace?: string
}

/** Labels and annotations for one of the generated Services. */
export interface CustomMetadata {
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

/** Header operations of Istio's kind. */
export interface HeaderOperations {
  add?: Record<string, string>
  set?: Record<string, string>
  remove?: string[]
}

/** A Gateway API reference to a parent. */
export interface ParentReference {
  group?: string
  kind?: string
  name: string
  namespace?: string
  sectionName?: string
  port?: number
}

/** A reference by apiVersion, kind and name. */
export interface LocalReference {
  apiVersion?: string
  kind: string
  name: string
}

/** CORS policy of Istio's kind. */
export interface CorsPolicy {
  allowOrigin?: string[]
  allowOrigins?: StringMatch[]
  allowMethods?: string[]
  allowHeaders?: string[]
  exposeHeaders?: string[]
  maxAge?: string
  allowCredentials?: boolean
}

/** `spec.service` of a Canary. */
export interface CanaryService {
  name?: string
  port: number
  portName?: string
  appProtocol?: string
  targetPort?: number | string
  trafficDistribution?: string
  portDiscovery?: boolean
  headless?: boolean
  timeout?: string
  backendTimeout?: string
  meshName?: string
  backends?: string[]
  hosts?: string[]
  delegation?: boolean
  match?: HttpMatchRequest[]
  retries?: { attempts?: number; perTryTimeout?: string; retryOn?: string }
  rewrite?: { uri?: string; authority?: string; type?: string }
  mirror?: { backendRef: ParentReference }[]
  headers?: { request?: HeaderOperations; response?: HeaderOperations }
  gateways?: string[]
  gatewayRefs?: ParentReference[]
  corsPolicy?: CorsPolicy
  trafficPolicy?: unknown
  apex?: CustomMetadata
  primary?: CustomMetadata
  canary?: CustomMetadata
  unmanagedMetadata?: { annotations?: string[]; labels?: string[] }
}

/** The eight types of webhooks; the empty string means `rollout`. */
export type WebhookType =
  | ''
  | 'confirm-rollout'
  | 'pre-rollout'
  | 'rollout'
  | 'confirm-promotion'
  | 'post-rollout'
  | 'event'
  | 'rollback'
  | 'confirm-traffic-increase'

/** One entry of `analysis.webhooks`. */
export interface CanaryWebhook {
  name: string
  url: string
  type?: WebhookType
  muteAlert?: boolean
  /** Go duration per attempt. */
  timeout?: string
  /** Attempts after the first. */
  retries?: number
  disableTLS?: boolean
  metadata?: Record<string, string>
}

/** One entry of `analysis.metrics`. */
export interface CanaryMetric {
  name: string
  interval?: string
  threshold?: number
  thresholdRange?: { min?: number; max?: number }
  query?: string
  templateRef?: { name: string; namespace?: string }
  templateVariables?: Record<string, string>
}

/** Severity of an alert; an empty one of an entry never matches. */
export type AlertSeverity = '' | 'info' | 'warn' | 'error'

/** One entry of `analysis.alerts`. */
export interface CanaryAlert {
  name: string
  severity?: AlertSeverity
  providerRef: { name: string; namespace?: string }
}

/** `analysis.sessionAffinity`. */
export interface SessionAffinity {
  cookieName: string
  primaryCookieName?: string
  domain?: string
  httpOnly?: boolean
  /** Seconds. */
  maxAge?: number
  partitioned?: boolean
  path?: string
  sameSite?: string
  secure?: boolean
}

/** `spec.analysis` of a Canary. Weights are percentages. */
export interface CanaryAnalysis {
  interval?: string
  threshold?: number
  iterations?: number
  maxWeight?: number
  stepWeight?: number
  stepWeights?: number[]
  stepWeightPromotion?: number
  mirror?: boolean
  mirrorWeight?: number
  primaryReadyThreshold?: number
  canaryReadyThreshold?: number
  match?: HttpMatchRequest[]
  metrics?: CanaryMetric[]
  alerts?: CanaryAlert[]
  webhooks?: CanaryWebhook[]
  sessionAffinity?: SessionAffinity
}

/** `spec.autoscalerRef` of a Canary. */
export interface AutoscalerReference extends LocalReference {
  primaryScalerQueries?: Record<string, string>
  primaryScalerReplicas?: { minReplicas?: number; maxReplicas?: number }
}

/** `spec` of a Canary. */
export interface CanarySpec {
  provider?: string
  metricsServer?: string
  targetRef: LocalReference
  autoscalerRef?: AutoscalerReference
  ingressRef?: LocalReference
  routeRef?: LocalReference
  upstreamRef?: LocalReference & { namespace?: string }
  progressDeadlineSeconds?: number
  skipAnalysis?: boolean
  revertOnDeletion?: boolean
  suspend?: boolean
  service: CanaryService
  analysis: CanaryAnalysis
}

/** A Canary of flagger.app/v1beta1. */
export interface Canary extends KubeObject {
  spec: CanarySpec
  status?: CanaryStatus
}

/** A MetricTemplate of flagger.app/v1beta1. */
export interface MetricTemplate extends KubeObject {
  spec: {
    provider: {
      type: string
      address?: string
      headers?: Record<string, string[]>
      secretRef?: { name: string }
      region?: string
      insecureSkipVerify?: boolean
    }
    query: string
  }
}

/** An AlertProvider of flagger.app/v1beta1. */
export interface AlertProvider extends KubeObject {
  spec: {
    type: string
    channel?: string
    username?: string
    address?: string
    proxy?: string
    secretRef?: { name: string }
  }
}
