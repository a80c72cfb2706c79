import { BUCKET_LABEL } from './column-names.ts'
import { METRIC_NAME } from './labels.ts'
import type { Matcher } from './matcher.ts'
import type { SampleTable } from './sample-table.ts'
import type { Series } from './series.ts'

/** Entries of one metric from which on further labels are indexed; fewer are looked at one by one. */
const SCAN_MAX = 1000

/** Some columns of a table. */
export interface Posted {
  readonly table: SampleTable
  readonly columns: readonly number[]
}

const NONE: readonly Posted[] = []
const ONLY: readonly number[] = [0]

/** Series by the values of one label, as far as they were looked at. */
interface LabelIndex {
  /** How many of all tables are in it. */
  covered: number
  readonly byValue: Map<string, Posted[]>
}

/**
 * The inverted index: series by metric name, and by any other label once somebody asks for it. Tables are in the order in
 * which they came.
 */
export class Postings {
  /** Every table. */
  all: Posted[] = []
  /** Changes when series have gone: what was learnt by position before no longer holds. */
  epoch = 0
  /** How many series there are. */
  seriesCount = 0
  readonly #byMetric = new Map<string, Posted[]>()
  readonly #indexes = new Map<string, LabelIndex>()
  /** Names of series that have a table of their own. */
  readonly #single = new Set<string>()

  /** Adds a table that is not there yet. */
  add(table: SampleTable): void {
    this.seriesCount += table.width
    const { names } = table
    if (names === undefined) {
      const metric = table.base.metricName
      const posted = { table, columns: ONLY }
      this.all.push(posted)
      this.#single.add(metric)
      this.#post(metric, posted)
      return
    }
    this.all.push({ table, columns: names.list.map((_, column) => column) })
    for (const [metric, columns] of names.byMetric) this.#post(metric, { table, columns })
  }

  /** Whether a series of that name has a table of its own. */
  hasSingle(metric: string): boolean {
    return this.#single.has(metric)
  }

  /** Forgets every table but those. */
  reset(kept: readonly SampleTable[]): void {
    this.epoch++
    this.all = []
    this.seriesCount = 0
    this.#byMetric.clear()
    this.#indexes.clear()
    this.#single.clear()
    for (const table of kept) this.add(table)
  }

  /** Every value a label has. */
  valuesOf(label: string): string[] {
    return label === METRIC_NAME ? [...this.#byMetric.keys()] : [...this.#index(label).byValue.keys()]
  }

  /** Entries among which are all series that pass; further ones are only ever added at the end. */
  candidates(matchers: readonly Matcher[]): readonly Posted[] {
    let narrowest: readonly Posted[] = this.all
    for (const { name, operator, value } of matchers) {
      if (name === METRIC_NAME && operator === '=' && value !== '') narrowest = this.#byMetric.get(value) ?? NONE
    }
    if (narrowest.length <= SCAN_MAX) return narrowest
    for (const { name, operator, value } of matchers) {
      if (operator !== '=' || value === '' || name === METRIC_NAME) continue
      const posted = this.#index(name).byValue.get(value) ?? NONE
      if (posted.length < narrowest.length) narrowest = posted
    }
    return narrowest
  }

  /** Every series that passes all matchers. */
  select(matchers: readonly Matcher[]): Series[] {
    const found: Posted[] = []
    filterInto(found, this.candidates(matchers), 0, new SortedMatchers(matchers))
    return found.flatMap(seriesIn)
  }

  #post(metric: string, posted: Posted): void {
    const known = this.#byMetric.get(metric)
    if (known === undefined) this.#byMetric.set(metric, [posted])
    else known.push(posted)
  }

  #index(label: string): LabelIndex {
    let index = this.#indexes.get(label)
    if (index === undefined) this.#indexes.set(label, (index = { covered: 0, byValue: new Map<string, Posted[]>() }))
    for (; index.covered < this.all.length; index.covered++) {
      const entry = this.all[index.covered]
      if (entry === undefined) continue
      for (const [value, columns] of columnsByValue(entry, label)) {
        const posted = index.byValue.get(value)
        const part = columns === entry.columns ? entry : { table: entry.table, columns }
        if (posted === undefined) index.byValue.set(value, [part])
        else posted.push(part)
      }
    }
    return index
  }
}

/** The columns of a table by the value they have for a label. */
function columnsByValue({ table, columns }: Posted, label: string): Iterable<readonly [string, readonly number[]]> {
  const { names, base } = table
  if (names === undefined || label !== BUCKET_LABEL) {
    const value = base.get(label)
    return value === '' ? [] : [[value, columns]]
  }
  const byBound = new Map<string, number[]>()
  for (const column of columns) {
    const bound = names.ownValue(column, label)
    if (bound !== '') byBound.set(bound, [...(byBound.get(bound) ?? []), column])
  }
  return byBound
}

/** Matchers by what they look at. */
export class SortedMatchers {
  /** Those on labels that the columns of a table share. */
  readonly shared: readonly Matcher[]
  /** Those on names and bounds. */
  readonly own: readonly Matcher[]

  constructor(matchers: readonly Matcher[]) {
    this.shared = matchers.filter(({ name }) => name !== METRIC_NAME && name !== BUCKET_LABEL)
    this.own = matchers.filter(({ name }) => name === METRIC_NAME || name === BUCKET_LABEL)
  }
}

/** The series of an entry. */
export function seriesIn({ table, columns }: Posted): Series[] {
  return columns.map((column) => table.seriesAt(column))
}

/**
 * Adds the entries from a position on, with those of their columns that pass all matchers. What the columns of a table
 * share is looked at once, and neighbours mostly share their list of label names and their columns.
 */
export function filterInto(
  found: Posted[],
  candidates: readonly Posted[],
  from: number,
  { shared, own }: SortedMatchers
): void {
  let names: readonly string[] | undefined
  let places: readonly number[] = []
  let seen: Posted | undefined
  let columns: readonly number[] = []
  for (let position = from; position < candidates.length; position++) {
    const posted = candidates[position]
    if (posted === undefined) continue
    const { base } = posted.table
    if (base.names !== names) {
      names = base.names
      places = shared.map((matcher) => base.names.indexOf(matcher.name))
    }
    let passes = true
    for (let index = 0; index < places.length && passes; index++) {
      passes = shared[index]?.matches(base.valueAt(places[index] ?? -1)) === true
    }
    if (!passes) continue
    if (seen === undefined || !haveSameColumns(seen, posted)) columns = passingColumns(posted, own)
    seen = posted
    if (columns.length > 0) found.push(columns === posted.columns ? posted : { table: posted.table, columns })
  }
}

/** Whether the columns of two entries have the same names and bounds. */
export function haveSameColumns(left: Posted, right: Posted): boolean {
  const { names } = left.table
  return names !== undefined && names === right.table.names && left.columns === right.columns
}

/** The columns whose name and bound pass. */
function passingColumns({ table, columns }: Posted, matchers: readonly Matcher[]): readonly number[] {
  const { names, base } = table
  const passing = columns.filter((column) =>
    matchers.every((matcher) => {
      const { name } = matcher
      return matcher.matches(names === undefined ? base.get(name) : names.ownValue(column, name))
    })
  )
  return passing.length === columns.length ? columns : passing
}
