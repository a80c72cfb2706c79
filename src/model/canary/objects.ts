import type { ApiRequest, ApiResponse, KubeObject, OwnerReference } from '../../kinds/index.ts'
import { sleep, randomFraction, type Effect, type Plan } from './effects.ts'
import { failureOfResponse, objectOfResponse, type ApiCall } from './api-failure.ts'
import { StepFailed } from './failure.ts'
import { NOT_YET, performedAtOnce } from './performing.ts'
import { decodeTyped, encodeTyped, type TypedStruct } from './typed.ts'
import { typedMismatch } from './typed-mismatch.ts'

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
  if (problem !== undefined) throw problem
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const scope = namespace === '' ? '' : `/namespaces/${namespace}`
  const tail = subresource === undefined ? '' : `/${subresource}`
  return `${root}${scope}/${kind.plural}${name === undefined ? '' : `/${name}`}${tail}`
}

/** A read, or why its path is none. */
interface Reading {
  readonly namespace: string
  readonly effect: Effect | StepFailed
}

/** Most reads of a kind that are kept. */
const READINGS_MAX = 1000

/** Every tick asks for the same few objects: by kind and name, of the namespace that was asked last. */
const readings = new WeakMap<Resource, Map<string, Reading>>()

function readingOf(kind: Resource, namespace: string, name: string): Effect | StepFailed {
  let ofKind = readings.get(kind)
  if (ofKind === undefined) readings.set(kind, (ofKind = new Map<string, Reading>()))
  const known = ofKind.get(name)
  if (known?.namespace === namespace) return known.effect
  const effect: Effect | StepFailed = pathProblem(name) ?? {
    effect: 'api',
    request: { method: 'GET', path: pathOf(kind, namespace, name) }
  }
  if (ofKind.size >= READINGS_MAX) ofKind.clear()
  ofKind.set(name, { namespace, effect })
  return effect
}

/** What stands before the text of a read's failure; made only for a read that fails, where it is a function. */
export type Failing = string | ((name: string, namespace: string) => string)

function failureUnder(failing: Failing, failure: StepFailed, name: string, namespace: string): StepFailed {
  return failure.under(typeof failing === 'string' ? failing : failing(name, namespace))
}

/**
 * Reads an object.
 * @param failing - stands before the text of a failure
 * @throws StepFailed with the server's message
 */
export function* getObject(kind: Resource, namespace: string, name: string, failing: Failing = ''): Plan<KubeObject> {
  const reading = readingOf(kind, namespace, name)
  if (reading instanceof StepFailed) throw failureUnder(failing, reading, name, namespace)
  let result = performedAtOnce(reading)
  if (result === NOT_YET) result = yield reading
  const read = answered(kind, 'get', name, result as ApiResponse)
  if (read instanceof StepFailed) throw failureUnder(failing, read, name, namespace)
  return read
}

/** Reads an object; undefined when the server says NotFound. @param failing - as for {@link getObject} */
export function* findObject(
  kind: Resource,
  namespace: string,
  name: string,
  failing: Failing = ''
): Plan<KubeObject | undefined> {
  const reading = readingOf(kind, namespace, name)
  if (reading instanceof StepFailed) throw failureUnder(failing, reading, name, namespace)
  let result = performedAtOnce(reading)
  if (result === NOT_YET) result = yield reading
  const read = answered(kind, 'get', name, result as ApiResponse)
  if (!(read instanceof StepFailed)) return read
  if (read.reason === 'NotFound') return undefined
  throw failureUnder(failing, read, name, namespace)
}

/** Creates an object from a draft. */
export function createObject(kind: Resource, namespace: string, draft: Draft): Plan<KubeObject> {
  return written(kind, namespace, { method: 'POST', draft })
}

/** Replaces an object. */
export function updateObject(kind: Resource, namespace: string, draft: Draft): Plan<KubeObject> {
  return written(kind, namespace, { method: 'PUT', name: draft.metadata.name, draft })
}

/** Replaces an object's status. */
export function updateStatus(kind: Resource, namespace: string, draft: Draft): Plan<KubeObject> {
  return written(kind, namespace, { method: 'PUT', name: draft.metadata.name, subresource: 'status', draft })
}

/** Applies a merge patch. */
export function mergePatch(kind: Resource, namespace: string, name: string, body: unknown): Plan<KubeObject> {
  return written(kind, namespace, { method: 'PATCH', name, patch: body })
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

function typed(kind: Resource, draft: Draft): Draft {
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
  const body: Draft = { ...draft }
  if (kind.spec !== undefined) body['spec'] = encodeTyped(kind.spec, draft['spec'])
  body['apiVersion'] = apiVersion
  body['kind'] = kind.kind
  return body
}

/** A write of a draft, or a merge patch. */
type Write =
  | { readonly method: 'POST'; readonly draft: Draft; readonly name?: undefined; readonly subresource?: undefined }
  | { readonly method: 'PUT'; readonly draft: Draft; readonly name: string; readonly subresource?: 'status' }
  | { readonly method: 'PATCH'; readonly patch: unknown; readonly name: string; readonly subresource?: undefined }

const VERBS = { POST: 'post', PUT: 'put', PATCH: 'patch' } as const

const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' } as const

function* written(kind: Resource, namespace: string, write: Write): Plan<KubeObject> {
  const { method, name, subresource } = write
  const path = pathOf(kind, namespace, name, subresource)
  const request: ApiRequest =
    write.method === 'PATCH'
      ? { method, path, headers: MERGE_PATCH, body: write.patch }
      : { method, path, body: typed(kind, write.draft) }
  const effect: Effect = { effect: 'api', request }
  let response = performedAtOnce(effect)
  if (response === NOT_YET) response = yield effect
  const result = answered(kind, VERBS[method], name ?? '', response as ApiResponse)
  if (result instanceof StepFailed) throw result
  return result
}

function answered(kind: Resource, verb: ApiCall['verb'], name: string, response: ApiResponse): KubeObject | StepFailed {
  const isSuccess = response.code >= 200 && response.code < 300
  const result = isSuccess ? objectOfResponse(response) : failureOfResponse(response, { verb, kind, name })
  return result instanceof StepFailed ? result : decoded(kind, result)
}

/** A spec as Flagger's types hold it: to compare what is wanted with what was read. Nil and empty are not the same. */
export function inMemory(kind: Resource, spec: unknown): unknown {
  return kind.spec === undefined ? spec : decodeTyped(kind.spec, spec)
}

/** What a typed client made of the last answer of a kind: most reads of a tick get the very same, and answers do not change. */
const lastDecoded = new Map<Resource, { readonly answer: KubeObject; readonly decoded: KubeObject }>()

function decoded(kind: Resource, object: KubeObject): KubeObject | StepFailed {
  if (kind.spec === undefined) return object
  const last = lastDecoded.get(kind)
  if (last?.answer === object) return last.decoded
  const problem = typedMismatch(kind.spec, kind.kind, object.spec)
  if (problem !== undefined) return new StepFailed(problem)
  const result = { ...object, spec: inMemory(kind, object.spec) }
  lastDecoded.set(kind, { answer: object, decoded: result })
  return result
}

/**
 * What client-go has against a name before it asks the server.
 * @see k8s.io/client-go rest/request.go Name v0.36.2
 */
function pathProblem(name: string): StepFailed | undefined {
  if (name === '') return new StepFailed('resource name may not be empty')
  if (!/[/%]|^\.\.?$/.test(name)) return undefined
  const reasons =
    name === '.' || name === '..'
      ? [`may not be '${name}'`]
      : ['/', '%'].flatMap((part) => (name.includes(part) ? [`may not contain '${part}'`] : []))
  return new StepFailed(`invalid resource name ${JSON.stringify(name)}: [${reasons.join(' ')}]`)
}
