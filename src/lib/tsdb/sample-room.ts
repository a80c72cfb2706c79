/** Samples of one slab: large enough for some hundred series that begin, small enough to be cheap for a few. */
const SLAB_SAMPLES = 4096

/** Samples of the smallest block. */
const BLOCK_LEAST = 8

/** Arrays that many series share. */
interface Slab {
  readonly times: Float64Array
  readonly values: Float64Array
  /** The same memory as `values`: a staleness marker is known by its bits. */
  readonly bits: Uint32Array
}

/** A part of a slab that belongs to one series. */
export interface Block extends Slab {
  readonly start: number
  readonly capacity: number
}

/** The block of a series without samples. */
export const NO_BLOCK: Block = { ...newSlab(0), start: 0, capacity: 0 }

/**
 * Room for the samples of many series: blocks of powers of two cut out of large arrays, since arrays of their own would cost
 * a series that is young more than its samples. Blocks that are given back are cut out again.
 */
export class SampleRoom {
  #slab: Slab = NO_BLOCK
  #used = 0
  readonly #free = new Map<number, Block[]>()

  /** A block for at least that many samples; its content is left over from earlier use. */
  take(samples: number): Block {
    let capacity = BLOCK_LEAST
    while (capacity < samples) capacity *= 2
    const free = this.#free.get(capacity)?.pop()
    if (free !== undefined) return free
    if (capacity > SLAB_SAMPLES) return { ...newSlab(capacity), start: 0, capacity }
    if (this.#used + capacity > this.#slab.times.length) {
      this.#slab = newSlab(SLAB_SAMPLES)
      this.#used = 0
    }
    const { times, values, bits } = this.#slab
    const block = { times, values, bits, start: this.#used, capacity }
    this.#used += capacity
    return block
  }

  /** Takes a block back that nobody reads any more. */
  give(block: Block): void {
    if (block.capacity === 0) return
    const free = this.#free.get(block.capacity)
    if (free === undefined) this.#free.set(block.capacity, [block])
    else free.push(block)
  }
}

function newSlab(samples: number): Slab {
  const values = new Float64Array(samples)
  return { times: new Float64Array(samples), values, bits: new Uint32Array(values.buffer) }
}
