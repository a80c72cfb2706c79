const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'
const STATUS = `More info: ${CONVENTIONS}#spec-and-status`
const SELECTORS = 'More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors'
const PROBES = 'More info: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle#container-probes'

/**
 * Documentation of fields whose type is another definition, by definition (without `io.k8s.api.`) and field: the client's models
 * have none of it. Texts of the API itself: Kubernetes 1.36 (Apache-2.0), `types.go` of the groups.
 */
export const REFERENCE_FIELDS: Readonly<Record<string, string>> = {
  'apps.v1.Deployment.spec': 'Specification of the desired behavior of the Deployment.',
  'apps.v1.Deployment.status': 'Most recently observed status of the Deployment.',
  'apps.v1.DeploymentSpec.selector':
    "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.",
  'apps.v1.DeploymentSpec.strategy': 'The deployment strategy to use to replace existing pods with new ones.',
  'apps.v1.DeploymentSpec.template':
    'Template describes the pods that will be created. The only allowed template.spec.restartPolicy value is "Always".',
  'apps.v1.DeploymentStrategy.rollingUpdate':
    'Rolling update config params. Present only if DeploymentStrategyType = RollingUpdate.',
  'apps.v1.RollingUpdateDeployment.maxSurge':
    'The maximum number of pods that can be scheduled above the desired number of pods. Value can be an absolute number (ex: 5) or a percentage of desired pods (ex: 10%). This can not be 0 if MaxUnavailable is 0. Absolute number is calculated from percentage by rounding up. Defaults to 25%. Example: when this is set to 30%, the new ReplicaSet can be scaled up immediately when the rolling update starts, such that the total number of old and new pods do not exceed 130% of desired pods. Once old pods have been killed, new ReplicaSet can be scaled up further, ensuring that total number of pods running at any time during the update is at most 130% of desired pods.',
  'apps.v1.RollingUpdateDeployment.maxUnavailable':
    'The maximum number of pods that can be unavailable during the update. Value can be an absolute number (ex: 5) or a percentage of desired pods (ex: 10%). Absolute number is calculated from percentage by rounding down. This can not be 0 if MaxSurge is 0. Defaults to 25%. Example: when this is set to 30%, the old ReplicaSet can be scaled down to 70% of desired pods immediately when the rolling update starts. Once new pods are ready, old ReplicaSet can be scaled down further, followed by scaling up the new ReplicaSet, ensuring that the total number of pods available at all times during the update is at least 70% of desired pods.',
  'apps.v1.ReplicaSet.spec': `Spec defines the specification of the desired behavior of the ReplicaSet. ${STATUS}`,
  'apps.v1.ReplicaSet.status': `Status is the most recently observed status of the ReplicaSet. This data may be out of date by some window of time. Populated by the system. Read-only. ${STATUS}`,
  'apps.v1.ReplicaSetSpec.selector': `Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. ${SELECTORS}`,
  'apps.v1.DaemonSet.spec': `The desired behavior of this daemon set. ${STATUS}`,
  'apps.v1.DaemonSet.status': `The current status of this daemon set. This data may be out of date by some window of time. Populated by the system. Read-only. ${STATUS}`,
  'apps.v1.DaemonSetSpec.selector': `A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod template's labels. ${SELECTORS}`,
  'batch.v1.Job.spec': `Specification of the desired behavior of a job. ${STATUS}`,
  'batch.v1.Job.status': `Current status of a job. ${STATUS}`,
  'batch.v1.JobSpec.selector': `A label query over pods that should match the pod count. Normally, the system sets this field for you. ${SELECTORS}`,
  'core.v1.Pod.spec': `Specification of the desired behavior of the pod. ${STATUS}`,
  'core.v1.Pod.status': `Most recently observed status of the pod. This data may not be up to date. Populated by the system. Read-only. ${STATUS}`,
  'core.v1.PodTemplateSpec.metadata': `Standard object's metadata. More info: ${CONVENTIONS}#metadata`,
  'core.v1.PodTemplateSpec.spec': `Specification of the desired behavior of the pod. ${STATUS}`,
  'core.v1.Namespace.spec': `Spec defines the behavior of the Namespace. ${STATUS}`,
  'core.v1.Namespace.status': `Status describes the current status of a Namespace. ${STATUS}`,
  'core.v1.Service.spec': `Spec defines the behavior of a service. ${CONVENTIONS}#spec-and-status`,
  'core.v1.Service.status': `Most recently observed status of the service. Populated by the system. Read-only. ${STATUS}`,
  'core.v1.ServicePort.appProtocol':
    "The application protocol for this port. This is used as a hint for implementations to offer richer behavior for protocols that they understand. This field follows standard Kubernetes label syntax. Valid values are either:\n\n* Un-prefixed protocol names - reserved for IANA standard service names (as per RFC-6335 and https://www.iana.org/assignments/service-names).\n\n* Kubernetes-defined prefixed names:\n  * 'kubernetes.io/h2c' - HTTP/2 prior knowledge over cleartext as described in https://www.rfc-editor.org/rfc/rfc9113.html#name-starting-http-2-with-prior-\n  * 'kubernetes.io/ws'  - WebSocket over cleartext as described in https://www.rfc-editor.org/rfc/rfc6455\n  * 'kubernetes.io/wss' - WebSocket over TLS as described in https://www.rfc-editor.org/rfc/rfc6455\n\n* Other protocols should use implementation-defined prefixed names such as mycompany.com/my-custom-protocol.",
  'core.v1.ServicePort.targetPort':
    "Number or name of the port to access on the pods targeted by the service. Number must be in the range 1 to 65535. Name must be an IANA_SVC_NAME. If this is a string, it will be looked up as a named port in the target Pod's container ports. If this is not specified, the value of the 'port' field is used (an identity map). This field is ignored for services with clusterIP=None, and should be omitted or set equal to the 'port' field. More info: https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service",
  'core.v1.Container.livenessProbe': `Periodic probe of container liveness. Container will be restarted if the probe fails. Cannot be updated. ${PROBES}`,
  'core.v1.Container.readinessProbe': `Periodic probe of container service readiness. Container will be removed from service endpoints if the probe fails. Cannot be updated. ${PROBES}`,
  'core.v1.Container.resources':
    'Compute Resources required by this container. Cannot be updated. More info: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/',
  'core.v1.Probe.exec': 'Exec specifies a command to execute in the container.',
  'core.v1.Probe.grpc': 'GRPC specifies a GRPC HealthCheckRequest.',
  'core.v1.Probe.httpGet': 'HTTPGet specifies an HTTP GET request to perform.',
  'core.v1.Probe.tcpSocket': 'TCPSocket specifies a connection to a TCP port.',
  'core.v1.HTTPGetAction.port':
    'Name or number of the port to access on the container. Number must be in the range 1 to 65535. Name must be an IANA_SVC_NAME.',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString.':
    'IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it produces or consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number.',
  'autoscaling.v2.HorizontalPodAutoscaler.status': 'status is the current information about the autoscaler.',
  'autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef':
    'scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count.'
}

/** What the server adds to the documentation of enumerations, which the client's models leave out; keys as above. */
export const ENUM_VALUES: Readonly<Record<string, string>> = {
  'apps.v1.DeploymentStrategy.type':
    'Possible enum values:\n - `"Recreate"` Kill all existing pods before creating new ones.\n - `"RollingUpdate"` Replace the old ReplicaSets by new one using rolling update i.e gradually scale down the old ReplicaSets and scale up the new one.',
  'core.v1.HTTPGetAction.scheme':
    'Possible enum values:\n - `"HTTP"` means that the scheme used will be http://\n - `"HTTPS"` means that the scheme used will be https://'
}
