import { formatGoDuration, formatTimestamp, parseGoDuration } from '../../lib/time/index.ts'
import type { AppCore, AppOptions } from './app.ts'
import { argvOf, parseFlags } from './command-line.ts'
import { textError } from './go-http.ts'
import { type AppFetchResult, type AppPlan, type AppTask, fetchAll, readNow, respond, sleep } from './plan.ts'
import { imageTag } from './version.ts'

interface Settings {
  readonly url: string
  readonly qps: number
  readonly concurrency: number
  readonly method: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly hosts: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly metricPort: number
  readonly totalRequests: number
}

interface Window {
  good: number
  bad: number
  failed: number
  latenciesMs: number[]
}

const BOOLEANS: ReadonlySet<string> = new Set(['noreuse', 'compress', 'noLatencySummary', 'help'])
const HEADER_LINE = '#                      good/b/f t   goal%  min [p50 p95 p99  p999]  max bhash change'

/** State shared by the workers and the reporter. */
interface Run {
  window: Window
  requests: number
  total: Window
  done: boolean
}

/**
 * slow_cooker 1.2.0: workers that each send at most `-qps` requests a second, one at a time (closed loop), and a report
 * line per `-interval`. Statuses below 500 are good.
 * @see BuoyantIO/slow_cooker 1.2.0, recorded in conformance/podinfo/slow_cooker.json
 */
export function createSlowCooker(options: AppOptions): AppCore {
  const settings = readSettings(options)
  const run: Run = { window: emptyWindow(), requests: 0, total: emptyWindow(), done: false }
  return {
    version: options.spec.version ?? imageTag(options.container.image),
    ports: settings.metricPort > 0 ? [settings.metricPort] : [],
    startupMs: 100,
    serve: (request) => serveMetrics(request.target, run),
    background: () =>
      settings.url === ''
        ? [{ name: 'usage', task: usage() }]
        : [
            ...Array.from({ length: settings.concurrency }, (_none, index) => ({
              name: `worker-${index}`,
              task: worker(settings, run)
            })),
            { name: 'report', task: reporter(settings, run) }
          ]
  }
}

function readSettings(options: AppOptions): Settings {
  const { flags, rest } = parseFlags(argvOf(options.container).slice(1), BOOLEANS)
  const text = (name: string, absent: string): string => flags.get(name)?.at(-1) ?? absent
  const headers: Record<string, string> = {}
  for (const header of flags.get('header') ?? []) {
    const colon = header.indexOf(':')
    if (colon > 0) headers[header.slice(0, colon).trim()] = header.slice(colon + 1).trim()
  }
  return {
    url: rest.at(-1) ?? '',
    qps: Math.max(1, Number(text('qps', '1'))),
    concurrency: Math.max(1, Number(text('concurrency', '1'))),
    method: text('method', 'GET'),
    intervalMs: parseGoDuration(text('interval', '10s')) ?? 10_000,
    timeoutMs: parseGoDuration(text('timeout', '10s')) ?? 10_000,
    hosts: text('host', '')
      .split(',')
      .filter((host) => host !== ''),
    headers,
    body: text('data', ''),
    metricPort: Number(/:(\d+)$/.exec(text('metric-addr', ''))?.[1] ?? 0),
    totalRequests: Number(text('totalRequests', '0'))
  }
}

function* usage(): AppTask {
  yield { effect: 'log', line: 'Expecting one argument: the target url to test, e.g. http://localhost:4140/' }
  yield { effect: 'exit', code: 64 }
}

/** One worker: a ticker at 1/qps; while a request is on its way at most one tick waits, later ones are dropped. */
function* worker(settings: Settings, run: Run): AppTask {
  const period = 1000 / settings.qps
  const start = yield* readNow()
  let lastTick = 0
  while (!run.done) {
    const now = yield* readNow()
    const elapsed = Math.floor((now - start) / period + 1e-9)
    lastTick = elapsed > lastTick ? elapsed : lastTick + 1
    yield* sleep(start + lastTick * period - now)
    run.requests += 1
    const id = run.requests
    const host = settings.hosts[id % Math.max(1, settings.hosts.length)]
    const headers = {
      ...(host === undefined ? {} : { Host: host }),
      'User-Agent': 'Go-http-client/1.1',
      'Sc-Req-Id': String(id),
      ...settings.headers
    }
    const call = {
      url: settings.url,
      method: settings.method,
      headers,
      body: settings.body,
      timeoutMs: settings.timeoutMs
    }
    const [result] = yield* fetchAll([call])
    if (result !== undefined) count(run, result)
    if (result?.ok === false) yield { effect: 'log', line: `Get "${settings.url}": ${result.message}` }
  }
}

function count(run: Run, result: AppFetchResult): void {
  for (const window of [run.window, run.total]) {
    if (!result.ok) window.failed += 1
    else if (result.status >= 500) window.bad += 1
    else window.good += 1
    if (result.ok && window === run.window) window.latenciesMs.push(Math.floor(result.elapsedMs))
  }
}

function* reporter(settings: Settings, run: Run): AppTask {
  const rate = settings.qps * settings.concurrency
  const banner = `# sending ${rate} ${settings.method} req/s with concurrency=${settings.concurrency} to ${settings.url} ...`
  yield { effect: 'log', line: banner }
  yield { effect: 'log', line: HEADER_LINE }
  const goal = (rate * settings.intervalMs) / 1000
  let previousP99 = 0
  while (!run.done) {
    yield* sleep(settings.intervalMs)
    const window = run.window
    run.window = emptyWindow()
    const sorted = window.latenciesMs.toSorted((a, b) => a - b)
    const p99 = percentile(sorted, 0.99)
    const at = formatTimestamp(yield* readNow())
    yield {
      effect: 'log',
      line: reportLine(at, window, sorted, { settings, goal, change: p99 > previousP99 ? '+' : '' })
    }
    previousP99 = Math.max(p99, previousP99)
    if (settings.totalRequests > 0 && run.requests >= settings.totalRequests) run.done = true
  }
  yield { effect: 'exit', code: 0 }
}

function reportLine(
  at: string,
  window: Window,
  sorted: readonly number[],
  extra: { readonly settings: Settings; readonly goal: number; readonly change: string }
): string {
  const percent = Math.min(100, Math.trunc((100 * (window.good + window.bad)) / extra.goal))
  const quantiles = [0.5, 0.95, 0.99].map((quantile) => pad(percentile(sorted, quantile), 3)).join(' ')
  return (
    `${at} ${pad(window.good, 6)}/${window.bad}/${window.failed} ${extra.goal} ${pad(percent, 3)}% ` +
    `${formatGoDuration(extra.settings.intervalMs)} ${pad(sorted[0] ?? 0, 3)} [${quantiles} ${pad(percentile(sorted, 0.999), 4)} ] ` +
    `${pad(sorted.at(-1) ?? 0, 4)} ${pad(0, 6)} ${extra.change}`
  )
}

function percentile(sorted: readonly number[], quantile: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0
}

function pad(value: number, width: number): string {
  return String(value).padStart(width)
}

function emptyWindow(): Window {
  return { good: 0, bad: 0, failed: 0, latenciesMs: [] }
}

// oxlint-disable-next-line require-yield -- answers at once
function* serveMetrics(target: string, run: Run): AppPlan {
  if (target !== '/metrics') return textError(404, '404 page not found\n')
  const lines = [
    '# TYPE requests counter',
    `requests ${run.total.good + run.total.bad + run.total.failed}`,
    '# TYPE successes counter',
    `successes ${run.total.good}`
  ]
  return respond(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }, `${lines.join('\n')}\n`)
}
