import { BUCKET_LABEL, Labels, METRIC_NAME, type Series, type Tsdb } from '../../lib/tsdb/index.ts'
import type { CounterFamily, CounterGroup } from './counter-book.ts'
import { storedBase, storedLabels } from './stored-labels.ts'
import type { Target } from './target.ts'

/** What is known of a group: where the value at each place goes. */
interface Held {
  /** Families looked at. */
  families: number
  /** Series by the place of their values, dropped ones left out. */
  readonly series: Series[]
  readonly places: number[]
  /** Values looked at. */
  seen: number
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
  readonly #own: Labels
  readonly #held = new Map<CounterGroup, Held>()

  constructor(db: Tsdb, target: Target) {
    this.#db = db
    this.#target = target
    this.#own = Labels.of(target.labels)
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
      if (held.families < group.families.length) added += this.#learn(held, group.families, moved)
      scraped += held.seen
      kept += held.series.length
      this.#db.appendRow(held, group.values, timeMs)
    }
    return { scraped, kept, added }
  }

  /** Marks the series of groups that this scrape did not have as stale. */
  markVanished(timeMs: number, scrape: number): void {
    for (const [group, { lastScrape, series }] of this.#held) {
      if (lastScrape === scrape) continue
      for (const one of series) this.#db.appendStaleTo(one, timeMs)
      this.#held.delete(group)
    }
  }

  #heldOf(group: CounterGroup): Held {
    let held = this.#held.get(group)
    if (held === undefined) {
      held = { families: 0, series: [], places: [], seen: 0, lastScrape: 0 }
      this.#held.set(group, held)
    }
    return held
  }

  /** Series of groups that have gone: those that another group brings again have not come anew. */
  #seriesMissingFrom(scrape: number): ReadonlySet<Series> {
    const missing = new Set<Series>()
    for (const { lastScrape, series } of this.#held.values()) {
      if (lastScrape !== scrape) for (const one of series) missing.add(one)
    }
    return missing
  }

  /** Finds the series of families that are new. @returns how many there are */
  #learn(held: Held, families: readonly CounterFamily[], moved: ReadonlySet<Series>): number {
    let added = 0
    for (; held.families < families.length; held.families++) {
      const family = families[held.families]
      if (family === undefined) continue
      const base = storedBase(family.labels, this.#target, this.#own)
      for (const { name, bound } of family.series) {
        const labels = base?.named(name, bound) ?? storedLabels(exposedLabels(family, name, bound), this.#target)
        if (labels !== undefined) {
          const series = this.#db.series(labels)
          held.series.push(series)
          held.places.push(held.seen)
          if (!moved.has(series)) added++
        }
        held.seen++
      }
    }
    return added
  }
}

/** The labels of a series as a body would show them. */
export function exposedLabels(family: CounterFamily, name: string, bound: string | undefined): Labels {
  const named = family.labels.with(METRIC_NAME, name)
  return bound === undefined ? named : named.with(BUCKET_LABEL, bound)
}
