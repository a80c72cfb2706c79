import { invariant } from '../../lib/errors/index.ts'
import type { Instant } from '../../lib/time/index.ts'
import { FAMILIES, LATENCY_BOUNDS_MS, type MetricFamily, TARGET_FAMILIES } from './families.data.ts'

/** Labels in the order they are printed. */
export type LabelList = readonly (readonly [name: string, value: string])[]

/** Most label sets a family keeps; the proxy has no bound, a run needs one. */
const SERIES_LIMIT = 10_000

/** `retain_idle` of the chart: how long an idle target's series stay, milliseconds. */
export const RETAIN_IDLE_MS = 600_000

interface Histogram {
  readonly counts: number[]
  sum: number
  count: number
}

interface Series {
  readonly labels: string
  value: number
  readonly histogram: Histogram | undefined
}

/** The request counters of one target (one label set): what `request_total` and its companions count. */
export class TargetMetrics {
  readonly labels: string
  requests = 0
  readonly latencies: Map<string, Histogram> = new Map<string, Histogram>()
  readonly responses: Map<string, number> = new Map<string, number>()
  lastUpdate: Instant
  /** How many stacks use it; while any does it is not evicted. */
  holders = 0

  constructor(labels: LabelList, now: Instant) {
    this.labels = renderLabels(labels)
    this.lastUpdate = now
  }

  /** Counts requests at their dispatch. */
  request(now: Instant, count = 1): void {
    this.requests += count
    this.lastUpdate = now
  }

  /** Observes latencies. @param status - undefined: the failed-before-headers series, whose histogram stays zero */
  latency(status: number | undefined, ms: number | undefined, now: Instant, count = 1): void {
    const key = status === undefined ? '' : `,status_code="${status}"`
    let histogram = this.latencies.get(key)
    if (histogram === undefined) {
      histogram = emptyHistogram(LATENCY_BOUNDS_MS)
      this.latencies.set(key, histogram)
    }
    // The proxy counts whole milliseconds, truncated.
    if (ms !== undefined) observe(histogram, LATENCY_BOUNDS_MS, Math.max(0, Math.floor(ms)), count)
    this.lastUpdate = now
  }

  /** Counts responses at their end. */
  response(verdict: ResponseVerdict, now: Instant, count = 1): void {
    const status = verdict.status === undefined ? '' : `,status_code="${verdict.status}"`
    const key =
      `${status},classification="${verdict.success ? 'success' : 'failure'}"` +
      `,grpc_status="${verdict.grpcStatus ?? ''}",error="${verdict.error ?? ''}"`
    this.responses.set(key, (this.responses.get(key) ?? 0) + count)
    this.lastUpdate = now
  }
}

/** How a response counts. */
export interface ResponseVerdict {
  /** Absent: the service failed before there was one. */
  readonly status: number | undefined
  readonly success: boolean
  readonly grpcStatus?: number
  readonly error?: string
}

/**
 * One proxy's metrics: the families of linkerd2-proxy with their labels, buckets and life times.
 * @see linkerd2-proxy v2.366.0, conformance/linkerd-proxy
 */
export class ProxyMetrics {
  readonly #targets = new Map<string, TargetMetrics>()
  readonly #series = new Map<string, Map<string, Series>>()
  readonly #retainIdleMs: number

  /** @param options - `retainIdleMs`: life of an idle target, default 10 minutes */
  constructor(options: { readonly retainIdleMs?: number } = {}) {
    this.#retainIdleMs = options.retainIdleMs ?? RETAIN_IDLE_MS
  }

  /** The counters of a target, made at zero when new. */
  target(labels: LabelList, now: Instant): TargetMetrics {
    const key = renderLabels(labels)
    const known = this.#targets.get(key)
    if (known !== undefined) return known
    if (this.#targets.size >= SERIES_LIMIT) this.#makeRoom(now)
    const target = new TargetMetrics(labels, now)
    this.#targets.set(key, target)
    return target
  }

  /** Adds to a counter or gauge; `by` 0 only creates the series. */
  add(family: string, labels: LabelList, by = 1): void {
    this.#at(family, labels).value += by
  }

  /** Sets a gauge. */
  set(family: string, labels: LabelList, value: number): void {
    this.#at(family, labels).value = value
  }

  /** Observes a value of a histogram family; undefined only creates the series. */
  observe(family: string, labels: LabelList, value: number | undefined, count = 1): void {
    const series = this.#at(family, labels)
    const bounds = FAMILY_BY_NAME.get(family)?.bounds
    if (series.histogram !== undefined && bounds !== undefined && value !== undefined) {
      observe(series.histogram, bounds, value, count)
    }
  }

  /** Removes the series of a label set (closed connections, balancers that went). */
  remove(family: string, labels: LabelList): void {
    this.#series.get(family)?.delete(renderLabels(labels))
  }

  /**
   * The text of `/metrics`. Idle targets are dropped after the text is made, as the proxy does it:
   * the scrape that finds them too old still shows them.
   */
  render(now: Instant): string {
    const lines: string[] = []
    for (const family of FAMILIES) if (family.first === true) this.#renderFamily(family, lines)
    this.#renderTargets(lines)
    for (const family of FAMILIES) if (family.first !== true) this.#renderFamily(family, lines)
    this.#evict(now)
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`
  }

  #evict(now: Instant): void {
    for (const [key, target] of this.#targets) {
      if (target.holders <= 0 && now - target.lastUpdate > this.#retainIdleMs) this.#targets.delete(key)
    }
  }

  /** A proxy that nobody scrapes never evicts: before its bound the idle targets go, then the oldest. */
  #makeRoom(now: Instant): void {
    this.#evict(now)
    for (const [key, target] of this.#targets) {
      if (this.#targets.size < SERIES_LIMIT) return
      if (target.holders <= 0) this.#targets.delete(key)
    }
  }

  #at(family: string, labels: LabelList): Series {
    const definition = FAMILY_BY_NAME.get(family)
    invariant(definition !== undefined, `no metric family ${family}`)
    let byLabels = this.#series.get(family)
    if (byLabels === undefined) {
      byLabels = new Map()
      this.#series.set(family, byLabels)
    }
    const key = renderLabels(labels)
    let series = byLabels.get(key)
    if (series === undefined) {
      invariant(byLabels.size < SERIES_LIMIT, `too many series of ${family}`)
      series = {
        labels: key,
        value: 0,
        histogram: definition.bounds === undefined ? undefined : emptyHistogram(definition.bounds)
      }
      byLabels.set(key, series)
    }
    return series
  }

  #renderTargets(lines: string[]): void {
    if (this.#targets.size === 0) return
    const [requests, latency, responses] = TARGET_FAMILIES
    invariant(requests !== undefined && latency !== undefined && responses !== undefined, 'target families are three')
    const targets = [...this.#targets.values()]
    head(requests, lines)
    for (const target of targets) lines.push(`request_total{${target.labels}} ${target.requests}`)
    if (targets.some((target) => target.latencies.size > 0)) head(latency, lines)
    for (const target of targets) {
      for (const [status, histogram] of target.latencies) {
        renderHistogram(latency, `${target.labels}${status}`, histogram, lines)
      }
    }
    if (targets.some((target) => target.responses.size > 0)) head(responses, lines)
    for (const target of targets) {
      for (const [verdict, count] of target.responses) lines.push(`response_total{${target.labels}${verdict}} ${count}`)
    }
  }

  #renderFamily(family: MetricFamily, lines: string[]): void {
    const byLabels = this.#series.get(family.name)
    if (byLabels === undefined || byLabels.size === 0) return
    head(family, lines)
    for (const series of byLabels.values()) {
      if (series.histogram !== undefined) renderHistogram(family, series.labels, series.histogram, lines)
      else lines.push(`${family.name}${series.labels === '' ? '' : `{${series.labels}}`} ${series.value}`)
    }
  }
}

const FAMILY_BY_NAME: ReadonlyMap<string, MetricFamily> = new Map(FAMILIES.map((family) => [family.name, family]))

function head(family: MetricFamily, lines: string[]): void {
  lines.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`)
}

function emptyHistogram(bounds: readonly number[]): Histogram {
  return { counts: bounds.map(() => 0), sum: 0, count: 0 }
}

function observe(histogram: Histogram, bounds: readonly number[], value: number, count: number): void {
  histogram.sum += value * count
  histogram.count += count
  const index = bounds.findIndex((bound) => value <= bound)
  if (index !== -1) histogram.counts[index] = (histogram.counts[index] ?? 0) + count
}

function renderHistogram(family: MetricFamily, labels: string, histogram: Histogram, lines: string[]): void {
  const { name } = family
  const bounds = family.bounds ?? []
  // The legacy families print bounds as integers, the newer ones as floats.
  const legacy = bounds === LATENCY_BOUNDS_MS
  const separator = labels === '' ? '' : ','
  let cumulative = 0
  for (const [index, bound] of bounds.entries()) {
    cumulative += histogram.counts[index] ?? 0
    const text = legacy || !Number.isInteger(bound) ? String(bound) : `${bound}.0`
    lines.push(`${name}_bucket{${labels}${separator}le="${text}"} ${cumulative}`)
  }
  lines.push(
    `${name}_bucket{${labels}${separator}le="+Inf"} ${histogram.count}`,
    `${name}_count{${labels}} ${histogram.count}`,
    `${name}_sum{${labels}} ${histogram.sum}`
  )
}

const extended = new WeakMap<LabelList, Map<string, LabelList>>()

/** A label list with more labels at its end; made once per list and values, because the text of a list is kept with it. */
export function withLabels(base: LabelList, more: LabelList): LabelList {
  let byValues = extended.get(base)
  if (byValues === undefined) {
    byValues = new Map()
    extended.set(base, byValues)
  }
  let key = ''
  for (const [name, value] of more) key += `${name}=${value};`
  let labels = byValues.get(key)
  if (labels === undefined) {
    labels = [...base, ...more]
    byValues.set(key, labels)
  }
  return labels
}

const rendered = new WeakMap<LabelList, string>()

/** Labels as they stand between the braces. The text of a list is kept: lists are made once per target and reused. */
export function renderLabels(labels: LabelList): string {
  const known = rendered.get(labels)
  if (known !== undefined) return known
  const text = labels.map(([name, value]) => `${name}="${escapeValue(value)}"`).join(',')
  rendered.set(labels, text)
  return text
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
