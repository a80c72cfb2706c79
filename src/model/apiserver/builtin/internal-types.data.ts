/**
 * Fields of Kubernetes' internal types in Go's order, for the messages that print them (pkg/apis/core/types.go of 1.36).
 * Each entry is `GoName:zero`, where zero is `""`, `0`, `false` or `null` (pointers, slices, maps), or `GoName:Type` for a struct,
 * `GoName:*Type` for a pointer to one, `GoName:[]Type` for a list. The JSON name is the Go name with its leading capitals lowered
 * unless `=name` follows.
 */
export const INTERNAL_TYPES: Readonly<Record<string, string>> = {
  PodSpec:
    'Volumes:[]Volume InitContainers:[]Container Containers:[]Container EphemeralContainers:null RestartPolicy:"" TerminationGracePeriodSeconds:null ActiveDeadlineSeconds:null DNSPolicy:"" NodeSelector:null ServiceAccountName:"" AutomountServiceAccountToken:null NodeName:"" SecurityContext:PodSecurityContext ImagePullSecrets:[]LocalObjectReference Hostname:"" Subdomain:"" SetHostnameAsFQDN:null Affinity:null SchedulerName:"" Tolerations:[]Toleration HostAliases:null PriorityClassName:"" Priority:null PreemptionPolicy:null DNSConfig:null ReadinessGates:[]PodReadinessGate RuntimeClassName:null Overhead:null EnableServiceLinks:null TopologySpreadConstraints:null OS:null SchedulingGates:null ResourceClaims:null Resources:null HostnameOverride:null SchedulingGroup:null',
  PodSecurityContext:
    'HostNetwork:false HostPID:false HostIPC:false ShareProcessNamespace:null HostUsers:null SELinuxOptions:null WindowsOptions:null RunAsUser:null RunAsGroup:null RunAsNonRoot:null SupplementalGroups:null SupplementalGroupsPolicy:null FSGroup:null FSGroupChangePolicy:null Sysctls:null SeccompProfile:null AppArmorProfile:null SELinuxChangePolicy:null',
  LocalObjectReference: 'Name:""',
  PodReadinessGate: 'ConditionType:""',
  Toleration: 'Key:"" Operator:"" Value:"" Effect:"" TolerationSeconds:null',
  Container:
    'Name:"" Image:"" Command:null Args:null WorkingDir:"" Ports:[]ContainerPort EnvFrom:null Env:[]EnvVar Resources:ResourceRequirements ResizePolicy:null RestartPolicy:null RestartPolicyRules:null VolumeMounts:[]VolumeMount VolumeDevices:null LivenessProbe:*Probe ReadinessProbe:*Probe StartupProbe:*Probe Lifecycle:null TerminationMessagePath:"" TerminationMessagePolicy:"" ImagePullPolicy:"" SecurityContext:null Stdin:false StdinOnce:false TTY:false',
  ContainerPort: 'Name:"" HostPort:0 ContainerPort:0 Protocol:"" HostIP:""',
  EnvVar: 'Name:"" Value:"" ValueFrom:*EnvVarSource',
  EnvVarSource:
    'FieldRef:*ObjectFieldSelector ResourceFieldRef:null ConfigMapKeyRef:*KeySelector SecretKeyRef:*KeySelector FileKeyRef:null',
  ObjectFieldSelector: 'APIVersion:"" FieldPath:""',
  KeySelector: 'Name:"" Key:"" Optional:null',
  ResourceRequirements: 'Limits:null Requests:null Claims:null',
  VolumeMount:
    'Name:"" ReadOnly:false RecursiveReadOnly:null MountPath:"" SubPath:"" MountPropagation:null SubPathExpr:""',
  Probe:
    'Exec:*ExecAction HTTPGet:*HTTPGetAction TCPSocket:*TCPSocketAction GRPC:null InitialDelaySeconds:0 TimeoutSeconds:0 PeriodSeconds:0 SuccessThreshold:0 FailureThreshold:0 TerminationGracePeriodSeconds:null',
  ExecAction: 'Command:null',
  HTTPGetAction: 'Path:"" Port:null Host:"" Scheme:"" HTTPHeaders:null',
  TCPSocketAction: 'Port:null Host:""',
  Volume:
    'Name:"" HostPath:*HostPath EmptyDir:*EmptyDir GCEPersistentDisk:null AWSElasticBlockStore:null GitRepo:null Secret:*SecretVolume NFS:null ISCSI:null Glusterfs:null PersistentVolumeClaim:*ClaimVolume RBD:null Quobyte:null FlexVolume:null Cinder:null CephFS:null Flocker:null DownwardAPI:*DownwardVolume FC:null AzureFile:null ConfigMap:*ConfigMapVolume VsphereVolume:null AzureDisk:null PhotonPersistentDisk:null Projected:*ProjectedVolume PortworxVolume:null ScaleIO:null StorageOS:null CSI:null Ephemeral:null Image:null',
  HostPath: 'Path:"" Type:null',
  EmptyDir: 'Medium:"" SizeLimit:null',
  SecretVolume: 'SecretName:"" Items:[]KeyToPath DefaultMode:null Optional:null',
  ClaimVolume: 'ClaimName:"" ReadOnly:false',
  DownwardVolume: 'Items:[]DownwardFile DefaultMode:null',
  ConfigMapVolume: 'Name:"" Items:[]KeyToPath DefaultMode:null Optional:null',
  ProjectedVolume: 'Sources:[]Projection DefaultMode:null',
  Projection:
    'Secret:*KeyProjection DownwardAPI:*DownwardProjection ConfigMap:*KeyProjection ServiceAccountToken:*TokenProjection ClusterTrustBundle:null PodCertificate:null',
  KeyProjection: 'Name:"" Items:[]KeyToPath Optional:null',
  DownwardProjection: 'Items:[]DownwardFile',
  DownwardFile: 'Path:"" FieldRef:*ObjectFieldSelector ResourceFieldRef:null Mode:null',
  TokenProjection: 'Audience:"" ExpirationSeconds:0 Path:""',
  KeyToPath: 'Key:"" Path:"" Mode:null',
  DeploymentStrategy: 'Type:"" RollingUpdate:*RollingUpdate',
  RollingUpdate: 'MaxUnavailable:null MaxSurge:null',
  RoleRef: 'APIGroup:"" Kind:"" Name:""',
  ServicePort: 'Name:"" Protocol:"" AppProtocol:null Port:0 TargetPort:0 NodePort:0',
  CrdVersion:
    'Name:"" Served:false Storage:false Deprecated:false DeprecationWarning:null Schema:*CrdSchema Subresources:null AdditionalPrinterColumns:null SelectableFields:null',
  CrdSchema: 'OpenAPIV3Schema:*JSONSchemaProps=openAPIV3Schema',
  JSONSchemaProps:
    'ID:"" Schema:""=$schema Ref:null=$ref Description:"" Type:"" Nullable:false Format:"" Title:"" Default:null Maximum:null ExclusiveMaximum:false Minimum:null ExclusiveMinimum:false MaxLength:null MinLength:null Pattern:"" MaxItems:null MinItems:null UniqueItems:false MultipleOf:null Enum:null MaxProperties:null MinProperties:null Required:null Items:null AllOf:null OneOf:null AnyOf:null Not:null Properties:null AdditionalProperties:null PatternProperties:null Dependencies:null AdditionalItems:null Definitions:null ExternalDocs:null Example:null XPreserveUnknownFields:null=x-kubernetes-preserve-unknown-fields XEmbeddedResource:false=x-kubernetes-embedded-resource XIntOrString:false=x-kubernetes-int-or-string XListMapKeys:null=x-kubernetes-list-map-keys XListType:null=x-kubernetes-list-type XMapType:null=x-kubernetes-map-type XValidations:null=x-kubernetes-validations'
}
