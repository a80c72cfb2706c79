import type { Labels } from './labels.ts'

/** Bits of the NaN that marks a series as stale, low word first. @see Prometheus model/value/value.go, v2.55.1 */
const STALE_LOW = 2
const STALE_HIGH = 0x7ff00000
const CAPACITY_FIRST = 32

/**
 * The samples of one label set in time order. Reads go straight to the typed arrays between {@link Series.from} and
 * {@link Series.to}; nothing is copied. A staleness marker is a NaN of its own bits, so ask {@link Series.isStale}.
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
  private bits: Uint32Array

  constructor(labels: Labels) {
    this.labels = labels
    this.times = new Float64Array(CAPACITY_FIRST)
    this.values = new Float64Array(CAPACITY_FIRST)
    this.bits = new Uint32Array(this.values.buffer)
  }

  /** Time of the newest sample; -Infinity when empty. */
  get lastTime(): number {
    return this.to > this.from ? (this.times[this.to - 1] ?? -Infinity) : -Infinity
  }

  /** Whether the sample at an index is a staleness marker. */
  isStale(index: number): boolean {
    return this.staleCount > 0 && this.bits[2 * index] === STALE_LOW && this.bits[2 * index + 1] === STALE_HIGH
  }

  /** Whether the newest sample is a staleness marker. */
  get endsStale(): boolean {
    return this.to > this.from && this.isStale(this.to - 1)
  }

  /** Adds a sample newer than all others; callers check the order. */
  push(timeMs: number, value: number): void {
    if (this.to === this.times.length) this.makeRoom()
    this.times[this.to] = timeMs
    this.values[this.to] = value
    this.to++
  }

  /** Adds a staleness marker. */
  pushStale(timeMs: number): void {
    this.push(timeMs, Number.NaN)
    this.bits[2 * (this.to - 1)] = STALE_LOW
    this.bits[2 * (this.to - 1) + 1] = STALE_HIGH
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

  private makeRoom(): void {
    const length = this.to - this.from
    const capacity = length * 2 > this.times.length ? this.times.length * 2 : this.times.length
    const times = new Float64Array(capacity)
    const bits = new Uint32Array(capacity * 2)
    times.set(this.times.subarray(this.from, this.to))
    bits.set(this.bits.subarray(2 * this.from, 2 * this.to))
    this.times = times
    this.bits = bits
    this.values = new Float64Array(bits.buffer)
    this.from = 0
    this.to = length
  }
}
