/**
 * Optional numbers and booleans that are plain Go values with `omitempty`, so that 0 and false are not written
 * (k8s.io/api v0.36, types.go of each group). All others are pointers and keep their zero.
 */
const OMITTED: ReadonlySet<string> = new Set([
  'ObjectMeta.generation',
  'DeploymentSpec.minReadySeconds',
  'DeploymentSpec.paused',
  'DeploymentStatus.observedGeneration',
  'DeploymentStatus.replicas',
  'DeploymentStatus.updatedReplicas',
  'DeploymentStatus.readyReplicas',
  'DeploymentStatus.availableReplicas',
  'DeploymentStatus.unavailableReplicas',
  'ReplicaSetSpec.minReadySeconds',
  'ReplicaSetStatus.fullyLabeledReplicas',
  'ReplicaSetStatus.readyReplicas',
  'ReplicaSetStatus.availableReplicas',
  'ReplicaSetStatus.observedGeneration',
  'StatefulSetSpec.minReadySeconds',
  'StatefulSetStatus.observedGeneration',
  'StatefulSetStatus.readyReplicas',
  'StatefulSetStatus.currentReplicas',
  'StatefulSetStatus.updatedReplicas',
  'DaemonSetSpec.minReadySeconds',
  'DaemonSetStatus.observedGeneration',
  'DaemonSetStatus.updatedNumberScheduled',
  'DaemonSetStatus.numberAvailable',
  'DaemonSetStatus.numberUnavailable',
  'JobStatus.active',
  'JobStatus.succeeded',
  'JobStatus.failed',
  'HorizontalPodAutoscalerStatus.currentReplicas',
  'ScaleSpec.replicas',
  'PodSpec.hostNetwork',
  'PodSpec.hostPID',
  'PodSpec.hostIPC',
  'PodStatus.observedGeneration',
  'PodCondition.observedGeneration',
  'Container.stdin',
  'Container.stdinOnce',
  'Container.tty',
  'ContainerPort.hostPort',
  'VolumeMount.readOnly',
  'Probe.initialDelaySeconds',
  'Probe.timeoutSeconds',
  'Probe.periodSeconds',
  'Probe.successThreshold',
  'Probe.failureThreshold',
  'ServicePort.nodePort',
  'ServiceSpec.publishNotReadyAddresses',
  'ServiceSpec.healthCheckNodePort',
  'NodeSpec.unschedulable',
  'Event.count',
  'PodDisruptionBudgetStatus.observedGeneration',
  'PersistentVolumeClaimVolumeSource.readOnly',
  'HostPathVolumeSource.readOnly'
])

/**
 * Optional texts that are pointers, so that an empty text is kept.
 */
const KEPT_TEXTS: ReadonlySet<string> = new Set([
  'PersistentVolumeClaimSpec.storageClassName',
  'VolumeMount.recursiveReadOnly',
  'LeaseSpec.holderIdentity',
  'EndpointPort.name',
  'EndpointPort.protocol',
  'EndpointPort.appProtocol',
  'ServicePort.appProtocol'
])

/**
 * Whether a value is a zero that Go's encoder leaves out.
 * @param struct - name of the Go struct
 * @param field - JSON name of the field
 * @param value - decoded value
 */
export function isOmittedZero(struct: string, field: string, value: unknown): boolean {
  if (value === '') return !KEPT_TEXTS.has(`${struct}.${field}`)
  return (value === 0 || value === false) && OMITTED.has(`${struct}.${field}`)
}
