import type { ApiChange, KubeObject } from '../../kinds/index.ts'
import { type ClusterView, controllerOf } from '../../model/controllers/index.ts'

/** An object and where the API keeps it. */
export interface Indexed {
  readonly group: string
  readonly resource: string
  readonly object: KubeObject
}

/** An object as the index keeps it: replaced in place as it changes. */
interface Entry extends Indexed {
  object: KubeObject
  readonly bucket: Bucket
  /** Uid of the controlling owner. */
  controller: string | undefined
}

/** Objects of one resource in one namespace, in creation order. */
class Bucket {
  readonly objects = new Map<string, KubeObject>()
  /** Those without a controller, of resources that are adopted. */
  readonly unowned = new Map<string, KubeObject>()
  readonly #adoptable: boolean
  #list: readonly KubeObject[] | undefined

  constructor(adoptable: boolean) {
    this.#adoptable = adoptable
  }

  /** All of them, as an array that does not change. */
  list(): readonly KubeObject[] {
    return (this.#list ??= [...this.objects.values()])
  }

  /** Takes an object in; one that is `known` keeps its place. */
  put(object: KubeObject, known: boolean, owned: boolean): void {
    const { name } = object.metadata
    if (!known) this.objects.delete(name)
    this.objects.set(name, object)
    this.#list = undefined
    if (!this.#adoptable) return
    this.unowned.delete(name)
    if (!owned) this.unowned.set(name, object)
  }

  remove(name: string): void {
    this.objects.delete(name)
    this.unowned.delete(name)
    this.#list = undefined
  }
}

/** Resources whose objects may have a controller and are looked up without one. */
const ADOPTABLE = new Set(['pods', 'replicasets', 'controllerrevisions'])
const NO_OBJECTS: readonly KubeObject[] = []
const NO_ENTRIES: ReadonlyMap<string, Entry> = new Map()

/** The controllers' cache of the API: every object by place, by uid and by owner. Fed by API changes. */
export class ClusterIndex implements ClusterView {
  /** By resource, group and namespace; few resources are in two groups. */
  readonly #resources = new Map<string, Map<string, Map<string, Bucket>>>()
  readonly #byUid = new Map<string, Entry>()
  /** By the owner's uid, the one that changed last at the end. */
  readonly #dependents = new Map<string, Map<string, Entry>>()

  /** Takes a change in. Events are not kept: nothing owns or reads them here. */
  apply(change: ApiChange): void {
    const { group, resource, object } = change
    if (resource === 'events') return
    const known = this.#byUid.get(object.metadata.uid ?? '')
    if (change.type === 'DELETED') {
      if (known !== undefined) this.#forget(known)
      this.#bucket(group, resource, object.metadata.namespace).remove(object.metadata.name)
    } else if (known === undefined) this.#add(change)
    else this.#replace(known, object)
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
    for (const entry of (this.#dependents.get(ownerUid) ?? NO_ENTRIES).values()) {
      if (entry.controller === ownerUid && entry.resource === resource && entry.group === group) {
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
    return [...(this.#dependents.get(uid) ?? NO_ENTRIES).values()]
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

  #add({ group, resource, object }: ApiChange): void {
    const { uid = '', namespace } = object.metadata
    const bucket = this.#bucket(group, resource, namespace)
    const entry: Entry = { group, resource, object, bucket, controller: controllerOf(object)?.uid }
    this.#byUid.set(uid, entry)
    bucket.put(object, false, entry.controller !== undefined)
    this.#follow(entry, uid)
  }

  #replace(entry: Entry, object: KubeObject): void {
    const { uid = '', ownerReferences } = object.metadata
    if (ownerReferences !== entry.object.metadata.ownerReferences) {
      this.#leave(entry, uid)
      entry.controller = controllerOf(object)?.uid
    }
    entry.object = object
    entry.bucket.put(object, true, entry.controller !== undefined)
    this.#follow(entry, uid)
  }

  /** Puts an entry last among the dependents of each of its owners. */
  #follow(entry: Entry, uid: string): void {
    const { ownerReferences } = entry.object.metadata
    if (ownerReferences === undefined) return
    for (const owner of ownerReferences) {
      let siblings = this.#dependents.get(owner.uid)
      if (siblings === undefined) this.#dependents.set(owner.uid, (siblings = new Map()))
      else if (siblings.size > 1) siblings.delete(uid)
      siblings.set(uid, entry)
    }
  }

  #leave(entry: Entry, uid: string): void {
    for (const owner of entry.object.metadata.ownerReferences ?? []) {
      const siblings = this.#dependents.get(owner.uid)
      siblings?.delete(uid)
      if (siblings?.size === 0) this.#dependents.delete(owner.uid)
    }
  }

  #forget(entry: Entry): void {
    const { uid = '', name } = entry.object.metadata
    this.#byUid.delete(uid)
    this.#leave(entry, uid)
    entry.bucket.unowned.delete(name)
  }

  #bucket(group: string, resource: string, namespace: string = ''): Bucket {
    let groups = this.#resources.get(resource)
    if (groups === undefined) this.#resources.set(resource, (groups = new Map()))
    let namespaces = groups.get(group)
    if (namespaces === undefined) groups.set(group, (namespaces = new Map()))
    let bucket = namespaces.get(namespace)
    if (bucket === undefined) namespaces.set(namespace, (bucket = new Bucket(ADOPTABLE.has(resource))))
    return bucket
  }
}
