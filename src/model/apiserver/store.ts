import { copyOf, copyWith, deepFreeze, deferredNote } from '../../lib/apimachinery/index.ts'
import type { ApiChange, KubeObject } from '../../kinds/index.ts'
import type { StoragePlace } from './resources.ts'
import { Shelf } from './shelf.ts'

/** Changes kept for watches, exact lists and paging; older ones are answered with 410. */
export const DEFAULT_WATCH_WINDOW = 10_000

/** A change with its resource version. */
export interface LoggedChange {
  readonly revision: number
  readonly change: ApiChange
}

/** Everything a store holds; cheap to take, because shelves and objects are shared. */
export interface StoreSnapshot {
  readonly revision: number
  readonly compacted: number
  readonly log: readonly LoggedChange[]
  readonly shelves: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, Shelf>>>
}

const NONE: readonly KubeObject[] = Object.freeze([])

/** Shelves by group, resource and namespace. */
type Shelves = Map<string, Map<string, Map<string, Shelf>>>

function copyOfShelves(shelves: StoreSnapshot['shelves']): Shelves {
  const copy: Shelves = new Map()
  for (const [group, resources] of shelves) {
    const copied = new Map<string, Map<string, Shelf>>()
    for (const [resource, namespaces] of resources) copied.set(resource, new Map(namespaces))
    copy.set(group, copied)
  }
  return copy
}

/** Who is told of changes: of one resource, or of all. */
interface Listener {
  readonly notify: (change: ApiChange) => void
  readonly group: string | undefined
  readonly resource: string | undefined
}

/** Objects by place with one global resource version and a bounded log of changes (what etcd and the watch cache are upstream). */
export class Store {
  readonly #window: number
  #shelves: Shelves = new Map()
  #revision = 1
  #compacted = 0
  #log: LoggedChange[] = []
  readonly #listeners = new Set<Listener>()
  /** Changes that listeners made of which nobody has been told yet. */
  readonly #pending: ApiChange[] = []
  #notifying = false

  /** @param window - changes kept; at least one */
  constructor(window: number = DEFAULT_WATCH_WINDOW) {
    this.#window = Math.max(1, window)
  }

  /** The newest resource version. */
  get revision(): number {
    return this.#revision
  }

  /** Changes up to this version are forgotten. */
  get compacted(): number {
    return this.#compacted
  }

  get(group: string, resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#shelves
      .get(group)
      ?.get(resource)
      ?.get(namespace ?? '')
      ?.get(name)
  }

  /** Objects of a resource in key order (namespace, then name); without namespace: all. */
  list(group: string, resource: string, namespace?: string): readonly KubeObject[] {
    const namespaces = this.#shelves.get(group)?.get(resource)
    if (namespaces === undefined) return NONE
    if (namespace !== undefined) return namespaces.get(namespace)?.list() ?? NONE
    const [only] = namespaces.values()
    if (only !== undefined && namespaces.size === 1) return only.list()
    return [...namespaces.keys()].sort().flatMap((key) => namespaces.get(key)?.list() ?? NONE)
  }

  /** Objects as they were at an earlier version that is still in the window. */
  listAt(place: StoragePlace, namespace: string | undefined, revision: number): readonly KubeObject[] {
    const objects = new Map(this.list(place.group, place.resource, namespace).map((one) => [objectKey(one), one]))
    for (let index = this.#log.length - 1; index >= 0; index--) {
      const entry = this.#log[index]
      if (entry === undefined || entry.revision <= revision) break
      const { change } = entry
      if (change.group !== place.group || change.resource !== place.resource) continue
      if (namespace !== undefined && change.object.metadata.namespace !== namespace) continue
      const key = objectKey(change.object)
      if (change.previous === undefined) objects.delete(key)
      else objects.set(key, change.previous)
    }
    return [...objects.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object)
  }

  /** Changes after a version, oldest first. */
  since(revision: number): readonly LoggedChange[] {
    const log = this.#log
    let low = 0
    let high = log.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((log[middle]?.revision ?? 0) <= revision) low = middle + 1
      else high = middle
    }
    return log.slice(low)
  }

  /** Stores a new or changed object; takes it over, gives it the next resource version and freezes it. */
  put(place: StoragePlace, object: KubeObject, previous: KubeObject | undefined): KubeObject {
    const stored = this.#stamp(object, previous)
    this.#shelf(place, stored.metadata.namespace).put(stored)
    const { group, resource } = place
    this.#commit(
      previous === undefined
        ? { type: 'ADDED', group, resource, object: stored }
        : { type: 'MODIFIED', group, resource, object: stored, previous }
    )
    return stored
  }

  /** Removes an object; the event carries its last state with the version of the removal. */
  remove(place: StoragePlace, previous: KubeObject): KubeObject {
    const { namespace, name } = previous.metadata
    const shelf = this.#shelf(place, namespace)
    shelf.remove(name)
    if (shelf.isEmpty)
      this.#shelves
        .get(place.group)
        ?.get(place.resource)
        ?.delete(namespace ?? '')
    const object = this.#stamp(copyWith(previous, 'metadata', copyOf(previous.metadata)), previous)
    this.#commit({ type: 'DELETED', group: place.group, resource: place.resource, object, previous })
    return object
  }

  /**
   * Calls back after each commit, in order, also for changes that a listener itself makes.
   * @param notify - called with each change
   * @param place - resource to hear of; default: all
   */
  subscribe(notify: (change: ApiChange) => void, place?: StoragePlace): () => void {
    const listener: Listener = { notify, group: place?.group, resource: place?.resource }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  snapshot(): StoreSnapshot {
    for (const resources of this.#shelves.values())
      for (const namespaces of resources.values()) for (const shelf of namespaces.values()) shelf.isShared = true
    const { revision, compacted } = this
    return { revision, compacted, log: [...this.#log], shelves: copyOfShelves(this.#shelves) }
  }

  restore(snapshot: StoreSnapshot): void {
    this.#revision = snapshot.revision
    this.#compacted = snapshot.compacted
    this.#log = [...snapshot.log]
    this.#shelves = copyOfShelves(snapshot.shelves)
  }

  /** The shelf to change: one that a snapshot has too is copied before. */
  #shelf(place: StoragePlace, namespace: string = ''): Shelf {
    let resources = this.#shelves.get(place.group)
    if (resources === undefined) this.#shelves.set(place.group, (resources = new Map()))
    let namespaces = resources.get(place.resource)
    if (namespaces === undefined) resources.set(place.resource, (namespaces = new Map()))
    const known = namespaces.get(namespace)
    if (known !== undefined && !known.isShared) return known
    const own = known === undefined ? new Shelf() : known.copy()
    namespaces.set(namespace, own)
    return own
  }

  #stamp(object: KubeObject, previous: KubeObject | undefined): KubeObject {
    this.#revision += 1
    object.metadata.resourceVersion = String(this.#revision)
    return freezeStored(object, previous)
  }

  #commit(change: ApiChange): void {
    this.#log.push({ revision: this.#revision, change })
    // Cutting in halves keeps the cost of each commit constant.
    if (this.#log.length >= 2 * this.#window) {
      const cut = this.#log.length - this.#window
      this.#compacted = this.#log[cut - 1]?.revision ?? this.#compacted
      this.#log = this.#log.slice(cut)
    }
    if (this.#notifying) this.#pending.push(change)
    else this.#notify(change)
  }

  #notify(change: ApiChange): void {
    this.#notifying = true
    try {
      this.#tell(change)
      for (let next = this.#nextPending(); next !== undefined; next = this.#nextPending()) this.#tell(next)
    } finally {
      this.#notifying = false
    }
  }

  #nextPending(): ApiChange | undefined {
    return this.#pending.length === 0 ? undefined : this.#pending.shift()
  }

  #tell(change: ApiChange): void {
    const { group, resource } = change
    for (const listener of this.#listeners) {
      if (listener.resource === undefined || (listener.resource === resource && listener.group === group))
        listener.notify(change)
    }
  }
}

/**
 * Freezes an object without looking into managed fields that are still to be computed.
 * @param object - to freeze
 * @param previous - the frozen object in whose place it comes, with which it shares parts
 */
function freezeStored(object: KubeObject, previous: KubeObject | undefined): KubeObject {
  freezeMetadata(object.metadata, previous?.metadata ?? NO_METADATA)
  freezeMembers(object, previous)
  return Object.freeze(object)
}

/** All members of metadata that are no plain values are these. */
function freezeMetadata(metadata: KubeObject['metadata'], before: Partial<KubeObject['metadata']>): void {
  const { labels, annotations, ownerReferences, finalizers, managedFields } = metadata
  if (labels !== before.labels) deepFreeze(labels)
  if (annotations !== before.annotations) deepFreeze(annotations)
  if (ownerReferences !== before.ownerReferences) deepFreeze(ownerReferences)
  if (finalizers !== before.finalizers) deepFreeze(finalizers)
  if (managedFields !== undefined && deferredNote(managedFields) === undefined) deepFreeze(managedFields)
  Object.freeze(metadata)
}

const NO_METADATA: Partial<KubeObject['metadata']> = Object.freeze({})

function freezeMembers(object: KubeObject, before: KubeObject | undefined): void {
  for (const name in object) {
    const member = object[name]
    if (typeof member === 'object' && name !== 'metadata' && (before === undefined || member !== before[name]))
      deepFreeze(member)
  }
}

function objectKey(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}
