import type { ApiChange, ApiRequest, ApiResponse, KubeObject } from '../../../src/kinds/index.ts'
import type { ClusterApi } from '../../../src/world/cluster/index.ts'
import { formatTimestamp, type Clock } from '../../../src/lib/time/index.ts'

interface Place {
  readonly group: string
  readonly apiVersion: string
  readonly resource: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/** Just enough of an API server to run controllers over plain data: no validation, no defaults, no versions. */
export class MemoryApi implements ClusterApi {
  readonly #objects = new Map<string, KubeObject>()
  readonly #listeners = new Set<(change: ApiChange) => void>()
  readonly #clock: Clock
  #serial = 0
  readonly requests: ApiRequest[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  subscribe(listener: (change: ApiChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  list(group: string, resource: string, namespace?: string): readonly KubeObject[] {
    const prefix = `${group}/${resource}/`
    return [...this.#objects]
      .filter(
        ([key, object]) =>
          key.startsWith(prefix) && (namespace === undefined || object.metadata.namespace === namespace)
      )
      .map(([, object]) => object)
  }

  get(group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#objects.get(`${group}/${resource}/${namespace ?? ''}/${name}`)
  }

  /** Creates an object as kubectl would. */
  create(resource: string, object: object): KubeObject {
    const { apiVersion, metadata } = object as KubeObject
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
    return this.handle({ method: 'POST', path: `${root}${scope}/${resource}`, body: object }).body as KubeObject
  }

  /** Replaces an object by what `change` makes of it. */
  edit(object: KubeObject, resource: string, change: (copy: KubeObject) => void): KubeObject {
    const group = object.apiVersion.includes('/') ? (object.apiVersion.split('/')[0] ?? '') : ''
    const copy = structuredClone(this.get(group, resource, object.metadata.namespace, object.metadata.name) ?? object)
    change(copy)
    return this.#put(parse(pathOf(copy, resource)), copy)
  }

  remove(object: KubeObject, resource: string, body: object = {}): void {
    this.handle({ method: 'DELETE', path: pathOf(object, resource), body })
  }

  handle(request: ApiRequest): ApiResponse {
    this.requests.push(request)
    const place = parse(request.path)
    if (request.method === 'POST') {
      return place.subresource === 'binding'
        ? this.#bind(place, request)
        : this.#create(place, request.body as KubeObject)
    }
    const stored = this.get(place.group, place.resource, place.namespace, place.name ?? '')
    if (stored === undefined) return failure(404, `${place.resource} "${place.name}" not found`)
    if (request.method === 'DELETE') return this.#delete(place, stored, request.body as Record<string, unknown>)
    if (place.subresource === 'scale') return { code: 200, body: this.#scale(place, stored, request) }
    if (request.method === 'PUT') return { code: 200, body: this.#put(place, request.body as KubeObject) }
    if (request.method === 'PATCH') {
      return { code: 200, body: this.#put(place, merge(stored, request.body) as KubeObject) }
    }
    return { code: 200, body: stored }
  }

  #create(place: Place, draft: KubeObject): ApiResponse {
    this.#serial++
    const name = draft.metadata.name ?? `${draft.metadata.generateName}${this.#serial.toString(36).padStart(5, '0')}`
    if (this.get(place.group, place.resource, place.namespace, name) !== undefined)
      return failure(409, 'already exists')
    const metadata = {
      ...draft.metadata,
      name,
      uid: `uid-${String(this.#serial).padStart(6, '0')}`,
      generation: 1,
      creationTimestamp: formatTimestamp(this.#clock.now()),
      ...(place.namespace === undefined ? {} : { namespace: place.namespace })
    }
    const spec = place.resource === 'namespaces' ? { finalizers: ['kubernetes'] } : draft.spec
    const object: KubeObject = { ...draft, metadata, ...(spec === undefined ? {} : { spec }) }
    this.#store(place, object, 'ADDED')
    return { code: 201, body: object }
  }

  #bind(place: Place, request: ApiRequest): ApiResponse {
    const pod = this.get('', 'pods', place.namespace, place.name ?? '')
    if (pod === undefined) return failure(404, 'not found')
    const { target } = request.body as { target: { name: string } }
    this.#put(place, { ...pod, spec: { ...(pod.spec as object), nodeName: target.name } })
    return { code: 201, body: { kind: 'Status', status: 'Success' } }
  }

  #scale(place: Place, stored: KubeObject, request: ApiRequest): KubeObject {
    const { spec } = request.body as { spec: { replicas: number } }
    return this.#put({ ...place, subresource: undefined }, { ...stored, spec: { ...(stored.spec as object), ...spec } })
  }

  #put(place: Place, next: KubeObject): KubeObject {
    const stored = this.get(place.group, place.resource, place.namespace, place.name ?? '')
    const changed = place.subresource === undefined && JSON.stringify(stored?.spec) !== JSON.stringify(next.spec)
    const generation = (stored?.metadata.generation ?? 1) + (changed ? 1 : 0)
    const metadata = prune({ ...next.metadata, generation }) as unknown as KubeObject['metadata']
    const object = { ...next, metadata }
    const finished =
      metadata.deletionTimestamp !== undefined &&
      (metadata.finalizers ?? []).length === 0 &&
      place.resource !== 'pods' &&
      ((object.spec as { finalizers?: string[] } | undefined)?.finalizers ?? []).length === 0
    this.#store(place, object, finished ? 'DELETED' : 'MODIFIED')
    return object
  }

  #delete(place: Place, stored: KubeObject, options: Record<string, unknown>): ApiResponse {
    const grace =
      options['gracePeriodSeconds'] ??
      (stored.spec as { terminationGracePeriodSeconds?: number } | undefined)?.terminationGracePeriodSeconds ??
      30
    const policy = options['propagationPolicy']
    const added = policy === 'Foreground' ? ['foregroundDeletion'] : policy === 'Orphan' ? ['orphan'] : []
    const finalizers = [...(stored.metadata.finalizers ?? []), ...added]
    const bound = (stored.spec as { nodeName?: string } | undefined)?.nodeName !== undefined
    const graceful = place.resource === 'pods' && bound && grace !== 0
    if (!graceful && finalizers.length === 0 && place.resource !== 'namespaces') {
      this.#store(place, stored, 'DELETED')
      return { code: 200, body: stored }
    }
    const deletionTimestamp = stored.metadata.deletionTimestamp ?? formatTimestamp(this.#clock.now())
    const metadata = { ...stored.metadata, finalizers, deletionTimestamp, deletionGracePeriodSeconds: Number(grace) }
    this.#store(place, { ...stored, metadata }, 'MODIFIED')
    return { code: 200, body: stored }
  }

  #store(place: Place, object: KubeObject, type: ApiChange['type']): void {
    const key = `${place.group}/${place.resource}/${place.namespace ?? ''}/${object.metadata.name}`
    const previous = this.#objects.get(key)
    if (type === 'DELETED') this.#objects.delete(key)
    else this.#objects.set(key, object)
    const change: ApiChange = {
      type,
      group: place.group,
      resource: place.resource,
      object,
      ...(previous === undefined ? {} : { previous })
    }
    for (const listener of this.#listeners) listener(change)
  }
}

function pathOf(object: KubeObject, resource: string): string {
  const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`
  const scope = object.metadata.namespace === undefined ? '' : `/namespaces/${object.metadata.namespace}`
  return `${root}${scope}/${resource}/${object.metadata.name}`
}

function parse(path: string): Place {
  const parts = path.split('/').slice(1)
  const core = parts[0] === 'api'
  const apiVersion = core ? (parts[1] ?? '') : `${parts[1]}/${parts[2]}`
  const group = core ? '' : (parts[1] ?? '')
  let rest = parts.slice(core ? 2 : 3)
  let namespace: string | undefined
  if (rest[0] === 'namespaces' && rest.length > 2 && !['finalize', 'status'].includes(rest[2] ?? '')) {
    namespace = rest[1]
    rest = rest.slice(2)
  }
  return { group, apiVersion, resource: rest[0] ?? '', namespace, name: rest[1], subresource: rest[2] }
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = { ...(target as object) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}

function prune(metadata: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined))
}

function failure(code: number, message: string): ApiResponse {
  return { code, body: { kind: 'Status', status: 'Failure', message, code } }
}
