import type { KubeObject } from '../../kinds/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import type { Condition } from './shapes.ts'

/** autoscaling/v2 MetricTarget. */
export interface MetricTarget {
  readonly type: string
  readonly averageUtilization?: number
  readonly averageValue?: string
  readonly value?: string
}

/** autoscaling/v2 MetricSpec; only resource metrics are evaluated. */
export interface MetricSpec {
  readonly type: string
  readonly resource?: { readonly name: string; readonly target: MetricTarget }
  readonly containerResource?: { readonly name: string; readonly container: string; readonly target: MetricTarget }
}

/** autoscaling/v2 HPAScalingRules. */
export interface ScalingRules {
  readonly stabilizationWindowSeconds?: number
  readonly selectPolicy?: string
  readonly tolerance?: string
  readonly policies?: readonly { readonly type: string; readonly value: number; readonly periodSeconds: number }[]
}

/** autoscaling/v2 HorizontalPodAutoscaler. */
export interface Autoscaler extends KubeObject {
  spec: {
    readonly scaleTargetRef: { readonly apiVersion?: string; readonly kind: string; readonly name: string }
    readonly minReplicas?: number
    readonly maxReplicas: number
    readonly metrics?: readonly MetricSpec[]
    readonly behavior?: { readonly scaleUp?: ScalingRules; readonly scaleDown?: ScalingRules }
  }
  status?: AutoscalerStatus
}

/** autoscaling/v2 HorizontalPodAutoscalerStatus. */
export interface AutoscalerStatus {
  readonly observedGeneration?: number
  readonly lastScaleTime?: string
  readonly currentReplicas?: number
  readonly desiredReplicas?: number
  readonly currentMetrics?: readonly object[] | null
  readonly conditions?: readonly Condition[]
}

/** Use of one container: CPU in cores, memory in bytes. */
export interface ContainerUsage {
  readonly cpu: number
  readonly memory: number
}

/** Where resource metrics come from (the role of metrics-server). */
export interface MetricsReader {
  /** Usage per container of a pod; undefined while nothing has been measured. */
  podUsage(namespace: string, pod: string): Readonly<Record<string, ContainerUsage>> | undefined
}

/** What the controller remembers of one autoscaler between runs. */
export interface AutoscalerMemory {
  recommendations: { readonly replicas: number; readonly at: Instant }[]
  ups: { readonly change: number; readonly at: Instant }[]
  downs: { readonly change: number; readonly at: Instant }[]
}

/** A memory without past. */
export function newAutoscalerMemory(): AutoscalerMemory {
  return { recommendations: [], ups: [], downs: [] }
}
