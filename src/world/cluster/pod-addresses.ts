/** Pods a node's address range holds before the next one is opened. */
const PER_RANGE = 254
/** Nodes share 10.244.0.0/16 in turns: node n gets 10.244.n.0/24, 10.244.(n + 8).0/24, … */
const STRIDE = 8
const RANGES_PER_NODE = 32

/** Hands out pod addresses 10.244.x.y, one block of ranges per node, the longest unused first. */
export class PodAddresses {
  readonly #next = new Map<string, number>()
  readonly #nodes: string[] = []
  readonly #used = new Set<string>()

  /** A free address on that node. */
  take(node: string): string {
    if (!this.#nodes.includes(node)) this.#nodes.push(node)
    const first = this.#nodes.indexOf(node) % STRIDE
    const capacity = PER_RANGE * RANGES_PER_NODE
    for (let tried = 0; tried < capacity; tried++) {
      const index = (this.#next.get(node) ?? 0) % capacity
      this.#next.set(node, index + 1)
      const address = `10.244.${first + STRIDE * Math.floor(index / PER_RANGE)}.${(index % PER_RANGE) + 1}`
      if (this.#used.has(address)) continue
      this.#used.add(address)
      return address
    }
    return `10.244.${first}.255`
  }

  /** Notes an address that is in use already. */
  reserve(address: string): void {
    this.#used.add(address)
  }

  /** Gives an address back. */
  release(address: string): void {
    this.#used.delete(address)
  }
}
