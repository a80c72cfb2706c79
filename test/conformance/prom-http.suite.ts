import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { parseExposition } from '../../src/lib/exposition/index.ts'
import { createEngine } from '../../src/lib/promql/index.ts'
import { Tsdb } from '../../src/lib/tsdb/index.ts'
import { createPromApi, type PromApi, type PromRequest, type PromResponse } from '../../src/model/promapi/index.ts'
import { createScraper, type ScrapeConfig } from '../../src/model/scrape/index.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'
import { compareJson } from './json-comparison.ts'

type Pairs = readonly (readonly [string, string])[]

interface Exchange {
  readonly id: string
  readonly needs: 'nothing' | 'dataset' | 'scrape'
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query?: Pairs
    readonly rawQuery?: string
    readonly form?: Pairs
    readonly headers?: Readonly<Record<string, string>>
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly json?: unknown
    readonly text?: string
    readonly textBegins?: string
  }
  readonly errorTextInOtherVersions?: Readonly<Record<string, string | null>>
}

/** The recordings are of 2.42.0; where the pack says what 2.55.1 answers instead, that is what counts. */
const VERSION = '2.55.1'
const NOW_MS = 1_795_250_000_000
const SCRAPES = 5

/** The recorded server's command line, as the pack's README states it. */
const FLAGS: Readonly<Record<string, string>> = {
  'config.file': 'prometheus.yml',
  'log.level': 'warn',
  'storage.tsdb.path': 'data',
  'storage.tsdb.retention.time': '50y',
  'storage.tsdb.max-block-duration': '31d',
  'web.listen-address': '127.0.0.1:19090'
}

interface YamlJob {
  readonly job_name: string
  readonly metrics_path?: string
  readonly params?: Readonly<Record<string, readonly string[]>>
  readonly static_configs: readonly { readonly targets: readonly string[]; readonly labels?: Record<string, string> }[]
  readonly relabel_configs?: readonly { source_labels: string[]; regex: string; action: 'drop' | 'keep' }[]
}

function api(folder: string, needs: Exchange['needs']): PromApi {
  const db = new Tsdb({ retentionMs: Number.MAX_SAFE_INTEGER })
  const engine = createEngine({ db, defaultStepMs: 60_000 })
  const configYaml = readFileSync(join(folder, 'prometheus.yml'), 'utf8')
  const base = {
    engine,
    now: () => NOW_MS,
    flags: FLAGS,
    configYaml,
    version: '2.42.0+ds',
    externalLabels: { cluster: 'twin' }
  }
  if (needs === 'dataset') loadDataset(db, join(folder, 'dataset.om'))
  if (needs !== 'scrape') return createPromApi(base)
  const scraper = scraped(db, configYaml, readFileSync(join(folder, 'metrics.txt'), 'utf8'))
  return createPromApi({
    ...base,
    now: () => NOW_MS,
    targets: () => scraper.targets(),
    droppedTargets: () => scraper.droppedTargets()
  })
}

function loadDataset(db: Tsdb, path: string): void {
  const outcome = parseExposition(readFileSync(path), 'application/openmetrics-text')
  if (!outcome.ok) throw new Error(outcome.error)
  for (const { labels, value, timestampMs } of outcome.samples) db.append(labels, timestampMs ?? 0, value)
}

function scraped(db: Tsdb, configYaml: string, body: string): ReturnType<typeof createScraper> {
  const parsed = parseYaml(configYaml) as { scrape_configs: readonly YamlJob[] }
  const configs: ScrapeConfig[] = parsed.scrape_configs.map((job) => ({
    jobName: job.job_name,
    scrapeIntervalMs: 2000,
    scrapeTimeoutMs: 1000,
    metricsPath: job.metrics_path ?? '/metrics',
    params: job.params ?? {},
    staticConfigs: job.static_configs,
    relabelRules: (job.relabel_configs ?? []).map((rule) => ({
      sourceLabels: rule.source_labels,
      regex: rule.regex,
      action: rule.action
    }))
  }))
  const scraper = createScraper({ db, configs, seed: 1 })
  for (let round = SCRAPES; round > 0; round--) {
    for (const task of scraper.tick(NOW_MS - round * 2000)) {
      const refused = `Get "${task.target.url}": dial tcp ${task.target.address}: connect: connection refused`
      const contentType = 'text/plain; version=0.0.4; charset=utf-8'
      if (task.target.jobName === 'refused') scraper.finish(task, { ok: false, error: refused, durationMs: 1 })
      else scraper.finish(task, { ok: true, body, contentType, durationMs: 1 })
    }
  }
  return scraper
}

function requestOf(exchange: Exchange): PromRequest {
  const { method, path, query, rawQuery, form, headers } = exchange.request
  const raw = rawQuery === undefined ? [] : [...new URLSearchParams(rawQuery)]
  const lower = Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
  return { method, path, query: query ?? raw, ...(form === undefined ? {} : { form }), headers: lower }
}

function check(exchange: Exchange, response: PromResponse): string | undefined {
  const wanted = exchange.response
  const stated = exchange.errorTextInOtherVersions?.[VERSION]
  if (stated === null) return response.status === 200 ? undefined : `accepted by ${VERSION}, refused: ${response.body}`
  if (response.status !== wanted.status)
    return `status ${response.status} is not ${wanted.status}: ${response.body.slice(0, 200)}`
  for (const [name, value] of Object.entries(wanted.headers)) {
    if (response.headers[name] !== value) return `header ${name}: ${response.headers[name] ?? 'absent'} is not ${value}`
  }
  if (wanted.textBegins !== undefined) return response.body.startsWith(wanted.textBegins) ? undefined : 'another text'
  if (wanted.json === undefined) return compareText(response.body, wanted.text ?? '')
  const json = typeof stated === 'string' ? { ...(wanted.json as object), error: stated } : withoutPosition(wanted.json)
  return compareJson(JSON.parse(response.body), json, ordersResult(exchange))
}

/** An empty query has no position from 2.55.1 on, says the pack's README. */
function withoutPosition(json: unknown): unknown {
  const { error, ...rest } = json as { readonly error?: string }
  if (error === undefined) return json
  return {
    ...rest,
    error: error.replace('1:1: parse error: no expression', 'unknown position: parse error: no expression')
  }
}

function ordersResult(exchange: Exchange): boolean {
  const query = (exchange.request.query ?? exchange.request.form ?? []).find(([name]) => name === 'query')?.[1] ?? ''
  return exchange.request.path.endsWith('query_range') || /^\s*(?:topk|bottomk|sort)/.test(query)
}

function compareText(actual: string, wanted: string): string | undefined {
  const pattern = wanted
    .split(/<(?:now|time|duration|ms|host|any)>/)
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${pattern.join('\\S+')}$`).test(actual)
    ? undefined
    : `text ${JSON.stringify(actual)} is not ${JSON.stringify(wanted)}`
}

/** Recorded exchanges with a real Prometheus server. */
const suite: ConformanceSuite = {
  name: 'prom-http',
  defaultFolder: 'conformance/prom-http',
  async *run(folder: string): AsyncIterable<CaseOutcome> {
    const servers = new Map<string, PromApi>()
    for (const exchange of JSON.parse(readFileSync(join(folder, 'exchanges.json'), 'utf8')) as Exchange[]) {
      let server = servers.get(exchange.needs)
      if (server === undefined) servers.set(exchange.needs, (server = api(folder, exchange.needs)))
      const difference = check(exchange, server.handle(requestOf(exchange)))
      yield difference === undefined
        ? { id: exchange.id, passed: true }
        : { id: exchange.id, passed: false, firstDifference: difference }
    }
  }
}

export { suite }
