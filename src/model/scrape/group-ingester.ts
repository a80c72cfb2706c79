import {
  BUCKET_LABEL,
  type Labels,
  METRIC_NAME,
  type Series,
  type SeriesName,
  type Tsdb
} from '../../lib/tsdb/index.ts'
import type { CounterFamily, CounterGroup } from './counter-book.ts'
import { storedBase, storedLabels } from './stored-labels.ts'
import { StoredRow } from './stored-row.ts'
import type { Target } from './target.ts'

/** A family's series. */
interface HeldFamily {
  readonly row: StoredRow
  /** Place of the family's first value. */
  readonly place: number
}

/** What is known of a group: where the value at each place goes. */
interface Held {
  readonly families: HeldFamily[]
  /** Values looked at, and those that are kept. */
  seen: number
  kept: number
  /** Number of the scrape that last had it. */
  lastScrape: number
}

/** What was stored of a scrape. */
export interface StoredCounts {
  readonly scraped: number
  readonly kept: number
  readonly added: number
}

const NONE: ReadonlySet<Series> = new Set()

/**
 * Stores counters of a target in the same process straight from where they are counted: the same series under the same
 * labels with the same samples and staleness markers as if they had been printed, parsed and ingested.
 */
export class GroupIngester {
  readonly #db: Tsdb
  readonly #target: Target
  readonly #held = new Map<CounterGroup, Held>()

  constructor(db: Tsdb, target: Target) {
    this.#db = db
    this.#target = target
  }

  /** Stores what the groups have counted. @param scrape - number of the scrape */
  store(groups: Iterable<CounterGroup>, timeMs: number, scrape: number): StoredCounts {
    const before = this.#held.size
    let known = 0
    for (const group of groups) {
      const held = this.#held.get(group)
      if (held === undefined) continue
      held.lastScrape = scrape
      known++
    }
    const moved = known < before ? this.#seriesMissingFrom(scrape) : NONE
    let scraped = 0
    let kept = 0
    let added = 0
    for (const group of groups) {
      const held = this.#heldOf(group)
      held.lastScrape = scrape
      if (held.families.length < group.families.length) added += this.#learn(held, group.families, moved)
      scraped += held.seen
      kept += held.kept
      for (const { row, place } of held.families) row.append(timeMs, group.values, place)
    }
    return { scraped, kept, added }
  }

  /** Marks the series of groups that this scrape did not have as stale. */
  markVanished(timeMs: number, scrape: number): void {
    for (const [group, { lastScrape, families }] of this.#held) {
      if (lastScrape === scrape) continue
      for (const { row } of families) row.appendStale(timeMs)
      this.#held.delete(group)
    }
  }

  #heldOf(group: CounterGroup): Held {
    let held = this.#held.get(group)
    if (held === undefined) {
      held = { families: [], seen: 0, kept: 0, lastScrape: 0 }
      this.#held.set(group, held)
    }
    return held
  }

  /** Series of groups that have gone: those that another group brings again have not come anew. */
  #seriesMissingFrom(scrape: number): ReadonlySet<Series> {
    const missing = new Set<Series>()
    for (const { lastScrape, families } of this.#held.values()) {
      if (lastScrape === scrape) continue
      for (const { row } of families) for (const series of row.series()) missing.add(series)
    }
    return missing
  }

  /** Finds the series of families that are new. @returns how many there are */
  #learn(held: Held, families: readonly CounterFamily[], moved: ReadonlySet<Series>): number {
    let added = 0
    for (let index = held.families.length; index < families.length; index++) {
      const family = families[index]
      if (family === undefined) continue
      const target = this.#target
      const base = storedBase(family.labels, target, target.labelSet)
      const row = new StoredRow(this.#db, base, family.series, (name) =>
        storedLabels(exposedLabels(family, name), target)
      )
      held.families.push({ row, place: held.seen })
      held.seen += family.series.length
      held.kept += row.size
      added += moved.size === 0 ? row.size : row.series().filter((series) => !moved.has(series)).length
    }
    return added
  }
}

/** The labels of a series as a body would show them. */
export function exposedLabels(family: CounterFamily, { name, bound }: SeriesName): Labels {
  const named = family.labels.with(METRIC_NAME, name)
  return bound === undefined ? named : named.with(BUCKET_LABEL, bound)
}
