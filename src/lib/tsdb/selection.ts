import { compareLabels } from './labels.ts'
import type { Matcher } from './matcher.ts'
import { filterInto, type Posted, type Postings, SortedMatchers } from './postings.ts'
import type { Series } from './series.ts'

/** The series that pass some matchers, sorted by labels; each is looked at once, when it has come. */
export class Selection {
  readonly #postings: Postings
  readonly #matchers: readonly Matcher[]
  readonly #sorted: SortedMatchers
  #found: Series[] = []
  #candidates: readonly Posted[] | undefined
  #epoch = -1
  #looked = 0

  constructor(postings: Postings, matchers: readonly Matcher[]) {
    this.#postings = postings
    this.#matchers = matchers
    this.#sorted = new SortedMatchers(matchers)
  }

  /** The series that pass now. The list must not be changed and holds until the next call. */
  series(): readonly Series[] {
    const candidates = this.#postings.candidates(this.#matchers)
    if (candidates !== this.#candidates || this.#epoch !== this.#postings.epoch) {
      this.#found = []
      this.#looked = 0
      this.#candidates = candidates
      this.#epoch = this.#postings.epoch
    }
    if (this.#looked === candidates.length) return this.#found
    const before = this.#found.length
    filterInto(this.#found, candidates, this.#looked, this.#sorted)
    this.#looked = candidates.length
    if (this.#found.length > before) this.#found.sort(compareSeries)
    return this.#found
  }
}

/** Order of series by their labels; what neighbours in a table share need not be compared. */
function compareSeries(left: Series, right: Series): number {
  const { table } = left
  const order = table === right.table ? table.names?.compare(left.column, right.column) : undefined
  return order ?? compareLabels(left.labels, right.labels)
}
