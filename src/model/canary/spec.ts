import { parseGoDuration } from '../../lib/time/index.ts'
import type { Canary, CanaryStatus } from '../../kinds/index.ts'

/** Weights add up to this. */
export const TOTAL_WEIGHT = 100
const DEFAULT_PROGRESS_DEADLINE_SECONDS = 600
const DEFAULT_INTERVAL_MS = 60_000
const MIN_INTERVAL_MS = 10_000

/** Names of the three Services. */
export interface ServiceNames {
  readonly apex: string
  readonly primary: string
  readonly canary: string
}

/** The canary's `<name>.<namespace>`, as logs and most events write it. */
export function fullName(canary: Canary): string {
  return `${canary.metadata.name}.${namespaceOf(canary)}`
}

/** The target's `<name>.<namespace>`. */
export function targetFullName(canary: Canary): string {
  return `${canary.spec.targetRef.name}.${namespaceOf(canary)}`
}

/** Namespace of a canary. */
export function namespaceOf(canary: Canary): string {
  return canary.metadata.namespace ?? ''
}

/** Apex, primary and canary Service of a canary. */
export function serviceNames(canary: Canary): ServiceNames {
  const apex = canary.spec.service.name || canary.spec.targetRef.name
  return { apex, primary: `${apex}-primary`, canary: `${apex}-canary` }
}

/** `status` with every counter present. */
export function statusOf({ status }: Canary): Readonly<CanaryStatus> {
  return status !== undefined && isComplete(status) ? status : { ...EMPTY_STATUS, ...status }
}

function isComplete({ phase, failedChecks, canaryWeight, iterations }: Partial<CanaryStatus>): boolean {
  return phase !== undefined && failedChecks !== undefined && canaryWeight !== undefined && iterations !== undefined
}

const EMPTY_STATUS: CanaryStatus = { phase: '', failedChecks: 0, canaryWeight: 0, iterations: 0 }

/** Whether the canary has not been initialised yet. */
export function isInitialising(canary: Canary): boolean {
  const { phase } = statusOf(canary)
  return phase === '' || phase === 'Initializing'
}

/** Milliseconds between ticks: default 60 s, never below 10 s. */
export function analysisIntervalMs(canary: Canary): number {
  const text = canary.spec.analysis.interval ?? ''
  const parsed = text === '' ? undefined : parseGoDuration(text)
  return parsed === undefined ? DEFAULT_INTERVAL_MS : Math.max(MIN_INTERVAL_MS, parsed)
}

/** Failed checks until rollback, at least 1. */
export function failedChecksThreshold(canary: Canary): number {
  const { threshold = 0 } = canary.spec.analysis
  return threshold > 0 ? threshold : 1
}

/** Seconds a workload may take to become ready. */
export function progressDeadlineSeconds(canary: Canary): number {
  return canary.spec.progressDeadlineSeconds ?? DEFAULT_PROGRESS_DEADLINE_SECONDS
}

/** How a canary is released. */
export type DeploymentStrategy = 'canary' | 'blue-green' | 'ab-testing'

/** The strategy that the analysis asks for. */
export function deploymentStrategy(canary: Canary): DeploymentStrategy {
  const { iterations = 0, match = [] } = canary.spec.analysis
  if (iterations > 0) return match.length > 0 ? 'ab-testing' : 'blue-green'
  return 'canary'
}

/** Whether the target is a Knative Service. */
export function isKnative(canary: Canary): boolean {
  const { kind, apiVersion } = canary.spec.targetRef
  return kind === 'Service' && apiVersion === 'serving.knative.dev/v1'
}
