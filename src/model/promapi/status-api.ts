import { formatDuration } from '../../lib/promql/index.ts'
import { formatTimestamp } from '../../lib/time/index.ts'
import { FLAG_DEFAULTS } from './flags.data.ts'
import type { ApiData } from './query-api.ts'
import { ApiError, type Parameters, type PromApiOptions, type PromTarget } from './types.ts'

/** Go's zero time, shown for a target that was never scraped. */
const ZERO_TIME = '0001-01-01T00:00:00Z'
const TOP_COUNT = 10

function isoTime(timeMs: number | undefined): string {
  if (timeMs === undefined) return ZERO_TIME
  const milliseconds = ((timeMs % 1000) + 1000) % 1000
  const whole = formatTimestamp(timeMs)
  return milliseconds === 0
    ? whole
    : whole.replace('Z', `.${String(milliseconds).padStart(3, '0').replace(/0+$/, '')}Z`)
}

/** `/api/v1/targets`. */
export function targets(options: PromApiOptions, parameters: Parameters): ApiData {
  const state = parameters.get('state').toLowerCase()
  const pool = parameters.get('scrapePool')
  const active = state === '' || state === 'any' || state === 'active' ? (options.targets?.() ?? []) : []
  const dropped = state === '' || state === 'any' || state === 'dropped' ? (options.droppedTargets?.() ?? []) : []
  const data = {
    activeTargets: active.filter(({ target }) => pool === '' || target.jobName === pool).map(targetData),
    droppedTargets: dropped.map(({ discoveredLabels }) => ({ discoveredLabels }))
  }
  return { json: JSON.stringify(data) }
}

function targetData({ target, health, lastError, lastScrapeMs, lastScrapeDurationMs }: PromTarget): object {
  return {
    discoveredLabels: target.discoveredLabels,
    labels: target.labels,
    scrapePool: target.jobName,
    scrapeUrl: target.url,
    globalUrl: target.url,
    lastError,
    lastScrape: isoTime(lastScrapeMs),
    lastScrapeDuration: lastScrapeDurationMs / 1000,
    health,
    scrapeInterval: formatDuration(target.intervalMs),
    scrapeTimeout: formatDuration(target.timeoutMs)
  }
}

/** `/api/v1/metadata`. */
export function metadata(options: PromApiOptions, parameters: Parameters): ApiData {
  const limit = limitParameter(parameters, 'limit')
  const perMetric = limitParameter(parameters, 'limit_per_metric')
  const wanted = parameters.get('metric')
  const found = new Map<string, Map<string, object>>()
  for (const { metadata: known } of options.targets?.() ?? []) {
    for (const [metric, { type, help, unit }] of known) {
      if (wanted !== '' && metric !== wanted) continue
      const entries = found.get(metric) ?? new Map<string, object>()
      if (perMetric > 0 && entries.size >= perMetric) continue
      entries.set(`${type} ${help} ${unit}`, { type, help, unit })
      found.set(metric, entries)
    }
  }
  const names = [...found.keys()].sort()
  const shown = limit >= 0 ? names.slice(0, limit) : names
  return {
    json: JSON.stringify(Object.fromEntries(shown.map((name) => [name, [...(found.get(name)?.values() ?? [])]])))
  }
}

function limitParameter(parameters: Parameters, name: string): number {
  const text = parameters.get(name)
  if (text === '') return -1
  if (!/^-?\d+$/.test(text)) throw new ApiError('bad_data', `${name} must be a number`)
  return Number(text)
}

/** `/api/v1/targets/metadata`. */
export function targetMetadata(options: PromApiOptions, parameters: Parameters): ApiData {
  const wanted = parameters.get('metric')
  const data: object[] = []
  for (const { target, metadata: known } of options.targets?.() ?? []) {
    for (const [metric, { type, help, unit }] of known) {
      if (wanted === '') data.push({ target: target.labels, metric, type, help, unit })
      else if (metric === wanted) data.push({ target: target.labels, type, help, unit })
    }
  }
  if (data.length === 0) throw new ApiError('not_found', 'specified metadata not found')
  return { json: JSON.stringify(data) }
}

/** `/api/v1/scrape_pools`. */
export function scrapePools(options: PromApiOptions): ApiData {
  const pools = [...new Set((options.targets?.() ?? []).map(({ target }) => target.jobName))].sort()
  return { json: JSON.stringify({ scrapePools: pools }) }
}

/** `/api/v1/rules`: the twin's server has none. */
export function rules(parameters: Parameters): ApiData {
  const type = parameters.get('type').toLowerCase()
  if (type !== '' && type !== 'alert' && type !== 'record') {
    throw new ApiError('bad_data', `invalid parameter "type": not supported value ${JSON.stringify(type)}`)
  }
  return { json: '{"groups":[]}' }
}

/** `/api/v1/status/buildinfo`. */
export function buildInfo(options: PromApiOptions): ApiData {
  const version = options.version ?? '2.55.1'
  const data = { version, revision: 'rollout-twin', branch: 'HEAD', buildUser: '', buildDate: '', goVersion: '' }
  return { json: JSON.stringify(data) }
}

/** `/api/v1/status/runtimeinfo`. */
export function runtimeInfo(options: PromApiOptions): ApiData {
  const start = isoTime(options.startMs ?? 0)
  const data = {
    startTime: start,
    CWD: '/prometheus',
    reloadConfigSuccess: true,
    lastConfigTime: start,
    corruptionCount: 0,
    goroutineCount: 1,
    GOMAXPROCS: 1,
    GOGC: '',
    GODEBUG: '',
    storageRetention: options.flags?.['storage.tsdb.retention.time'] ?? '15d'
  }
  return { json: JSON.stringify(data) }
}

/** `/api/v1/status/config`. */
export function config(options: PromApiOptions): ApiData {
  return { json: JSON.stringify({ yaml: options.configYaml ?? '' }) }
}

/** `/api/v1/status/flags`. */
export function flags(options: PromApiOptions): ApiData {
  return { json: JSON.stringify({ ...FLAG_DEFAULTS, ...options.flags }) }
}

/** `/api/v1/status/tsdb`. */
export function tsdbStatus(options: PromApiOptions): ApiData {
  const all = options.engine.db.select([])
  const byMetric = new Map<string, number>()
  const byPair = new Map<string, number>()
  const values = new Map<string, Set<string>>()
  let oldestMs = Infinity
  for (const series of all) {
    oldestMs = Math.min(oldestMs, series.timeAt(series.from) ?? Infinity)
    count(byMetric, series.labels.metricName)
    series.labels.names.forEach((name, index) => {
      const value = series.labels.values[index] ?? ''
      count(byPair, `${name}=${value}`)
      const known = values.get(name) ?? new Set<string>()
      values.set(name, known.add(value))
    })
  }
  const bytes = new Map(
    [...values].map(([name, set]) => [name, [...set].reduce((sum, value) => sum + value.length, 0)])
  )
  const data = {
    headStats: {
      numSeries: all.length,
      numLabelPairs: byPair.size,
      chunkCount: all.length,
      minTime: Number.isFinite(oldestMs) ? oldestMs : 0,
      maxTime: Number.isFinite(options.engine.db.newestTime) ? options.engine.db.newestTime : 0
    },
    seriesCountByMetricName: top(byMetric),
    labelValueCountByLabelName: top(new Map([...values].map(([name, set]) => [name, set.size]))),
    memoryInBytesByLabelName: top(bytes),
    seriesCountByLabelValuePair: top(byPair)
  }
  return { json: JSON.stringify(data) }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function top(counts: ReadonlyMap<string, number>): { name: string; value: number }[] {
  const ordered = [...counts].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1))
  return ordered.slice(0, TOP_COUNT).map(([name, value]) => ({ name, value }))
}
