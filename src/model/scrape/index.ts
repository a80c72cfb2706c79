export { SCRAPE_INTERVAL_MS, type ScrapeConfig } from './config.ts'
export { type DiscoveredPod, discoverPod } from './discovery.ts'
export { type ScrapeReport, type ScrapeResult, TargetIngester } from './ingest.ts'
export {
  APP_METRICS_JOB,
  LINKERD_CONTROLLER_JOB,
  LINKERD_MULTICLUSTER_JOB,
  LINKERD_PROXY_JOB,
  LINKERD_PROXY_JOB_2_14,
  PROMETHEUS_JOB,
  VIZ_JOBS
} from './jobs.data.ts'
export { type LabelRecord, relabel, type RelabelAction, type RelabelRule } from './relabel.ts'
export {
  createScraper,
  type Scraper,
  type ScraperOptions,
  type ScrapeTask,
  targetPhaseMs,
  type TargetStatus
} from './scraper.ts'
export { type DroppedTarget, isTarget, makeTarget, type Target } from './target.ts'
