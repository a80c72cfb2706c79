import { compareLabels, type Labels } from './labels.ts'
import type { Matcher } from './matcher.ts'
import { filterInto, haveSameColumns, type Posted, type Postings, seriesIn, SortedMatchers } from './postings.ts'
import type { Series } from './series.ts'

/** The series that pass some matchers, sorted by labels; each is looked at once, when it has come. */
export class Selection {
  readonly #postings: Postings
  readonly #matchers: readonly Matcher[]
  readonly #sorted: SortedMatchers
  readonly #passing: Posted[] = []
  #found: readonly Series[] = []
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
      this.#passing.length = 0
      this.#found = []
      this.#looked = 0
      this.#candidates = candidates
      this.#epoch = this.#postings.epoch
    }
    if (this.#looked === candidates.length) return this.#found
    const before = this.#passing.length
    filterInto(this.#passing, candidates, this.#looked, this.#sorted)
    this.#looked = candidates.length
    if (this.#passing.length > before) this.#found = inOrder(this.#passing)
    return this.#found
  }
}

/** The series of entries, by their labels. */
function inOrder(entries: Posted[]): Series[] {
  const [first] = entries
  const isAlike = first !== undefined && entries.every((entry) => entry === first || haveSameColumns(first, entry))
  if (!isAlike || first.table.names?.isRun(first.columns) !== true) return entries.flatMap(seriesIn).sort(compareSeries)
  return alikeInOrder(entries, first.columns)
}

/**
 * The series of tables that have the same buckets, by their labels. Such tables are in the order of any one of their
 * buckets. Where they differ in a label before the bound, one follows after the other; where they differ in a later one
 * only, their buckets alternate.
 */
function alikeInOrder(entries: Posted[], columns: readonly number[]): Series[] {
  const lowest = columns[0] ?? 0
  const highest = columns[columns.length - 1] ?? 0
  const labelsOf = ({ table }: Posted, column: number): Labels => table.seriesAt(column).labels
  const follows = (before: Posted, entry: Posted): boolean =>
    compareLabels(labelsOf(before, highest), labelsOf(entry, lowest)) < 0
  entries.sort((left, right) => compareLabels(labelsOf(left, lowest), labelsOf(right, lowest)))
  const runs: Posted[][] = []
  for (const entry of entries) {
    const run = runs[runs.length - 1]
    const before = run?.[run.length - 1]
    if (run === undefined || before === undefined || follows(before, entry)) runs.push([entry])
    else run.push(entry)
  }
  const found: Series[] = []
  for (const run of runs) {
    for (const column of columns) for (const { table } of run) found.push(table.seriesAt(column))
  }
  return found
}

/** Order of series by their labels; what neighbours in a table share need not be compared. */
function compareSeries(left: Series, right: Series): number {
  const { table } = left
  const order = table === right.table ? table.names?.compare(left.column, right.column) : undefined
  return order ?? compareLabels(left.labels, right.labels)
}
