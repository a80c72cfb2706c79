import { deepFreeze } from './json.ts'

/** Reads what is known of a list that is still to be computed, without computing it. */
const NOTE: unique symbol = Symbol('deferred list')

/** Behaves like the frozen array that it computes when somebody first looks at it. */
class DeferredHandler<Item> implements ProxyHandler<Item[]> {
  #note: object | undefined
  #compute: (() => readonly Item[]) | undefined

  constructor(note: object, compute: () => readonly Item[]) {
    this.#note = note
    this.#compute = compute
  }

  #settle(target: Item[]): Item[] {
    const compute = this.#compute
    if (compute === undefined) return target
    const items = compute()
    // What the computation needed can go.
    this.#compute = undefined
    this.#note = undefined
    target.push(...items)
    return deepFreeze(target)
  }

  get(target: Item[], key: PropertyKey): unknown {
    return key === NOTE ? this.#note : Reflect.get(this.#settle(target), key)
  }

  has(target: Item[], key: PropertyKey): boolean {
    return Reflect.has(this.#settle(target), key)
  }

  ownKeys(target: Item[]): (string | symbol)[] {
    return Reflect.ownKeys(this.#settle(target))
  }

  getOwnPropertyDescriptor(target: Item[], key: PropertyKey): PropertyDescriptor | undefined {
    return Reflect.getOwnPropertyDescriptor(this.#settle(target), key)
  }

  isExtensible(target: Item[]): boolean {
    return Reflect.isExtensible(this.#settle(target))
  }

  preventExtensions(target: Item[]): boolean {
    return Reflect.preventExtensions(this.#settle(target))
  }

  set(target: Item[], key: PropertyKey, value: unknown): boolean {
    return Reflect.set(this.#settle(target), key, value)
  }

  defineProperty(target: Item[], key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    return Reflect.defineProperty(this.#settle(target), key, descriptor)
  }

  deleteProperty(target: Item[], key: PropertyKey): boolean {
    return Reflect.deleteProperty(this.#settle(target), key)
  }
}

/**
 * A frozen array that is computed when somebody first looks inside; handing it on costs nothing. It cannot be cloned by
 * `structuredClone`, which takes no proxies.
 * @param note - what is known of it before, see {@link deferredNote}
 * @param compute - gives the items; called at most once
 */
export function deferredList<Item>(note: object, compute: () => readonly Item[]): Item[] {
  return new Proxy<Item[]>([], new DeferredHandler(note, compute))
}

/**
 * The note of a list that has not been computed yet; undefined for every other value. Never computes anything.
 * @param value - any value
 */
export function deferredNote(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { [NOTE]?: unknown })[NOTE] : undefined
}
