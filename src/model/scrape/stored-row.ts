import {
  ColumnNames,
  type Labels,
  type SampleTable,
  type Series,
  type SeriesName,
  type Tsdb
} from '../../lib/tsdb/index.ts'

/** A series with the place of its value in a row. */
interface Placed {
  readonly series: Series
  readonly place: number
}

/**
 * Series that get their samples together: rows of one table as long as nothing else writes to one of them, from then on
 * each for itself.
 */
export class StoredRow {
  readonly #db: Tsdb
  #table: SampleTable | undefined
  #alone: readonly Placed[]

  /**
   * @param base - what the series have in common; undefined: their labels have nothing to do with each other
   * @param list - their names and bounds
   * @param labelsOf - the whole label set of one; undefined: it is not stored
   */
  constructor(
    db: Tsdb,
    base: Labels | undefined,
    list: readonly SeriesName[],
    labelsOf: (name: SeriesName) => Labels | undefined
  ) {
    this.#db = db
    this.#table = base === undefined || !ColumnNames.fit(base) ? undefined : db.table(base, list)
    this.#alone = this.#table === undefined ? placed(db, list.map(labelsOf)) : []
  }

  /** How many series are stored. */
  get size(): number {
    return this.#table?.width ?? this.#alone.length
  }

  /** The series that are stored. */
  series(): Series[] {
    const table = this.#table
    if (table === undefined) return this.#alone.map(({ series }) => series)
    return Array.from({ length: table.width }, (_, column) => table.seriesAt(column))
  }

  /** Appends a sample to each. @param values - theirs from `place` on */
  append(timeMs: number, values: readonly number[], place: number): void {
    const table = this.#together()
    if (table !== undefined) this.#db.appendRow(table, timeMs, values, place)
    else for (const one of this.#alone) this.#db.appendTo(one.series, timeMs, values[place + one.place] ?? Number.NaN)
  }

  /** Marks each as stale. */
  appendStale(timeMs: number): void {
    const table = this.#together()
    if (table !== undefined) this.#db.appendRow(table, timeMs)
    else for (const { series } of this.#alone) this.#db.appendStaleTo(series, timeMs)
  }

  #together(): SampleTable | undefined {
    if (this.#table?.dissolved !== true) return this.#table
    this.#alone = this.series().map((series, place) => ({ series, place }))
    this.#table = undefined
    return undefined
  }
}

function placed(db: Tsdb, sets: readonly (Labels | undefined)[]): Placed[] {
  return sets.flatMap((labels, place) => (labels === undefined ? [] : [{ series: db.series(labels), place }]))
}
