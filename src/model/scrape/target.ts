import { formatDuration } from '../../lib/promql/index.ts'
import { type ScrapeConfig, SCRAPE_INTERVAL_MS } from './config.ts'
import { isDroppedAtOnce, type LabelRecord, relabel } from './relabel.ts'

/** A target as configured and relabelled. */
export interface Target {
  /** Equal keys are one target: its final labels and its URL. */
  readonly key: string
  readonly jobName: string
  readonly config: ScrapeConfig
  /** Final labels, `job` and `instance` among them. */
  readonly labels: LabelRecord
  /** Labels before relabelling, for the targets API. */
  readonly discoveredLabels: LabelRecord
  readonly scheme: string
  /** `host:port`. */
  readonly address: string
  /** Path with query. */
  readonly path: string
  readonly url: string
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** A discovered label set that relabelling dropped. */
export interface DroppedTarget {
  readonly discoveredLabels: LabelRecord
}

/**
 * Makes a target from a discovered label set.
 * @returns the target, or its discovered labels alone when it is dropped
 * @see Prometheus scrape/target.go PopulateLabels, v2.55.1
 */
export function makeTarget(config: ScrapeConfig, discovered: LabelRecord): Target | DroppedTarget {
  const { relabelRules = [] } = config
  const own = jobLabels(config)
  if (isDroppedAtOnce((name) => discovered[name] ?? own[name] ?? '', relabelRules)) return new Dropped(own, discovered)
  const discoveredLabels = { ...own, ...discovered }
  const labelled = relabel(discoveredLabels, relabelRules)
  const address = labelled?.['__address__'] ?? ''
  if (labelled === undefined || address === '') return { discoveredLabels }
  const { intervalMs, timeoutMs } = timesOf(config)
  const scheme = labelled['__scheme__'] ?? 'http'
  const full = withPort(address, scheme)
  const shown: Record<string, string> = { instance: full, ...labelled }
  const final: Record<string, string> = {}
  for (const name of Object.keys(shown).sort()) if (!name.startsWith('__')) final[name] = shown[name] ?? ''
  const path = (labelled['__metrics_path__'] ?? '/metrics') + queryOf(labelled, config)
  const url = `${scheme}://${full}${path.startsWith('/') ? '' : '/'}${path}`
  const key = `${JSON.stringify(Object.entries(final))} ${url}`
  return {
    key,
    jobName: config.jobName,
    config,
    labels: final,
    discoveredLabels,
    scheme,
    address: full,
    path,
    url,
    intervalMs,
    timeoutMs
  }
}

function timesOf(config: ScrapeConfig): { readonly intervalMs: number; readonly timeoutMs: number } {
  const intervalMs = config.scrapeIntervalMs ?? SCRAPE_INTERVAL_MS
  return { intervalMs, timeoutMs: config.scrapeTimeoutMs ?? intervalMs }
}

/** Jobs do not change: their labels are made once. */
const labelsOfJobs = new WeakMap<ScrapeConfig, LabelRecord>()

/** The labels that a job gives each of its targets before relabelling. */
function jobLabels(config: ScrapeConfig): LabelRecord {
  const known = labelsOfJobs.get(config)
  if (known !== undefined) return known
  const { intervalMs, timeoutMs } = timesOf(config)
  const params = Object.entries(config.params ?? {}).map(([name, values]) => [`__param_${name}`, values[0] ?? ''])
  const labels: LabelRecord = {
    job: config.jobName,
    __scrape_interval__: formatDuration(intervalMs),
    __scrape_timeout__: formatDuration(timeoutMs),
    __metrics_path__: config.metricsPath ?? '/metrics',
    __scheme__: config.scheme ?? 'http',
    ...Object.fromEntries(params)
  }
  labelsOfJobs.set(config, labels)
  return labels
}

/** A dropped target: most are, and few are ever looked at. */
class Dropped implements DroppedTarget {
  readonly #own: LabelRecord
  readonly #discovered: LabelRecord

  constructor(own: LabelRecord, discovered: LabelRecord) {
    this.#own = own
    this.#discovered = discovered
  }

  get discoveredLabels(): LabelRecord {
    return { ...this.#own, ...this.#discovered }
  }
}

/** Whether relabelling kept it. */
export function isTarget(made: Target | DroppedTarget): made is Target {
  return 'key' in made
}

/** 2.x adds the scheme's port to an address without one. */
function withPort(address: string, scheme: string): string {
  if (/:\d+$/.test(address)) return address
  return `${address}:${scheme === 'https' ? 443 : 80}`
}

function queryOf(labels: LabelRecord, config: ScrapeConfig): string {
  const pairs: string[] = []
  const names = new Set([
    ...Object.keys(config.params ?? {}),
    ...Object.keys(labels).flatMap((name) => (name.startsWith('__param_') ? [name.slice('__param_'.length)] : []))
  ])
  for (const name of [...names].sort()) {
    const first = labels[`__param_${name}`]
    const values = [...(first === undefined ? [] : [first]), ...(config.params?.[name] ?? []).slice(1)]
    for (const value of values) pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}
