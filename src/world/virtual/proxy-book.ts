import { invariant } from '../../lib/errors/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import { fractions, Labels, type SeriesName } from '../../lib/tsdb/index.ts'
import type { ResponseVerdict } from '../../model/mesh/index.ts'
import type { CounterFamily, CounterGroup } from '../../model/scrape/index.ts'
import { BOUNDS_MS, type LatencyBatch } from './latency.ts'

/** How long an idle target's series stay, milliseconds. @see linkerd2-proxy v2.366.0 retain_idle */
const RETAIN_IDLE_MS = 600_000

const REQUESTS: readonly SeriesName[] = [{ name: 'request_total' }]
const RESPONSES: readonly SeriesName[] = [{ name: 'response_total' }]
const LATENCIES: readonly SeriesName[] = [
  ...[...BOUNDS_MS.map(String), '+Inf'].map((bound) => ({ name: 'response_latency_ms_bucket', bound })),
  { name: 'response_latency_ms_count' },
  { name: 'response_latency_ms_sum' }
]
const BUCKETS = BOUNDS_MS.length + 1

/** The request counters of one label set of a proxy: `request_total`, `response_latency_ms`, `response_total`. */
export class TargetCounters implements CounterGroup {
  lastUpdate: Instant
  /** They were idle for too long and are gone: what comes now is counted anew. */
  gone = false
  readonly families: CounterFamily[] = []
  readonly values: number[] = fractions()
  readonly #labels: Labels
  /** Place of the first bucket, by status. */
  readonly #latencies = new Map<number | undefined, number>()
  /** Place of the counter, by verdict; of an ordinary success: by its status. */
  readonly #responses = new Map<string | number, number>()

  constructor(labels: Labels, now: Instant) {
    this.#labels = labels
    this.lastUpdate = now
    this.#born(Labels.EMPTY, REQUESTS)
  }

  /** Counts requests at their dispatch. */
  request(count: number, now: Instant): void {
    this.#add(0, count)
    this.lastUpdate = now
  }

  /** Observes latencies. @param status - undefined: the series of failures before any header, which stays zero */
  latency(status: number | undefined, batch: LatencyBatch | undefined, now: Instant): void {
    let first = this.#latencies.get(status)
    if (first === undefined) {
      first = this.#born(statusLabels(status), LATENCIES)
      this.#latencies.set(status, first)
    }
    this.lastUpdate = now
    if (batch === undefined) return
    this.#observe(first, batch)
  }

  /** Buckets are cumulative: each has what the ones below it have. */
  #observe(first: number, { counts, sumMs }: LatencyBatch): void {
    const { values } = this
    const end = first + BUCKETS
    for (const [index, number] of counts) {
      // One further: the number of all observations follows the buckets.
      for (let place = first + index; place <= end; place++) values[place] = (values[place] ?? 0) + number
    }
    this.#add(end + 1, sumMs)
  }

  /** Counts responses at their end. */
  response(verdict: ResponseVerdict, count: number, now: Instant): void {
    const { status, success, grpcStatus, error } = verdict
    const isPlain = grpcStatus === undefined && error === undefined && status !== undefined
    const key = isPlain && success ? status : `${status ?? ''} ${success} ${grpcStatus ?? ''} ${error ?? ''}`
    let place = this.#responses.get(key)
    if (place === undefined) {
      place = this.#born(verdictLabels(verdict), RESPONSES)
      this.#responses.set(key, place)
    }
    this.#add(place, count)
    this.lastUpdate = now
  }

  #add(place: number, count: number): void {
    this.values[place] = (this.values[place] ?? 0) + count
  }

  /** Begins series at zero. @param more - their labels beside the target's @returns the place of the first */
  #born(more: Labels, series: readonly SeriesName[]): number {
    const place = this.values.length
    const labels = this.#labels.joined(more)
    invariant(labels !== undefined, 'a target has a label of its counters')
    this.families.push({ labels, series })
    for (let count = 0; count < series.length; count++) this.values.push(0)
    return place
  }
}

/** Labels that tell the counters of a target apart: all targets have the same few. */
const knownLabels = new Map<string | number, Labels>()

/** Most of them that are kept. */
const KNOWN_LABELS_MAX = 500

function known(key: string | number, make: () => Labels): Labels {
  const found = knownLabels.get(key)
  if (found !== undefined) return found
  if (knownLabels.size >= KNOWN_LABELS_MAX) knownLabels.clear()
  const made = make()
  knownLabels.set(key, made)
  return made
}

function statusLabels(status: number | undefined): Labels {
  return status === undefined ? Labels.EMPTY : known(status, () => Labels.of({ status_code: String(status) }))
}

function verdictLabels({ status, success, grpcStatus, error = '' }: ResponseVerdict): Labels {
  return known(`${status ?? ''} ${success} ${grpcStatus ?? ''} ${error}`, () =>
    Labels.of({
      status_code: String(status ?? ''),
      classification: success ? 'success' : 'failure',
      grpc_status: String(grpcStatus ?? ''),
      error
    })
  )
}

/** What one proxy has counted, as a scrape gets it. */
export class ProxyBook {
  readonly #targets = new Map<string, TargetCounters>()

  /** The counters of a target, made at zero when new. @param key - names the label set */
  target(key: string, now: Instant, labels: () => Labels): TargetCounters {
    let target = this.#targets.get(key)
    if (target === undefined) {
      target = new TargetCounters(labels(), now)
      this.#targets.set(key, target)
    }
    return target
  }

  /** What a scrape gets; afterwards targets that were idle for too long go, as in the proxy. */
  scrape(now: Instant): readonly CounterGroup[] {
    const groups = [...this.#targets.values()]
    for (const [key, target] of this.#targets) {
      if (now - target.lastUpdate <= RETAIN_IDLE_MS) continue
      target.gone = true
      this.#targets.delete(key)
    }
    return groups
  }
}
