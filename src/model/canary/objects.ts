import type { ApiRequest, KubeObject, OwnerReference } from '../../kinds/index.ts'
import { request, sleep, randomFraction, type Plan } from './effects.ts'
import { failureOfResponse, objectOfResponse } from './api-failure.ts'
import { StepFailed } from './failure.ts'
import { decodeTyped, encodeTyped, type TypedStruct } from './typed.ts'

/** A kind of the API as the typed clients of Flagger address it. */
export interface Resource {
  /** `''` for core. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  /** Type of `spec` in Flagger's own API types; absent for kinds of Kubernetes. */
  readonly spec?: TypedStruct
}

const resource = (group: string, version: string, plural: string, kind: string): Resource => ({
  group,
  version,
  plural,
  kind
})

const typedResource = (plain: Resource, spec: TypedStruct): Resource => ({ ...plain, spec })

/** Names of {@link RESOURCES}. */
type ResourceName =
  | 'canaries'
  | 'deployments'
  | 'daemonSets'
  | 'services'
  | 'configMaps'
  | 'secrets'
  | 'ingresses'
  | 'horizontalPodAutoscalers'
  | 'scaledObjects'

/** The kinds every part of the controller uses; routers declare their own. */
export const RESOURCES: Readonly<Record<ResourceName, Resource>> = {
  canaries: typedResource(resource('flagger.app', 'v1beta1', 'canaries', 'Canary'), 'flagger/v1beta1.CanarySpec'),
  deployments: resource('apps', 'v1', 'deployments', 'Deployment'),
  daemonSets: resource('apps', 'v1', 'daemonsets', 'DaemonSet'),
  services: resource('', 'v1', 'services', 'Service'),
  configMaps: resource('', 'v1', 'configmaps', 'ConfigMap'),
  secrets: resource('', 'v1', 'secrets', 'Secret'),
  ingresses: resource('networking.k8s.io', 'v1', 'ingresses', 'Ingress'),
  horizontalPodAutoscalers: resource('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
  scaledObjects: typedResource(
    resource('keda.sh', 'v1alpha1', 'scaledobjects', 'ScaledObject'),
    'keda/v1alpha1.ScaledObjectSpec'
  )
}

/** An object as it is written: server-side metadata may be missing. */
export interface Draft {
  metadata: Omit<KubeObject['metadata'], 'name'> & { name: string; namespace?: string }
  [field: string]: unknown
}

/**
 * The API path of a collection or, with a name, of an object; an empty namespace is left out, as the typed clients do.
 * @throws StepFailed for a name that no path can hold
 */
export function pathOf(kind: Resource, namespace: string, name?: string, subresource?: string): string {
  const problem = name === undefined ? undefined : pathProblem(name)
  if (problem !== undefined) throw new StepFailed(problem)
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const scope = namespace === '' ? '' : `/namespaces/${namespace}`
  const tail = [name, subresource].filter((part) => part !== undefined).map((part) => `/${part}`)
  return `${root}${scope}/${kind.plural}${tail.join('')}`
}

/**
 * Reads an object.
 * @throws StepFailed with the server's message
 */
export function* getObject(kind: Resource, namespace: string, name: string): Plan<KubeObject> {
  return yield* performed(kind, { method: 'GET', path: pathOf(kind, namespace, name) }, name)
}

/** Reads an object; undefined when the server says NotFound. */
export function* findObject(kind: Resource, namespace: string, name: string): Plan<KubeObject | undefined> {
  try {
    return yield* getObject(kind, namespace, name)
  } catch (error) {
    if (error instanceof StepFailed && error.reason === 'NotFound') return undefined
    throw error
  }
}

/** Creates an object from a draft. */
export function* createObject(kind: Resource, namespace: string, draft: Draft): Plan<KubeObject> {
  return yield* performed(kind, { method: 'POST', path: pathOf(kind, namespace), body: typed(kind, draft) })
}

/** Replaces an object. */
export function* updateObject(kind: Resource, namespace: string, draft: Draft): Plan<KubeObject> {
  return yield* performed(kind, put(kind, namespace, draft), draft.metadata.name)
}

/** Replaces an object's status. */
export function* updateStatus(kind: Resource, namespace: string, draft: Draft): Plan<KubeObject> {
  return yield* performed(kind, put(kind, namespace, draft, 'status'), draft.metadata.name)
}

/** Applies a merge patch. */
export function* mergePatch(kind: Resource, namespace: string, name: string, body: unknown): Plan<KubeObject> {
  const headers = { 'content-type': 'application/merge-patch+json' }
  return yield* performed(kind, { method: 'PATCH', path: pathOf(kind, namespace, name), headers, body }, name)
}

/** client-go's two back-offs of retry.RetryOnConflict: steps, first pause and growth. */
export const BACKOFF = {
  default: { steps: 4, firstMs: 10, factor: 5, jitter: 0.1 },
  retry: { steps: 5, firstMs: 10, factor: 1, jitter: 0.1 }
} as const

/**
 * Repeats a plan while it fails with a conflict, pausing in between; the last failure is thrown as it is.
 * @see k8s.io/client-go/util/retry v0.36.2 RetryOnConflict
 */
export function* retryOnConflict<Value>(
  backoff: (typeof BACKOFF)[keyof typeof BACKOFF],
  attempt: () => Plan<Value>
): Plan<Value> {
  let pauseMs: number = backoff.firstMs
  for (let step = 1; ; step++) {
    try {
      return yield* attempt()
    } catch (error) {
      if (!(error instanceof StepFailed) || error.reason !== 'Conflict' || step >= backoff.steps) throw error
    }
    yield* sleep(pauseMs * (1 + backoff.jitter * (yield* randomFraction())))
    pauseMs *= backoff.factor
  }
}

/** The controller reference every generated object carries. */
export function controllerReference(canary: KubeObject): OwnerReference {
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    name: canary.metadata.name,
    uid: canary.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true
  }
}

/** A deep copy that may be changed; stored objects are frozen and shared. */
export function draftOf<Value>(value: Value): Value {
  return copy(value) as Value
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = { ...value }
  for (const [key, entry] of Object.entries(value)) {
    // Who owns which field is the server's own business, and computed only for who looks at it.
    if (typeof entry === 'object' && entry !== null && key !== 'managedFields') result[key] = copy(entry)
  }
  return result
}

function put(kind: Resource, namespace: string, draft: Draft, subresource?: string): ApiRequest {
  return {
    method: 'PUT',
    path: pathOf(kind, namespace, draft.metadata.name, subresource),
    body: typed(kind, draft)
  }
}

function typed(kind: Resource, draft: Draft): Draft {
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
  const spec = kind.spec === undefined ? {} : { spec: encodeTyped(kind.spec, draft['spec']) }
  return { ...draft, ...spec, apiVersion, kind: kind.kind }
}

function* performed(kind: Resource, call: ApiRequest, name: string = ''): Plan<KubeObject> {
  const response = yield* request(call)
  if (response.code >= 200 && response.code < 300) return decoded(kind, objectOfResponse(response))
  const { message, reason } = failureOfResponse(response, { verb: call.method.toLowerCase(), kind, name })
  throw new StepFailed(message, { reason })
}

/** A spec as Flagger's types hold it: to compare what is wanted with what was read. Nil and empty are not the same. */
export function inMemory(kind: Resource, spec: unknown): unknown {
  return kind.spec === undefined ? spec : decodeTyped(kind.spec, spec)
}

/** Answers do not change: what a typed client makes of one holds as long as it does. */
const decodedAnswers = new WeakMap<KubeObject, KubeObject>()

function decoded(kind: Resource, object: KubeObject): KubeObject {
  if (kind.spec === undefined) return object
  const known = decodedAnswers.get(object) ?? { ...object, spec: inMemory(kind, object.spec) }
  decodedAnswers.set(object, known)
  return known
}

/**
 * What client-go has against a name before it asks the server.
 * @see k8s.io/client-go rest/request.go Name v0.36.2
 */
function pathProblem(name: string): string | undefined {
  if (name === '') return 'resource name may not be empty'
  const reasons =
    name === '.' || name === '..'
      ? [`may not be '${name}'`]
      : ['/', '%'].flatMap((part) => (name.includes(part) ? [`may not contain '${part}'`] : []))
  return reasons.length === 0 ? undefined : `invalid resource name ${JSON.stringify(name)}: [${reasons.join(' ')}]`
}
