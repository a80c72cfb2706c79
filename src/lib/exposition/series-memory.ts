import type { Labels } from '../tsdb/index.ts'

const SERIES_MAX = 100_000

/**
 * What a reader remembers of a target from body to body: the label set of each series text, and the order of the last
 * body. Bodies of one target mostly repeat their series in order, so the next line is compared with the one expected,
 * which costs no allocation and no hashing.
 */
export class SeriesMemory {
  private readonly labelsByText = new Map<string, Labels>()
  private previous: string[] = []
  private current: string[] = []
  private cursor = 0

  /** Number of series known. */
  get size(): number {
    return this.labelsByText.size
  }

  /** Begins a body. */
  begin(): void {
    if (this.labelsByText.size > SERIES_MAX) {
      this.labelsByText.clear()
      this.current = []
    }
    this.previous = this.current
    this.current = []
    this.cursor = 0
  }

  /** The series text that stood here in the last body; undefined when there is none. */
  get expected(): string | undefined {
    return this.previous[this.cursor]
  }

  /** Label set of a series text seen before. */
  labelsOf(series: string): Labels | undefined {
    return this.labelsByText.get(series)
  }

  /** Notes a series of this body. */
  note(series: string, labels: Labels): void {
    if (this.previous[this.cursor] === series) this.cursor++
    else this.labelsByText.set(series, labels)
    this.current.push(series)
  }
}
