import type { Labels } from './labels.ts'
import { type Block, NO_BLOCK, type SampleRoom } from './sample-room.ts'

/** Bits of the NaN that marks a series as stale, low word first. @see Prometheus model/value/value.go, v2.55.1 */
const STALE_LOW = 2
const STALE_HIGH = 0x7ff00000

/**
 * The samples of one label set in time order. Reads go straight to the typed arrays between {@link Series.from} and
 * {@link Series.to}; nothing is copied, and the arrays hold other series' samples as well. A staleness marker is a NaN of
 * its own bits, so ask {@link Series.isStale}.
 */
export class Series {
  readonly labels: Labels
  /** Times in ms since the epoch. */
  times: Float64Array
  values: Float64Array
  /** Index of the first retained sample. */
  from = 0
  /** Index after the last sample. */
  to = 0
  /** How many staleness markers are retained (0: every sample is a value). */
  staleCount = 0
  /** Another series whose label set has the same hash. */
  sibling: Series | undefined
  private readonly room: SampleRoom
  private block: Block
  /** Index after the block. */
  private end = 0

  /** @param room - where its samples are kept */
  constructor(labels: Labels, room: SampleRoom) {
    this.labels = labels
    this.room = room
    this.block = NO_BLOCK
    this.times = NO_BLOCK.times
    this.values = NO_BLOCK.values
    this.sibling = undefined
  }

  /** Time of the newest sample; -Infinity when empty. */
  get lastTime(): number {
    return this.to > this.from ? (this.times[this.to - 1] ?? -Infinity) : -Infinity
  }

  /** Whether the sample at an index is a staleness marker. */
  isStale(index: number): boolean {
    if (this.staleCount === 0) return false
    const { bits } = this.block
    return bits[2 * index] === STALE_LOW && bits[2 * index + 1] === STALE_HIGH
  }

  /** Whether the newest sample is a staleness marker. */
  get endsStale(): boolean {
    return this.to > this.from && this.isStale(this.to - 1)
  }

  /** Adds a sample newer than all others; callers check the order. */
  push(timeMs: number, value: number): void {
    if (this.to === this.end) this.makeRoom()
    this.times[this.to] = timeMs
    this.values[this.to] = value
    this.to++
  }

  /** Adds a staleness marker. */
  pushStale(timeMs: number): void {
    this.push(timeMs, Number.NaN)
    const { bits } = this.block
    bits[2 * (this.to - 1)] = STALE_LOW
    bits[2 * (this.to - 1) + 1] = STALE_HIGH
    this.staleCount++
  }

  /** Index of the first sample at or after a time (`to` when there is none). */
  indexAtOrAfter(timeMs: number): number {
    const times = this.times
    let low = this.from
    let high = this.to
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((times[middle] ?? 0) < timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Forgets samples older than a time. */
  truncate(beforeMs: number): void {
    const keep = this.indexAtOrAfter(beforeMs)
    for (let index = this.from; index < keep && this.staleCount > 0; index++) if (this.isStale(index)) this.staleCount--
    this.from = keep
  }

  /** Forgets every sample and the room they took. */
  clear(): void {
    this.room.give(this.block)
    this.settle(NO_BLOCK, 0)
    this.staleCount = 0
  }

  /** Moves what is retained to the start of a block that has room for as much again. */
  private makeRoom(): void {
    const length = this.to - this.from
    const before = this.block
    const block = this.room.take(2 * length)
    block.times.set(before.times.subarray(this.from, this.to), block.start)
    block.bits.set(before.bits.subarray(2 * this.from, 2 * this.to), 2 * block.start)
    this.room.give(before)
    this.settle(block, length)
  }

  private settle(block: Block, length: number): void {
    this.block = block
    this.times = block.times
    this.values = block.values
    this.from = block.start
    this.to = block.start + length
    this.end = block.start + block.capacity
  }
}
