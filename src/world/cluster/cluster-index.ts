import type { ApiChange, KubeObject } from '../../kinds/index.ts'
import type { ClusterView } from '../../model/controllers/index.ts'

/** An object and where the API keeps it. */
export interface Indexed {
  readonly group: string
  readonly resource: string
  readonly object: KubeObject
}

/** Objects of one resource in one namespace, in creation order. */
class Bucket {
  readonly objects = new Map<string, KubeObject>()
  /** Those without a controller, of resources that are adopted. */
  readonly unowned = new Map<string, KubeObject>()
  #list: readonly KubeObject[] | undefined

  /** All of them, as an array that does not change. */
  list(): readonly KubeObject[] {
    return (this.#list ??= [...this.objects.values()])
  }

  /** Whether the object is known already: then it keeps its place. */
  put(object: KubeObject, known: boolean): void {
    const { name } = object.metadata
    if (!known) this.objects.delete(name)
    this.objects.set(name, object)
    this.#list = undefined
  }

  remove(name: string): void {
    this.objects.delete(name)
    this.#list = undefined
  }
}

/** Resources whose objects may have a controller and are looked up without one. */
const ADOPTABLE = new Set(['pods', 'replicasets', 'controllerrevisions'])
const NO_OBJECTS: readonly KubeObject[] = []

/** The controllers' cache of the API: every object by place, by uid and by owner. Fed by API changes. */
export class ClusterIndex implements ClusterView {
  /** By resource, group and namespace; few resources are in two groups. */
  readonly #resources = new Map<string, Map<string, Map<string, Bucket>>>()
  readonly #byUid = new Map<string, Indexed>()
  readonly #dependents = new Map<string, Map<string, Indexed>>()

  /** Takes a change in. Events are not kept: nothing owns or reads them here. */
  apply(change: ApiChange): void {
    const { group, resource, object } = change
    if (resource === 'events') return
    const known = this.#byUid.get(object.metadata.uid ?? '')
    if (known !== undefined) this.#remove(known)
    if (change.type !== 'DELETED') this.#add({ group, resource, object }, known !== undefined)
    else this.#bucket(group, resource, object.metadata.namespace).remove(object.metadata.name)
  }

  list(group: string, resource: string, namespace?: string): readonly KubeObject[] {
    const namespaces = this.#resources.get(resource)?.get(group)
    if (namespaces === undefined) return NO_OBJECTS
    if (namespace !== undefined) return namespaces.get(namespace)?.list() ?? NO_OBJECTS
    const [only] = namespaces.values()
    if (only !== undefined && namespaces.size === 1) return only.list()
    return [...namespaces.values()].flatMap((bucket) => bucket.list())
  }

  get(group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#resources
      .get(resource)
      ?.get(group)
      ?.get(namespace ?? '')
      ?.objects.get(name)
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
    const unowned = this.#resources.get(resource)?.get(group)?.get(namespace)?.unowned
    return unowned === undefined || unowned.size === 0 ? NO_OBJECTS : [...unowned.values()]
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
    for (const namespaces of [...this.#resources.values()].flatMap((groups) => [...groups.values()])) {
      for (const object of namespaces.get(namespace)?.list() ?? NO_OBJECTS) {
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
    bucket.put(object, known)
    for (const owner of object.metadata.ownerReferences ?? []) {
      const siblings = this.#dependents.get(owner.uid) ?? new Map<string, Indexed>()
      this.#dependents.set(owner.uid, siblings.set(uid, entry))
    }
    if (ADOPTABLE.has(resource) && !object.metadata.ownerReferences?.some((owner) => owner.controller === true)) {
      bucket.unowned.set(name, object)
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
    this.#bucket(group, resource, namespace).unowned.delete(name)
  }

  #bucket(group: string, resource: string, namespace: string = ''): Bucket {
    let groups = this.#resources.get(resource)
    if (groups === undefined) this.#resources.set(resource, (groups = new Map()))
    let namespaces = groups.get(group)
    if (namespaces === undefined) groups.set(group, (namespaces = new Map()))
    let bucket = namespaces.get(namespace)
    if (bucket === undefined) namespaces.set(namespace, (bucket = new Bucket()))
    return bucket
  }
}

function isControlledBy(object: KubeObject, uid: string): boolean {
  return (object.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid)
}
