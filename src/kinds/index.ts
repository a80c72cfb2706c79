export type { JsonObject, JsonValue } from './json.ts'
export type { ApiChange, ApiRequest, ApiResponse, KubeObject, KubeStatus, ObjectMeta, OwnerReference } from './api.ts'
export type {
  AppFault,
  AppName,
  AppSpec,
  ControllerSpec,
  DelayDistribution,
  FaultMatch,
  LoadSpec,
  MeshSpec,
  Ratio
} from './twin.ts'
export type {
  Bound,
  Condition,
  Expectation,
  ExpectationBody,
  ObjectReference,
  Place,
  Quantity,
  SequenceItem
} from './expectation.ts'
export type {
  AlertProvider,
  AlertSeverity,
  AutoscalerReference,
  Canary,
  CanaryAlert,
  CanaryAnalysis,
  CanaryCondition,
  CanaryMetric,
  CanaryPhase,
  CanaryService,
  CanarySpec,
  CanaryStatus,
  CanaryWebhook,
  CorsPolicy,
  CustomMetadata,
  HeaderOperations,
  HttpMatchRequest,
  LocalReference,
  MetricTemplate,
  ParentReference,
  SessionAffinity,
  StringMatch,
  WebhookType
} from './flagger.ts'
