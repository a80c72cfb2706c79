import type { KubeObject } from '../../kinds/index.ts'

/** The objects of one resource in one namespace. */
export class Shelf {
  /** Whether a snapshot has it too: then it must not change any more. */
  isShared = false
  readonly #objects: Map<string, KubeObject>
  #names: readonly string[] | undefined
  #list: readonly KubeObject[] | undefined

  constructor(objects: ReadonlyMap<string, KubeObject> = new Map(), names?: readonly string[]) {
    this.#objects = new Map(objects)
    this.#names = names
  }

  get isEmpty(): boolean {
    return this.#objects.size === 0
  }

  get(name: string): KubeObject | undefined {
    return this.#objects.get(name)
  }

  /** All objects by name. */
  list(): readonly KubeObject[] {
    return (this.#list ??= this.#sorted())
  }

  put(object: KubeObject): void {
    const { name } = object.metadata
    if (!this.#objects.has(name)) this.#names = undefined
    this.#list = undefined
    this.#objects.set(name, object)
  }

  remove(name: string): void {
    this.#objects.delete(name)
    this.#names = undefined
    this.#list = undefined
  }

  /** A shelf with the same objects that may be changed. */
  copy(): Shelf {
    return new Shelf(this.#objects, this.#names)
  }

  #sorted(): readonly KubeObject[] {
    this.#names ??= [...this.#objects.keys()].sort()
    const list: KubeObject[] = []
    for (const name of this.#names) {
      const object = this.#objects.get(name)
      if (object !== undefined) list.push(object)
    }
    return list
  }
}
