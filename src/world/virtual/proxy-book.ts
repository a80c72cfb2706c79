import type { ExpositionSample } from '../../lib/exposition/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import { Labels } from '../../lib/tsdb/index.ts'
import type { LabelList, ResponseVerdict } from '../../model/mesh/index.ts'
import { BOUNDS_MS, type LatencyBatch } from './latency.ts'

/** How long an idle target's series stay, milliseconds. @see linkerd2-proxy v2.366.0 retain_idle */
const RETAIN_IDLE_MS = 600_000

/** A sample whose value grows in place: made once, handed to each scrape. */
interface Counter extends ExpositionSample {
  value: number
}

interface Histogram {
  readonly buckets: readonly Counter[]
  readonly count: Counter
  readonly sum: Counter
}

/** Labels of a target sorted by name and without empty values, as series keep them, beside their text. */
interface SortedLabels {
  readonly names: readonly string[]
  readonly values: readonly string[]
  readonly text: string
}

function sorted(labels: LabelList): SortedLabels {
  const kept = labels.filter(([, value]) => value !== '').toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    names: kept.map(([name]) => name),
    values: kept.map(([, value]) => value),
    text: labels.map(([name, value]) => `${name}="${value}"`).join(',')
  }
}

function counter(name: string, base: SortedLabels, le?: string): Counter {
  const { names, values, text } = base
  const at = le === undefined ? 0 : names.findIndex((label) => label > 'le')
  const place = at < 0 ? names.length : at
  const withLe = (list: readonly string[], inserted: string): readonly string[] =>
    le === undefined ? list : [...list.slice(0, place), inserted, ...list.slice(place)]
  // The name of the metric sorts before every label.
  const labels = Labels.fromSorted(['__name__', ...withLe(names, 'le')], [name, ...withLe(values, le ?? '')])
  const series = le === undefined ? `${name}{${text}}` : `${name}{${text},le="${le}"}`
  return { series, labels, value: 0, timestampMs: undefined }
}

/** The request counters of one label set of a proxy: `request_total`, `response_latency_ms`, `response_total`. */
export class TargetCounters {
  lastUpdate: Instant
  readonly samples: ExpositionSample[] = []
  readonly #labels: LabelList
  readonly #requests: Counter
  readonly #latencies = new Map<number | undefined, Histogram>()
  readonly #responses = new Map<string, Counter>()

  constructor(labels: LabelList, now: Instant) {
    this.#labels = labels
    this.lastUpdate = now
    this.#requests = this.#born(counter('request_total', sorted(labels)))
  }

  /** Counts requests at their dispatch. */
  request(count: number, now: Instant): void {
    this.#requests.value += count
    this.lastUpdate = now
  }

  /** Observes latencies. @param status - undefined: the series of failures before any header, which stays zero */
  latency(status: number | undefined, batch: LatencyBatch | undefined, now: Instant): void {
    let histogram = this.#latencies.get(status)
    if (histogram === undefined) {
      histogram = this.#newHistogram(status)
      this.#latencies.set(status, histogram)
    }
    this.lastUpdate = now
    if (batch === undefined) return
    const { buckets, count, sum } = histogram
    for (const [index, number] of batch.counts) {
      for (let above = index; above < buckets.length; above++) {
        const bucket = buckets[above]
        if (bucket !== undefined) bucket.value += number
      }
      count.value += number
    }
    sum.value += batch.sumMs
  }

  /** Counts responses at their end. */
  response(verdict: ResponseVerdict, count: number, now: Instant): void {
    const { status, success, grpcStatus, error } = verdict
    const key = `${status ?? ''} ${success} ${grpcStatus ?? ''} ${error ?? ''}`
    let found = this.#responses.get(key)
    if (found === undefined) {
      found = this.#born(
        counter(
          'response_total',
          sorted([
            ...this.#labels,
            ...statusLabel(status),
            ['classification', success ? 'success' : 'failure'],
            ['grpc_status', String(grpcStatus ?? '')],
            ['error', error ?? '']
          ])
        )
      )
      this.#responses.set(key, found)
    }
    found.value += count
    this.lastUpdate = now
  }

  #newHistogram(status: number | undefined): Histogram {
    const labels = sorted([...this.#labels, ...statusLabel(status)])
    const bounds = [...BOUNDS_MS.map(String), '+Inf']
    const buckets = bounds.map((bound) => this.#born(counter('response_latency_ms_bucket', labels, bound)))
    return {
      buckets,
      count: this.#born(counter('response_latency_ms_count', labels)),
      sum: this.#born(counter('response_latency_ms_sum', labels))
    }
  }

  #born(sample: Counter): Counter {
    this.samples.push(sample)
    return sample
  }
}

function statusLabel(status: number | undefined): LabelList {
  return status === undefined ? [] : [['status_code', String(status)]]
}

/** What one proxy has counted, as a scrape gets it. */
export class ProxyBook {
  readonly #targets = new Map<string, TargetCounters>()

  /** The counters of a target, made at zero when new. @param key - names the label set */
  target(key: string, now: Instant, labels: () => LabelList): TargetCounters {
    let target = this.#targets.get(key)
    if (target === undefined) {
      target = new TargetCounters(labels(), now)
      this.#targets.set(key, target)
    }
    return target
  }

  /** What a scrape gets; afterwards targets that were idle for too long go, as in the proxy. */
  scrape(now: Instant): readonly ExpositionSample[] {
    const samples: ExpositionSample[] = []
    for (const [key, target] of this.#targets) {
      for (const sample of target.samples) samples.push(sample)
      if (now - target.lastUpdate > RETAIN_IDLE_MS) this.#targets.delete(key)
    }
    return samples
  }
}
