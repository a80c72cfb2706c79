import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** A seeded stream of draws that belongs to one consumer. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  next(): number
  /** Uniform whole number in [0, below). */
  integer(below: number): number
  /** Exponential with that mean (gaps of Poisson arrivals). */
  exponential(mean: number): number
  /** Standard normal. */
  normal(): number
}

/**
 * A stream for one consumer: the same seed and keys give the same draws, whatever other consumers do.
 * @param seed - the run's seed
 * @param keys - names of the consumer, e.g. `'split'`, the client's name
 */
export function randomStream(seed: number, ...keys: readonly (string | number)[]): Random {
  const generator = xoroshiro128plus(hashKeys(seed, keys))
  const next = (): number => {
    const high = generator.next() >>> 5
    const low = generator.next() >>> 6
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }
  return {
    next,
    integer: (below) => Math.floor(next() * below),
    exponential: (mean) => -mean * Math.log(1 - next()),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  }
}

/**
 * One draw in [0, 1) for one consumer and index: independent of the order in which indices are asked for,
 * so that it does not matter which socket answers first.
 */
export function draw(seed: number, index: number, ...keys: readonly (string | number)[]): number {
  let state = (hashKeys(seed, keys) ^ Math.imul(index + 1, 0x9e3779b1)) | 0
  const high = mix(state) >>> 5
  state = (state + 0x6d2b79f5) | 0
  const low = mix(state) >>> 6
  return (high * 67_108_864 + low) / 9_007_199_254_740_992
}

/** FNV-1a over the keys, started from the seed. */
function hashKeys(seed: number, keys: readonly (string | number)[]): number {
  let hash = (0x811c9dc5 ^ seed) | 0
  for (const key of keys) {
    const text = String(key)
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
    // Each ends with a character of no text.
    hash = Math.imul(hash, 0x01000193)
  }
  return mix(hash)
}

/** A 32-bit finaliser (murmur3's), so that neighbouring inputs give unrelated outputs. */
function mix(value: number): number {
  let mixed = value
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
