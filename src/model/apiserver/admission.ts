import {
  copyOf,
  deepFreeze,
  forbiddenStatus,
  isJsonMap,
  notFoundStatus,
  statusFailure
} from '../../lib/apimachinery/index.ts'
import type { KubeObject } from '../../kinds/index.ts'
import type { ResourceCall } from './core.ts'
import { limitRange } from './limit-ranger.ts'
import { generateName } from './object-meta.ts'
import { refuse } from './refusal.ts'
import type { Warnings } from './warnings.ts'

/**
 * Built-in admission of a creation: namespace life cycle and service accounts.
 * @param call - the request
 * @param object - candidate of the served version
 * @param _warnings - takes what should be told the client
 */
export function admitCreate(call: ResourceCall, object: KubeObject, _warnings: Warnings): KubeObject {
  checkNamespace(call, object)
  if (call.info.group === '' && call.info.resource === 'pods') return limitRange(call, admitPod(call, object))
  return object
}

/**
 * Nothing is created in a namespace that does not exist or is going away (plugin NamespaceLifecycle).
 * @param call - the request
 * @param object - candidate
 */
export function checkNamespace(call: ResourceCall, object: KubeObject): void {
  if (!call.info.namespaced) return
  const name = call.path.namespace ?? ''
  const namespace = call.core.store.get('', 'namespaces', undefined, name)
  if (namespace === undefined) refuse(notFoundStatus({ group: '', name: 'namespaces' }, name))
  if (namespace?.metadata.deletionTimestamp === undefined) return
  const resource = { group: call.info.group, name: call.info.resource }
  const cause = `unable to create new content in namespace ${name} because it is being terminated`
  const status = forbiddenStatus(resource, object.metadata.name, cause)
  const causes = [
    { reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated`, field: 'metadata.namespace' }
  ]
  refuse({ ...status, details: { ...status.details, causes } })
}

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const TOKEN_SECONDS = 3607
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'

interface PodSpec extends Record<string, unknown> {
  serviceAccountName?: string
  serviceAccount?: string
  automountServiceAccountToken?: boolean
  volumes?: { name: string }[]
  containers?: ContainerFields[]
  initContainers?: ContainerFields[]
  imagePullSecrets?: unknown[]
}

interface ContainerFields extends Record<string, unknown> {
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[]
}

/** Plugin ServiceAccount: the default account, its token volume, its pull secrets. */
function admitPod(call: ResourceCall, object: KubeObject): KubeObject {
  if (object.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return object
  const spec: PodSpec = copyOf(isJsonMap(object.spec) ? object.spec : {})
  const name =
    spec.serviceAccountName === undefined || spec.serviceAccountName === '' ? 'default' : spec.serviceAccountName
  const account = call.core.store.get('', 'serviceaccounts', call.path.namespace, name)
  if (account === undefined) refuseAccount(call, object, name)
  spec.serviceAccountName = name
  spec.serviceAccount = name
  if (mountsToken(spec, account)) mountToken(call, spec)
  const secrets = account?.['imagePullSecrets']
  addPriority(spec)
  addTolerations(spec)
  if (spec.imagePullSecrets === undefined && Array.isArray(secrets) && secrets.length > 0)
    spec.imagePullSecrets = secrets
  const admitted = copyOf(object)
  admitted.spec = spec
  return admitted
}

/** Plugin Priority: pods without a class have priority 0. */
function addPriority(spec: PodSpec): void {
  spec['priority'] ??= 0
  spec['preemptionPolicy'] ??= 'PreemptLowerPriority'
}

const TOLERATED = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
const TOLERATION_SECONDS = 300
/** Tolerations of pods that have none of their own, which nearly all are. */
const TOLERATIONS = deepFreeze(TOLERATED.map(toleration))

function toleration(key: string): Record<string, unknown> {
  return { effect: 'NoExecute', key, operator: 'Exists', tolerationSeconds: TOLERATION_SECONDS }
}

/** Plugin DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or not reachable. */
function addTolerations(spec: PodSpec): void {
  const own = Array.isArray(spec['tolerations']) ? (spec['tolerations'] as Record<string, unknown>[]) : []
  if (own.length === 0) {
    spec['tolerations'] = TOLERATIONS
    return
  }
  const covers = (key: string): boolean =>
    own.some(
      (one) =>
        (one['key'] === key || one['key'] === undefined) &&
        (one['effect'] === 'NoExecute' || one['effect'] === undefined)
    )
  spec['tolerations'] = [...own, ...TOLERATED.filter((key) => !covers(key)).map(toleration)]
}

function refuseAccount(call: ResourceCall, object: KubeObject, name: string): void {
  const cause = `error looking up service account ${call.path.namespace ?? ''}/${name}: serviceaccount "${name}" not found`
  refuse(forbiddenStatus({ group: '', name: 'pods' }, object.metadata.name, cause))
}

function mountsToken(spec: PodSpec, account: KubeObject | undefined): boolean {
  if (spec.automountServiceAccountToken !== undefined) return spec.automountServiceAccountToken
  return account?.['automountServiceAccountToken'] !== false
}

function mountToken(call: ResourceCall, spec: PodSpec): void {
  const { containers = [], initContainers = [], volumes = [] } = spec
  if (containers.every(hasToken) && initContainers.every(hasToken)) return
  const volume = tokenVolumeName(call, volumes)
  const mount = { name: volume, readOnly: true, mountPath: TOKEN_PATH }
  const mounted = (container: ContainerFields): ContainerFields => {
    if (hasToken(container)) return container
    const copy = copyOf(container)
    copy.volumeMounts = [...(container.volumeMounts ?? []), mount]
    return copy
  }
  if (spec.containers !== undefined) spec.containers = containers.map(mounted)
  if (spec.initContainers !== undefined) spec.initContainers = initContainers.map(mounted)
  if (volumes.some((one) => one.name === volume)) return
  spec.volumes = [...volumes, { name: volume, projected: TOKEN_SOURCES } as { name: string }]
}

function hasToken({ volumeMounts }: ContainerFields): boolean {
  return volumeMounts?.some((mount) => mount.mountPath === TOKEN_PATH) === true
}

function tokenVolumeName(call: ResourceCall, volumes: readonly { readonly name: string }[]): string {
  const existing = volumes.find((one) => one.name.startsWith('kube-api-access-'))
  return existing === undefined ? generateName('kube-api-access-', call) : existing.name
}

const TOKEN_SOURCES: Readonly<Record<string, unknown>> = deepFreeze({
  sources: [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    {
      downwardAPI: {
        items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }]
      }
    }
  ],
  defaultMode: 420
})

/** Namespaces that cannot be deleted. */
const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

/**
 * Built-in admission of a deletion (plugin NamespaceLifecycle).
 * @param call - the request
 * @param name - object name
 */
export function admitDelete(call: ResourceCall, name: string): void {
  if (call.info.group !== '' || call.info.resource !== 'namespaces' || !IMMORTAL.has(name)) return
  refuse(forbiddenStatus({ group: '', name: 'namespaces' }, name, 'this namespace may not be deleted'))
}

/** 429 where a budget forbids an eviction. */
export function refuseEviction(budget: string, message: string): never {
  const status = statusFailure(
    429,
    'TooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    {
      causes: [{ reason: 'DisruptionBudget', message: `The disruption budget ${budget} ${message}` }]
    }
  )
  return refuse(status)
}
