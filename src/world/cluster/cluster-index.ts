import type { ApiChange, KubeObject } from '../../kinds/index.ts'
import type { ClusterView } from '../../model/controllers/index.ts'

/** An object and where the API keeps it. */
export interface Indexed {
  readonly group: string
  readonly resource: string
  readonly object: KubeObject
}

type Bucket = Map<string, KubeObject>

/** Resources whose objects may have a controller and are looked up without one. */
const ADOPTABLE = new Set(['pods', 'replicasets', 'controllerrevisions'])
const NO_OBJECTS: readonly KubeObject[] = []

/** The controllers' cache of the API: every object by place, by uid and by owner. Fed by API changes. */
export class ClusterIndex implements ClusterView {
  readonly #buckets = new Map<string, Bucket>()
  readonly #resources = new Map<string, Map<string, Bucket>>()
  readonly #byUid = new Map<string, Indexed>()
  readonly #dependents = new Map<string, Map<string, Indexed>>()
  readonly #unowned = new Map<string, Bucket>()

  /** Takes a change in. Events are not kept: nothing owns or reads them here. */
  apply(change: ApiChange): void {
    const { group, resource, object } = change
    if (resource === 'events') return
    const known = this.#byUid.get(object.metadata.uid ?? '')
    if (known !== undefined) this.#remove(known)
    if (change.type !== 'DELETED') this.#add({ group, resource, object }, known !== undefined)
    else this.#bucket(group, resource, object.metadata.namespace).delete(object.metadata.name)
  }

  list(group: string, resource: string, namespace?: string): readonly KubeObject[] {
    const namespaces = this.#resources.get(`${group}/${resource}`)
    if (namespaces === undefined) return NO_OBJECTS
    if (namespace !== undefined) return [...(namespaces.get(namespace)?.values() ?? NO_OBJECTS)]
    return [...namespaces.values()].flatMap((bucket) => [...bucket.values()])
  }

  get(group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#buckets.get(`${group}/${resource}/${namespace ?? ''}`)?.get(name)
  }

  controlledBy(group: string, resource: string, ownerUid: string): readonly KubeObject[] {
    const found: KubeObject[] = []
    for (const entry of this.#dependents.get(ownerUid)?.values() ?? []) {
      if (entry.resource === resource && entry.group === group && isControlledBy(entry.object, ownerUid)) {
        found.push(entry.object)
      }
    }
    return found
  }

  orphans(group: string, resource: string, namespace: string): readonly KubeObject[] {
    const bucket = this.#unowned.get(`${group}/${resource}/${namespace}`)
    return bucket === undefined ? NO_OBJECTS : [...bucket.values()]
  }

  /** The object of that uid, whatever its kind. */
  byUid(uid: string): Indexed | undefined {
    return this.#byUid.get(uid)
  }

  /** Everything that names that uid as an owner. */
  dependents(uid: string): readonly Indexed[] {
    return [...(this.#dependents.get(uid)?.values() ?? [])]
  }

  /** Everything in a namespace. */
  contents(namespace: string): readonly Indexed[] {
    const found: Indexed[] = []
    for (const namespaces of this.#resources.values()) {
      for (const object of namespaces.get(namespace)?.values() ?? []) {
        const entry = this.#byUid.get(object.metadata.uid ?? '')
        if (entry !== undefined) found.push(entry)
      }
    }
    return found
  }

  #add(entry: Indexed, known: boolean): void {
    const { object, group, resource } = entry
    const { uid = '', namespace, name } = object.metadata
    this.#byUid.set(uid, entry)
    const bucket = this.#bucket(group, resource, namespace)
    if (!known) bucket.delete(name)
    bucket.set(name, object)
    for (const owner of object.metadata.ownerReferences ?? []) {
      const siblings = this.#dependents.get(owner.uid) ?? new Map<string, Indexed>()
      this.#dependents.set(owner.uid, siblings.set(uid, entry))
    }
    if (ADOPTABLE.has(resource) && !object.metadata.ownerReferences?.some((owner) => owner.controller === true)) {
      const key = `${group}/${resource}/${namespace ?? ''}`
      const unowned = this.#unowned.get(key) ?? new Map<string, KubeObject>()
      this.#unowned.set(key, unowned.set(name, object))
    }
  }

  #remove(entry: Indexed): void {
    const { object, group, resource } = entry
    const { uid = '', namespace, name } = object.metadata
    this.#byUid.delete(uid)
    for (const owner of object.metadata.ownerReferences ?? []) {
      const siblings = this.#dependents.get(owner.uid)
      siblings?.delete(uid)
      if (siblings?.size === 0) this.#dependents.delete(owner.uid)
    }
    this.#unowned.get(`${group}/${resource}/${namespace ?? ''}`)?.delete(name)
  }

  #bucket(group: string, resource: string, namespace: string | undefined): Bucket {
    const key = `${group}/${resource}/${namespace ?? ''}`
    const known = this.#buckets.get(key)
    if (known !== undefined) return known
    const bucket: Bucket = new Map()
    this.#buckets.set(key, bucket)
    const namespaces = this.#resources.get(`${group}/${resource}`) ?? new Map<string, Bucket>()
    this.#resources.set(`${group}/${resource}`, namespaces.set(namespace ?? '', bucket))
    return bucket
  }
}

function isControlledBy(object: KubeObject, uid: string): boolean {
  return (object.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid)
}
