export { reconcileDaemonSet } from './daemonset.ts'
export { reconcileDeployment } from './deployment.ts'
export { reconcileDisruptionBudget } from './disruption.ts'
export { reconcileEndpoints } from './endpoints.ts'
export { reconcileEndpointSlices } from './endpointslice.ts'
export { type CollectedObject, type OwnershipGraph, collectGarbage, hasSolidOwners } from './garbage-collector.ts'
export { AUTOSCALER_PERIOD_MS, type AutoscalerInput, reconcileAutoscaler } from './horizontal.ts'
export {
  type AutoscalerMemory,
  type ContainerUsage,
  type MetricsReader,
  newAutoscalerMemory
} from './horizontal-shapes.ts'
export { reconcileJob } from './job.ts'
export { sameJson } from './json.ts'
export { NAMESPACE_GRACE_MS, type NamespaceContent, type NamespaceSource, reconcileNamespace } from './namespace.ts'
export { controllerOf } from './owners.ts'
export {
  type ClusterView,
  type ControllerEffect,
  type ControllerEvent,
  DONE,
  type ObjectKey,
  type Plan,
  type ReconcileContext,
  type Reconciler,
  type Requeue
} from './plan.ts'
export { isPodActive, isPodFinished, isPodReady, readyCondition } from './pod-facts.ts'
export {
  NO_RESULTS,
  type ProbeCount,
  type ProbeKind,
  type ProbeVerdict,
  countResult,
  probeDelayMs,
  probePeriodMs
} from './pod-probes.ts'
export { type Backoff, type RestartPlan, backoffText, nextPullDelay, planRestart, restarts } from './pod-restarts.ts'
export type { PodRuntime, PodStart, StandingTimes } from './pod-runtime.ts'
export { type ContainerRun, type PodFacts, containerId, podStatus } from './pod-status.ts'
export { reconcileQuota } from './quota.ts'
export { reconcileReplicaSet } from './replicaset.ts'
export { createRequest, deleteRequest, patchRequest, updateRequest } from './requests.ts'
export { type NodeLoad, chooseNode, schedulePod } from './scheduler.ts'
export { labelsInclude, selectorMatches } from './selectors.ts'
export type {
  Condition,
  Container,
  ContainerState,
  ContainerStatus,
  DaemonSet,
  Deployment,
  LabelSelector,
  Node,
  Pod,
  PodStatus,
  PodTemplate,
  Probe,
  ReplicaSet,
  Service
} from './shapes.ts'
