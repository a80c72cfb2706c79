import type { LabelRecord, RelabelRule } from './relabel.ts'

/** A scrape job as data. */
export interface ScrapeConfig {
  readonly jobName: string
  /** Default 10 s (Linkerd viz). */
  readonly scrapeIntervalMs?: number
  /** Default: the interval. */
  readonly scrapeTimeoutMs?: number
  /** Default `/metrics`. */
  readonly metricsPath?: string
  /** Default `http`. */
  readonly scheme?: 'http' | 'https'
  readonly params?: Readonly<Record<string, readonly string[]>>
  /** Labels of the body win over the target's; default no: they are renamed `exported_…`. */
  readonly honorLabels?: boolean
  /** Times stated in the body count; default yes. */
  readonly honorTimestamps?: boolean
  /** Fixed targets. */
  readonly staticConfigs?: readonly { readonly targets: readonly string[]; readonly labels?: LabelRecord }[]
  /** Targets from pods; without namespaces: all. */
  readonly podDiscovery?: { readonly namespaces?: readonly string[] }
  readonly relabelRules?: readonly RelabelRule[]
  readonly metricRelabelRules?: readonly RelabelRule[]
  /** Most samples a body may have after relabelling; 0 or absent: any number. */
  readonly sampleLimit?: number
}

/** Scrape interval where a job names none, ms: Linkerd viz' global setting. */
export const SCRAPE_INTERVAL_MS = 10_000
