import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEngine, type Engine } from '../../src/lib/promql/index.ts'
import { Tsdb } from '../../src/lib/tsdb/index.ts'
import { createPromApi, type PromApi } from '../../src/model/promapi/index.ts'
import {
  createScraper,
  isTarget,
  LINKERD_PROXY_JOB,
  makeTarget,
  type ScrapeConfig,
  type ScrapeResult
} from '../../src/model/scrape/index.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'
import { CANARY_QUERIES } from './linkerd-queries.data.ts'

interface RelabelCase {
  readonly name: string
  readonly discovered: Readonly<Record<string, string>>
  readonly target: Readonly<Record<string, string>> | null
  readonly scrapeUrl?: string
}

interface GrafanaQueries {
  readonly panelQueries: readonly { readonly expr: string }[]
  readonly templateQueries: readonly { readonly query: string }[]
}

const NOW_MS = 1_795_250_000_000
const SCRAPES = 12
const CONTENT_TYPE = 'text/plain'

function* relabelCases(folder: string): Generator<CaseOutcome> {
  const pack = JSON.parse(readFileSync(join(folder, 'relabel-cases.json'), 'utf8')) as {
    readonly cases: readonly RelabelCase[]
  }
  for (const item of pack.cases) {
    const made = makeTarget(LINKERD_PROXY_JOB, item.discovered)
    const labels = isTarget(made) ? sorted(made.labels) : 'null'
    const wanted = item.target === null ? 'null' : sorted(item.target)
    const url = isTarget(made) && item.scrapeUrl !== undefined ? made.url : item.scrapeUrl
    yield outcome(
      `relabel/${item.name}`,
      labels === wanted && url === item.scrapeUrl,
      `${labels} ${url ?? ''} is not ${wanted}`
    )
  }
}

function sorted(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort())
}

function outcome(id: string, passed: boolean, firstDifference: string): CaseOutcome {
  return passed ? { id, passed } : { id, passed, firstDifference }
}

/** Scrapes each capture a dozen times as if a canary pod had sent it. */
function* captures(folder: string, db: Tsdb): Generator<CaseOutcome> {
  const samples = join(folder, 'samples')
  const names = existsSync(samples) ? readdirSync(samples).sort() : []
  const configs: ScrapeConfig[] = names.map((name) => ({
    jobName: 'linkerd-proxy',
    staticConfigs: [{ targets: [`${name}:4191`], labels: { namespace: 'test', deployment: 'podinfo', pod: name } }]
  }))
  const scraper = createScraper({ db, configs, seed: 7 })
  const failures = new Map<string, string>()
  for (let round = SCRAPES; round > 0; round--) {
    for (const task of scraper.tick(NOW_MS - round * 10_000)) {
      const name = task.target.labels['pod'] ?? ''
      const body = readFileSync(join(samples, name))
      const result: ScrapeResult = { ok: true, body, contentType: CONTENT_TYPE, durationMs: 3 }
      const report = scraper.finish(task, result)
      if (report?.up !== true) failures.set(name, report?.error ?? 'not scraped')
    }
  }
  for (const name of names) {
    yield outcome(`capture/${name}`, !failures.has(name) && db.seriesCount > 0, failures.get(name) ?? 'nothing stored')
  }
}

/** Grafana fills its variables in before it asks. */
function substitute(query: string): string {
  return query
    .replace(/\$\{?__rate_interval\}?|\$\{?__interval\}?|\$\{?__range\}?/g, '1m')
    .replace(/\$(?:inbound|outbound)\b/g, 'deployment')
    .replace(/\$\{?\w+\}?/g, 'podinfo')
}

function* panelQueries(engine: Engine, queries: GrafanaQueries): Generator<CaseOutcome> {
  for (const [index, { expr }] of queries.panelQueries.entries()) {
    yield evaluated(engine, `panel/${index}`, substitute(expr))
  }
}

function evaluated(engine: Engine, id: string, query: string): CaseOutcome {
  const instant = engine.instant(query, NOW_MS)
  const range = engine.range(query, { startMs: NOW_MS - 120_000, endMs: NOW_MS, stepMs: 30_000 })
  const failed = [instant, range].find((result) => !result.ok)
  return outcome(id, failed === undefined, `${query}: ${failed?.ok === false ? failed.error : ''}`)
}

function* templateQueries(api: PromApi, queries: GrafanaQueries): Generator<CaseOutcome> {
  for (const [index, { query }] of queries.templateQueries.entries()) {
    const text = substitute(query)
    const values = /^label_values\((?:(.+),\s*)?(\w+)\)$/s.exec(text)
    const path = values === null ? '/api/v1/query' : `/api/v1/label/${values[2] ?? ''}/values`
    const selector = values?.[1]
    const parameters: [string, string][] =
      values === null
        ? [['query', text.replace(/^query_result\((.*)\)$/s, '$1')]]
        : selector === undefined
          ? []
          : [['match[]', selector]]
    const response = api.handle({ method: 'GET', path, query: parameters })
    yield outcome(`template/${index}`, response.status === 200, `${text}: ${response.body.slice(0, 200)}`)
  }
}

function* vizQueries(engine: Engine, folder: string): Generator<CaseOutcome> {
  const { vizQueries: queries } = JSON.parse(readFileSync(join(folder, 'metrics.json'), 'utf8')) as {
    readonly vizQueries: Readonly<Record<string, string>>
  }
  for (const [name, text] of Object.entries(queries)) {
    const query = text
      .replace(/ for Q in .*$/, '')
      .replace(/\bQ\b/, '0.95')
      .replaceAll('{...}', '{direction="inbound",namespace="test"}')
      .replaceAll('[W]', '[1m]')
      .replaceAll('<groups>', 'namespace, deployment')
      .replaceAll('dst_<group>', 'dst_deployment')
      .replaceAll('<group>', 'deployment')
      .replaceAll('<metric>', 'response_total')
    yield evaluated(engine, `viz/${name}`, query)
  }
}

/** Everything Linkerd's users ask the server: relabelling, captures, dashboards, viz, the canary's own queries. */
const suite: ConformanceSuite = {
  name: 'linkerd',
  defaultFolder: 'conformance/linkerd',
  async *run(folder: string): AsyncIterable<CaseOutcome> {
    const db = new Tsdb()
    const engine = createEngine({ db, defaultStepMs: 10_000 })
    const api = createPromApi({ engine, now: () => NOW_MS })
    const grafana = JSON.parse(readFileSync(join(folder, 'grafana-queries.json'), 'utf8')) as GrafanaQueries
    yield* relabelCases(folder)
    yield* captures(folder, db)
    yield* panelQueries(engine, grafana)
    yield* templateQueries(api, grafana)
    yield* vizQueries(engine, folder)
    for (const [name, query] of Object.entries(CANARY_QUERIES)) yield evaluated(engine, `canary/${name}`, query)
  }
}

export { suite }
