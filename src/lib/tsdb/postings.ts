import { METRIC_NAME } from './labels.ts'
import type { Matcher } from './matcher.ts'
import type { Series } from './series.ts'

/** Series of one metric from which on further labels are indexed; fewer are looked at one by one. */
const SCAN_MAX = 1000

const NONE: readonly Series[] = []

/** Series by the values of one label, as far as they were looked at. */
interface LabelIndex {
  /** How many of all series are in it. */
  covered: number
  readonly byValue: Map<string, Series[]>
}

/**
 * The inverted index: series by metric name, and by any other label once somebody asks for it. Series are in the order in
 * which they came.
 */
export class Postings {
  /** Every series. */
  all: Series[] = []
  /** Changes when series have gone: what was learnt by position before no longer holds. */
  epoch = 0
  readonly #byMetric = new Map<string, Series[]>()
  readonly #indexes = new Map<string, LabelIndex>()

  /** Adds a series that is not there yet. */
  add(series: Series): void {
    this.all.push(series)
    const metric = series.labels.metricName
    const posted = this.#byMetric.get(metric)
    if (posted === undefined) this.#byMetric.set(metric, [series])
    else posted.push(series)
  }

  /** Forgets every series but those. */
  reset(kept: readonly Series[]): void {
    this.epoch++
    this.all = []
    this.#byMetric.clear()
    this.#indexes.clear()
    for (const series of kept) this.add(series)
  }

  /** Every value a label has. */
  valuesOf(label: string): string[] {
    return [...this.#index(label).byValue.keys()]
  }

  /** Series among which are all that pass; further ones are only ever added at the end. */
  candidates(matchers: readonly Matcher[]): readonly Series[] {
    let narrowest: readonly Series[] = this.all
    for (const { name, operator, value } of matchers) {
      if (name === METRIC_NAME && operator === '=' && value !== '') narrowest = this.#byMetric.get(value) ?? NONE
    }
    if (narrowest.length <= SCAN_MAX) return narrowest
    for (const { name, operator, value } of matchers) {
      if (operator !== '=' || value === '') continue
      const posted = this.#index(name).byValue.get(value) ?? NONE
      if (posted.length < narrowest.length) narrowest = posted
    }
    return narrowest
  }

  /** Every series that passes all matchers. */
  select(matchers: readonly Matcher[]): Series[] {
    const found: Series[] = []
    filterInto(found, this.candidates(matchers), 0, matchers)
    return found
  }

  #index(label: string): LabelIndex {
    let index = this.#indexes.get(label)
    if (index === undefined) this.#indexes.set(label, (index = { covered: 0, byValue: new Map<string, Series[]>() }))
    for (; index.covered < this.all.length; index.covered++) {
      const series = this.all[index.covered]
      const value = series?.labels.get(label) ?? ''
      if (series === undefined || value === '') continue
      const posted = index.byValue.get(value)
      if (posted === undefined) index.byValue.set(value, [series])
      else posted.push(series)
    }
    return index
  }
}

/** Adds the series from a position on that pass all matchers. Neighbours mostly share their list of label names. */
export function filterInto(
  found: Series[],
  candidates: readonly Series[],
  from: number,
  matchers: readonly Matcher[]
): void {
  let names: readonly string[] | undefined
  let places: readonly number[] = []
  for (let position = from; position < candidates.length; position++) {
    const series = candidates[position]
    if (series === undefined) continue
    const { labels } = series
    if (labels.names !== names) {
      names = labels.names
      places = matchers.map((matcher) => labels.names.indexOf(matcher.name))
    }
    let passes = true
    for (let index = 0; index < places.length && passes; index++) {
      passes = matchers[index]?.matches(labels.values[places[index] ?? -1] ?? '') === true
    }
    if (passes) found.push(series)
  }
}
