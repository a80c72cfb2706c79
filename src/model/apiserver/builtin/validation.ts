import type { JsonMap } from '../../../lib/apimachinery/index.ts'
import { validateAutoscaler } from './autoscaler-validation.ts'
import { validateCrd } from './crd-validation.ts'
import { mapOf } from './draft.ts'
import { joined, NO_ERRORS, type Findings } from './findings.ts'
import { validateIngress } from './ingress-validation.ts'
import { kindKey } from './kind-key.ts'
import { validateMetadataUpdate, validateObjectMeta, type MetaUpdateCheck, type NameRule } from './meta-validation.ts'
import { validatePodSpec, validatePodUpdate } from './pod-validation.ts'
import { validateService } from './service-validation.ts'
import {
  validateConfigMap,
  validateDisruptionBudget,
  validateEndpoints,
  validateEndpointSlice,
  validateEvent,
  validateLease,
  validateRoleBinding,
  validateSecret
} from './small-kinds-validation.ts'
import {
  validateCronJob,
  validateDaemonSet,
  validateDeployment,
  validateDeploymentStatus,
  validateJob,
  validateReplicaSet,
  validateStatefulSet
} from './workload-validation.ts'

/** Validates what is special to a kind; metadata is checked before. */
type KindValidator = (object: JsonMap, old?: JsonMap) => Findings

const VALIDATORS: ReadonlyMap<string, KindValidator> = new Map(
  Object.entries<KindValidator>({
    '/Pod': validatePod,
    '/Service': validateService,
    '/ConfigMap': validateConfigMap,
    '/Secret': validateSecret,
    '/Endpoints': validateEndpoints,
    '/Event': (object) => validateEvent(object, 'v1'),
    'events.k8s.io/Event': (object) => validateEvent(object, 'events.k8s.io/v1'),
    'apps/Deployment': validateDeployment,
    'apps/ReplicaSet': validateReplicaSet,
    'apps/DaemonSet': validateDaemonSet,
    'apps/StatefulSet': validateStatefulSet,
    'autoscaling/HorizontalPodAutoscaler': validateAutoscaler,
    'batch/Job': validateJob,
    'batch/CronJob': validateCronJob,
    'discovery.k8s.io/EndpointSlice': validateEndpointSlice,
    'networking.k8s.io/Ingress': validateIngress,
    'coordination.k8s.io/Lease': validateLease,
    'policy/PodDisruptionBudget': validateDisruptionBudget,
    'rbac.authorization.k8s.io/RoleBinding': validateRoleBinding,
    'rbac.authorization.k8s.io/ClusterRoleBinding': validateRoleBinding,
    'apiextensions.k8s.io/CustomResourceDefinition': validateCrd
  })
)

const NAME_RULES: ReadonlyMap<string, NameRule> = new Map(
  Object.entries<NameRule>({
    '/Namespace': 'label',
    '/Service': 'label',
    'rbac.authorization.k8s.io/Role': 'path-segment',
    'rbac.authorization.k8s.io/RoleBinding': 'path-segment',
    'rbac.authorization.k8s.io/ClusterRole': 'path-segment',
    'rbac.authorization.k8s.io/ClusterRoleBinding': 'path-segment'
  })
)

const META_UPDATE_CHECKS: ReadonlyMap<string, MetaUpdateCheck> = new Map(
  Object.entries<MetaUpdateCheck>({
    '/ConfigMap': 'update-and-full',
    '/LimitRange': 'full',
    '/Secret': 'update-and-full',
    '/ServiceAccount': 'update-and-full',
    'batch/Job': 'update-and-full',
    'networking.k8s.io/Ingress': 'update-and-full',
    'policy/PodDisruptionBudget': 'none'
  })
)

/** What {@link validateBuiltin} needs. */
export interface ValidationInput {
  /** API group of the request, `''` for core. Events of events.k8s.io come in their core form. */
  readonly group: string
  readonly kind: string
  /** Defaulted object; HorizontalPodAutoscalers in their v2 form. */
  readonly object: JsonMap
  /** Stored object on update. */
  readonly old?: JsonMap | undefined
  /** `status` validates the status instead of the rest. */
  readonly subresource?: string | undefined
}

/**
 * Validates an object of a built-in kind; kinds without rules of their own have only their metadata checked.
 * @param input - object and what it is
 * @returns field errors in the API server's order
 */
export function validateBuiltin(input: ValidationInput): Findings {
  const { group, kind, object, old } = input
  const key = kindKey(group, kind)
  const metadata = mapOf(object['metadata'])
  const isStatus = input.subresource === 'status'
  const validate = (isStatus ? STATUS_VALIDATORS : VALIDATORS).get(key)
  const own = validate === undefined ? NO_ERRORS : validate(object, old)
  if (old === undefined) {
    if (isStatus) return own
    return joined(validateObjectMeta(metadata, { nameRule: NAME_RULES.get(key) ?? 'subdomain' }), own)
  }
  const check = (isStatus ? undefined : META_UPDATE_CHECKS.get(key)) ?? 'update'
  return joined(validateMetadataUpdate(metadata, mapOf(old['metadata']), check), own)
}

const STATUS_VALIDATORS: ReadonlyMap<string, KindValidator> = new Map([['apps/Deployment', validateDeploymentStatus]])

function validatePod(object: JsonMap, old?: JsonMap): Findings {
  if (old !== undefined) return validatePodUpdate(object, old)
  return validatePodSpec(mapOf(object['spec']), 'spec')
}
