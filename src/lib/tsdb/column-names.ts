import { invariant } from '../errors/index.ts'
import { type Labels, METRIC_NAME, pairHash, type Shape, shapeWith } from './labels.ts'

/** Label that tells the buckets of a histogram apart. */
export const BUCKET_LABEL = 'le'

/** What a series has beside the labels that it shares with its neighbours. */
export interface SeriesName {
  /** Metric name. */
  readonly name: string
  /** Upper bound of a bucket, as exposed (`le`). */
  readonly bound?: string
}

/** Where a metric name, and where a bound as well, go in a set that has neither. */
interface Places {
  readonly plain: Shape
  bucket: Shape | undefined
}

/** Few lists of label names come again and again. */
const placesOf = new WeakMap<readonly string[], Places>()

/** Lists of names are the same for many tables: what follows from one is found once. */
const known = new WeakMap<readonly SeriesName[], ColumnNames>()

/** What tells the columns of a table apart. */
export class ColumnNames {
  readonly list: readonly SeriesName[]
  /** Columns by metric name, ordered by the text of their bounds as label sets are. */
  readonly byMetric: ReadonlyMap<string, readonly number[]>
  /** What name and bound add to the hash of the labels that are shared, by column. */
  readonly #hashes: readonly number[]
  /** Values of name and bound, by column. */
  readonly #values: readonly (readonly string[])[]

  private constructor(list: readonly SeriesName[]) {
    this.list = list
    this.#hashes = list.map(({ name, bound }) => {
      const added = bound === undefined ? 0 : pairHash(BUCKET_LABEL, bound)
      return (pairHash(METRIC_NAME, name) + added) | 0
    })
    this.#values = list.map(({ name, bound }) => (bound === undefined ? [name] : [name, bound]))
    const byMetric = new Map<string, number[]>()
    list.forEach(({ name }, column) => {
      const columns = byMetric.get(name)
      if (columns === undefined) byMetric.set(name, [column])
      else columns.push(column)
    })
    for (const columns of byMetric.values())
      columns.sort((left, right) => compareText(this.#bound(left), this.#bound(right)))
    this.byMetric = byMetric
  }

  /** @param list - not to be changed any more; no name twice with the same bound */
  static of(list: readonly SeriesName[]): ColumnNames {
    let made = known.get(list)
    if (made === undefined) known.set(list, (made = new ColumnNames(list)))
    return made
  }

  /** Whether columns can be made beside those labels. */
  static fit(labels: Labels): boolean {
    return !labels.has(METRIC_NAME) && !labels.has(BUCKET_LABEL)
  }

  /** The column of a name and bound; -1: there is none. @param bound - empty text: none */
  columnOf(name: string, bound: string): number {
    return this.byMetric.get(name)?.find((column) => this.#bound(column) === bound) ?? -1
  }

  /** Whether some column has the name and bound of one of the others. */
  overlaps(other: ColumnNames): boolean {
    return other.list.some(({ name, bound = '' }) => this.columnOf(name, bound) >= 0)
  }

  /** Order of two columns of a table by their label sets; undefined where one alone has a bound. */
  compare(left: number, right: number): number | undefined {
    const own = this.list[left]
    const other = this.list[right]
    if (own === undefined || other === undefined || (own.bound === undefined) !== (other.bound === undefined))
      return undefined
    return compareText(own.name, other.name) || compareText(own.bound ?? '', other.bound ?? '')
  }

  /** Whether columns of a table are one series, or buckets of one metric in the order of their label sets. */
  isRun(columns: readonly number[]): boolean {
    for (let place = 1; place < columns.length; place++) {
      const before = columns[place - 1] ?? -1
      const column = columns[place] ?? -1
      if (this.list[before]?.name !== this.list[column]?.name || !((this.compare(before, column) ?? 0) < 0))
        return false
    }
    return true
  }

  /** Value that a column has for the name or the bound; empty text: none. */
  ownValue(column: number, label: string): string {
    const own = this.list[column]
    return (label === METRIC_NAME ? own?.name : own?.bound) ?? ''
  }

  /** The label set of a column. @param base - what the columns have in common */
  labelsAt(base: Labels, column: number): Labels {
    const values = this.#values[column] ?? []
    const hash = this.#hashes[column] ?? 0
    const places = placesIn(base)
    if (values.length === 1) return base.spliced(places.plain, values, hash)
    places.bucket ??= shapeFor(base.names, [METRIC_NAME, BUCKET_LABEL])
    return base.spliced(places.bucket, values, hash)
  }

  #bound(column: number): string {
    return this.list[column]?.bound ?? ''
  }
}

function placesIn({ names }: Labels): Places {
  let places = placesOf.get(names)
  if (places === undefined) placesOf.set(names, (places = { plain: shapeFor(names, [METRIC_NAME]), bucket: undefined }))
  return places
}

function shapeFor(names: readonly string[], added: readonly string[]): Shape {
  const shape = shapeWith(names, added)
  invariant(shape !== undefined, 'columns beside labels that have a name or a bound')
  return shape
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
