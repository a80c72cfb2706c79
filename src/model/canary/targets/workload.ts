import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { randomText, type Plan } from '../effects.ts'
import { StepFailed } from '../failure.ts'
import { withoutToolkitKeys } from '../metadata.ts'
import type { ControllerSettings } from '../settings.ts'
import { statusOf } from '../spec.ts'

/** The parts of a pod spec that Flagger looks into. */
export interface PodSpec {
  volumes?: Record<string, unknown>[]
  containers?: Container[]
  initContainers?: Container[]
  nodeSelector?: Record<string, string>
  affinity?: { podAntiAffinity?: PodAntiAffinity }
  topologySpreadConstraints?: { labelSelector?: LabelSelector }[]
  [field: string]: unknown
}

/** A container of a pod spec. */
export interface Container {
  name: string
  image?: string
  ports?: { name?: string; containerPort: number }[]
  [field: string]: unknown
}

/** A label selector of meta/v1. */
export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

interface PodAntiAffinity {
  preferredDuringSchedulingIgnoredDuringExecution?: { podAffinityTerm: { labelSelector?: LabelSelector } }[]
  requiredDuringSchedulingIgnoredDuringExecution?: { labelSelector?: LabelSelector }[]
}

/** `spec.template` of a workload. */
export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PodSpec
}

/** A Deployment or DaemonSet. */
export interface Workload extends KubeObject {
  spec: {
    replicas?: number
    selector: LabelSelector
    template: PodTemplate
    minReadySeconds?: number
    revisionHistoryLimit?: number
    progressDeadlineSeconds?: number
    strategy?: unknown
    updateStrategy?: { type?: string }
    [field: string]: unknown
  }
  status?: WorkloadStatus
}

/** The status fields that readiness looks at. */
export interface WorkloadStatus {
  observedGeneration?: number
  replicas?: number
  updatedReplicas?: number
  availableReplicas?: number
  updatedNumberScheduled?: number
  desiredNumberScheduled?: number
  numberAvailable?: number
  conditions?: { type: string; status: string; reason?: string; lastUpdateTime?: string }[]
}

/** Containers of service meshes; their ports are not discovered. */
const SIDECARS = new Set(['istio-proxy', 'envoy'])

/**
 * The first of the selector labels that the workload selects by.
 * @throws StepFailed when it selects by none of them
 */
export function selectorLabel(
  workload: Workload,
  labels: readonly string[],
  kind: 'deployment' | 'daemonset'
): readonly [label: string, value: string] {
  const matched = workload.spec.selector.matchLabels ?? {}
  for (const label of labels) {
    const value = matched[label]
    if (value !== undefined) return [label, value]
  }
  const { name, namespace = '' } = workload.metadata
  // The text for a DaemonSet ends with a stray quote upstream.
  const end = kind === 'daemonset' ? "'" : ''
  throw new StepFailed(
    `getSelectorLabel failed: ${kind} ${name}.${namespace} spec.selector.matchLabels must contain one of [${labels.join(' ')}]${end}`
  )
}

/** What a primary selects by: one label, whatever else the target selects by. */
export function primarySelector(
  settings: ControllerSettings,
  target: Workload,
  label: string,
  primaryValue: string
): LabelSelector {
  const rest = settings.quirks['primary-drops-selector-labels'] ? {} : target.spec.selector.matchLabels
  return { matchLabels: { ...rest, [label]: primaryValue } }
}

/**
 * Container ports besides the service's own, by name.
 * @see fluxcd/flagger pkg/canary/util.go getPorts 1.44.0
 */
export function discoverPorts(canary: Canary, containers: readonly Container[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const container of containers) {
    if (SIDECARS.has(container.name)) continue
    for (const [index, port] of (container.ports ?? []).entries()) {
      if (isServicePort(canary, port)) continue
      found[port.name || `tcp-${container.name}-${index}`] = port.containerPort
    }
  }
  return found
}

/** Annotations of a primary's pods: the target's and a fresh identity, so that each promotion rolls the pods. */
export function* podAnnotations(
  annotations: Readonly<Record<string, string>> | undefined
): Plan<Record<string, string>> {
  const id = yield* randomText('uuid')
  return { ...withoutToolkitKeys(annotations), 'flagger-id': id }
}

/**
 * Whether a hash is new: not the applied one, and not the promoted one (a manual revert is no new revision).
 * @see fluxcd/flagger pkg/canary/spec.go hasSpecChanged 1.44.0
 */
export function hashChanged(canary: Canary, hash: string): boolean {
  const { lastAppliedSpec = '', lastPromotedSpec = '' } = statusOf(canary)
  if (lastAppliedSpec === '') return true
  return lastPromotedSpec !== hash && lastAppliedSpec !== hash
}

function isServicePort(canary: Canary, port: { name?: string; containerPort: number }): boolean {
  const { port: servicePort, targetPort } = canary.spec.service
  if (targetPort === undefined || String(targetPort) === '0') return port.containerPort === servicePort
  return typeof targetPort === 'number' ? port.containerPort === targetPort : (port.name ?? '') === targetPort
}
