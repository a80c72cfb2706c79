import type { ApiChange, KubeObject, ObjectMeta, OwnerReference } from '../../kinds/index.ts'
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
  readonly uid: string
  readonly name: string
  readonly bucket: Bucket
  owners: ObjectMeta['ownerReferences']
  /** Uid of the controlling owner. */
  controller: string | undefined
  /** The dependents of each of its owners, which it is one of. */
  readonly siblings: Map<string, Entry>[]
}

/** Objects of one resource in one namespace, in creation order. */
class Bucket {
  readonly objects = new Map<string, KubeObject>()
  /** Those without a controller, of resources that are adopted. */
  readonly unowned: Map<string, KubeObject> | undefined
  #list: readonly KubeObject[] | undefined

  constructor(adoptable: boolean) {
    this.unowned = adoptable ? new Map() : undefined
  }

  /** All of them, as an array that does not change. */
  list(): readonly KubeObject[] {
    return (this.#list ??= [...this.objects.values()])
  }

  /** Takes an object in; one that is `known` keeps its place. */
  put(name: string, object: KubeObject, is: { readonly known: boolean; readonly owned: boolean }): void {
    if (!is.known) this.objects.delete(name)
    this.objects.set(name, object)
    this.#list = undefined
    if (this.unowned === undefined) return
    this.unowned.delete(name)
    if (!is.owned) this.unowned.set(name, object)
  }

  remove(name: string): void {
    this.objects.delete(name)
    this.unowned?.delete(name)
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
    const { metadata } = object
    const known = this.#byUid.get(metadata.uid ?? '')
    if (change.type === 'DELETED') {
      if (known !== undefined) this.#forget(known)
      this.#bucket(group, resource, metadata.namespace).remove(metadata.name)
    } else if (known === undefined) this.#add(change, metadata)
    else this.#replace(known, object, metadata.ownerReferences)
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

  #add({ group, resource, object }: ApiChange, metadata: ObjectMeta): void {
    const { uid = '', namespace, name, ownerReferences: owners } = metadata
    const bucket = this.#bucket(group, resource, namespace)
    const controller = owners === undefined ? undefined : controllerOf(object)?.uid
    const entry: Entry = { group, resource, object, uid, name, bucket, owners, controller, siblings: [] }
    this.#byUid.set(uid, entry)
    bucket.put(name, object, { known: false, owned: controller !== undefined })
    if (owners !== undefined) this.#join(entry, owners)
  }

  #replace(entry: Entry, object: KubeObject, owners: ObjectMeta['ownerReferences']): void {
    entry.object = object
    if (owners === entry.owners) {
      for (const siblings of entry.siblings) putLast(siblings, entry)
    } else {
      this.#leave(entry)
      entry.owners = owners
      entry.controller = controllerOf(object)?.uid
      if (owners !== undefined) this.#join(entry, owners)
    }
    entry.bucket.put(entry.name, object, { known: true, owned: entry.controller !== undefined })
  }

  /** Puts an entry last among the dependents of each of its owners. */
  #join(entry: Entry, owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) {
      let siblings = this.#dependents.get(uid)
      if (siblings === undefined) this.#dependents.set(uid, (siblings = new Map()))
      siblings.set(entry.uid, entry)
      entry.siblings.push(siblings)
    }
  }

  #leave(entry: Entry): void {
    for (const siblings of entry.siblings) siblings.delete(entry.uid)
    entry.siblings.length = 0
    for (const { uid } of entry.owners ?? []) if (this.#dependents.get(uid)?.size === 0) this.#dependents.delete(uid)
  }

  #forget(entry: Entry): void {
    this.#byUid.delete(entry.uid)
    this.#leave(entry)
    entry.bucket.unowned?.delete(entry.name)
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

function putLast(siblings: Map<string, Entry>, entry: Entry): void {
  if (siblings.size === 1) return
  siblings.delete(entry.uid)
  siblings.set(entry.uid, entry)
}
