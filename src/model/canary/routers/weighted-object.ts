import type { Canary, KubeObject } from '../../../kinds/index.ts'
import { log, type Plan } from '../effects.ts'
import { wrapped } from '../failure.ts'
import { createObject, findObject, getObject, inMemory, updateObject, type Resource } from '../objects.ts'
import { sameButEmpty, sameJson } from '../same.ts'
import { fullName, namespaceOf, serviceNames } from '../spec.ts'
import { apexMetadata, newApexMetadata } from './router.ts'

/**
 * Creates or corrects an object named like the apex Service, with the apex's metadata. What several routers have in
 * common: Contour, Gloo, Traefik.
 * @param wanted - the spec with initial weights, given the present object
 * @param comparable - a spec without weights
 */
export function* reconcileApexObject(
  kind: Resource,
  canary: Canary,
  wanted: (existing: KubeObject | undefined) => unknown,
  comparable: (spec: unknown) => unknown
): Plan<void> {
  const { apex } = serviceNames(canary)
  const namespace = namespaceOf(canary)
  const name = `${kind.kind} ${apex}.${namespace}`
  const { labels, annotations } = apexMetadata(canary)
  const existing = yield* findObject(kind, namespace, apex, `${name} get query error: `)
  const spec = wanted(existing)
  if (existing === undefined) {
    const metadata = newApexMetadata(canary, { labels, annotations })
    yield* wrapped(`${name} create error: `, createObject(kind, namespace, { metadata, spec }))
    return yield* log('info', `${name} created`, fullName(canary))
  }
  const unchanged =
    sameJson(comparable(inMemory(kind, spec)), comparable(existing.spec)) &&
    sameButEmpty(labels, existing.metadata.labels) &&
    sameButEmpty(annotations, existing.metadata.annotations)
  if (unchanged) return
  const draft = { ...existing, metadata: { ...existing.metadata, labels, annotations }, spec }
  yield* wrapped(`${name} update error: `, updateObject(kind, namespace, draft))
  yield* log('info', `${name} updated`, fullName(canary))
}

/** Reads the object named like the apex Service. */
export function readApexObject(kind: Resource, canary: Canary, text: string): Plan<KubeObject> {
  const { apex } = serviceNames(canary)
  const namespace = namespaceOf(canary)
  return getObject(kind, namespace, apex, `${kind.kind} ${apex}.${namespace} ${text}`)
}

/** Writes a new spec to the object named like the apex Service. */
export function* writeApexSpec(kind: Resource, canary: Canary, object: KubeObject, spec: unknown): Plan<void> {
  const namespace = namespaceOf(canary)
  const name = `${kind.kind} ${serviceNames(canary).apex}.${namespace}`
  yield* wrapped(`${name} update error: `, updateObject(kind, namespace, { ...object, spec }))
}

/** A copy without the named field anywhere inside. */
export function withoutField(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((entry) => withoutField(entry, field))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => key !== field)
  return Object.fromEntries(entries.map(([key, entry]) => [key, withoutField(entry, field)]))
}
