import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CaseLoad, CaseScrape, ProxyCase } from './linkerd-proxy/case.ts'
import { type Played, playCase } from './linkerd-proxy/play.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

/** Families compared; bytes, detection, queue and duration families are left out. */
const COMPARED: ReadonlySet<string> = new Set([
  'request_total',
  'response_total',
  'response_latency_ms',
  'inbound_http_authz_allow_total',
  'inbound_http_requests_total',
  'inbound_http_statuses_total',
  'inbound_http_errors_total',
  'outbound_http_errors_total',
  'outbound_http_route_backend_requests_total',
  'outbound_http_route_backend_response_statuses_total',
  'outbound_http_route_request_statuses_total',
  'outbound_http_balancer_endpoints',
  'route_request_total',
  'route_response_total'
])

/** Recorded behaviour of the data-plane proxy, played against the mesh model in virtual time. */
export const suite: ConformanceSuite = {
  name: 'linkerd-proxy',
  defaultFolder: 'conformance/linkerd-proxy',
  async *run(folder) {
    for (const file of caseFiles(folder)) {
      const source: ProxyCase = JSON.parse(readFileSync(file, 'utf8'))
      yield outcomeOf(source)
    }
  }
}

function caseFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json') && !file.endsWith('hop.json'))
    .toSorted()
    .map((file) => join(folder, file))
}

function outcomeOf(source: ProxyCase): CaseOutcome {
  const { id } = source
  const missing = unmodelled(source)
  if (missing !== undefined) return { id, passed: false, firstDifference: `not modelled: ${missing}` }
  try {
    const played = playCase(source, 11)
    const found = source.kind === 'exact' ? exactDifference(source, played) : distributionDifference(source, played)
    return found === undefined ? { id, passed: true } : { id, passed: false, firstDifference: found }
  } catch (error) {
    return { id, passed: false, firstDifference: String(error) }
  }
}

/** What of a case the model has no answer to. */
function unmodelled(source: ProxyCase): string | undefined {
  const { pods, services } = source.topology
  if (pods.some((pod) => pod.inbound !== undefined && pod.inbound !== 'default')) return 'inbound policy'
  if (services.some((service) => service.accrual !== undefined)) return 'circuit breaker'
  if (services.some((service) => (service.profile?.routes ?? []).length > 0)) return 'ServiceProfile routes'
  return undefined
}

function exactDifference(source: ProxyCase, played: Played): string | undefined {
  for (const expected of source.observed.responses ?? []) {
    const actual = played.responses.find((response) => response.step === expected.step && response.i === expected.i)
    const where = `step ${expected.step}.${expected.i}`
    if (actual === undefined) return `${where}: no response`
    if (expected.status !== undefined && !within(expected.status, actual.status, 0)) {
      return `${where}: expected status ${JSON.stringify(expected.status)}, got ${actual.status}`
    }
    if (typeof expected.servedBy === 'string' && actual.servedBy !== expected.servedBy) {
      return `${where}: expected ${expected.servedBy}, got ${actual.servedBy ?? 'nobody'}`
    }
    const message = expected.headers?.['l5d-proxy-error']
    if (typeof message === 'string' && actual.headers['l5d-proxy-error'] !== message) {
      return `${where}: l5d-proxy-error: expected ${message}, got ${actual.headers['l5d-proxy-error'] ?? 'none'}`
    }
  }
  for (const scrape of source.observed.scrapes ?? []) {
    const found = scrapeDifference(source, scrape, played)
    if (found !== undefined) return `scrape ${scrape.step} of ${scrape.pod}: ${found}`
  }
  return undefined
}

function scrapeDifference(source: ProxyCase, expected: CaseScrape, played: Played): string | undefined {
  const text = played.scrapes.find((scrape) => scrape.step === expected.step)?.text ?? ''
  const actual = readExposition(text)
  for (const [family, { type, series }] of Object.entries(expected.families)) {
    if (!COMPARED.has(family)) continue
    const seen = new Set<string>()
    for (const [label, value] of Object.entries(series)) {
      const key = keyOf(source.labelSets[label] ?? {})
      seen.add(key)
      const found =
        type === 'histogram'
          ? histogramDifference(actual, family, key, value)
          : valueDifference(actual, `${family} ${key}`, value)
      if (found !== undefined) return `${family}{${key}}: ${found}`
    }
    if (type === 'histogram') continue
    const extra = [...actual.keys()].find(
      (key) => key.startsWith(`${family} `) && !seen.has(key.slice(family.length + 1))
    )
    if (extra !== undefined && (actual.get(extra) ?? 0) > 0) return `unexpected ${extra} = ${actual.get(extra)}`
  }
  return undefined
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join(',')
}

/** Values by `family labels`. */
function readExposition(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (found === null || line.startsWith('#')) continue
    const labels: Record<string, string> = {}
    for (const label of (found[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[label[1] ?? ''] = label[2] ?? ''
    values.set(`${found[1]} ${keyOf(labels)}`, Number(found[3]))
  }
  return values
}

/** Whether a number lies in what repeats of the recording showed. */
function within(expected: unknown, actual: number, slack: number): boolean {
  if (typeof expected === 'number') return Math.abs(expected - actual) <= slack
  if (typeof expected !== 'object' || expected === null) return false
  if ('min' in expected && 'max' in expected) {
    return actual >= Number(expected.min) - slack && actual <= Number(expected.max) + slack
  }
  if ('anyOf' in expected && Array.isArray(expected.anyOf))
    return expected.anyOf.some((value) => within(value, actual, slack))
  return 'onlyInSomeRepeats' in expected
}

function valueDifference(actual: ReadonlyMap<string, number>, key: string, expected: unknown): string | undefined {
  const value = actual.get(key)
  if (value === undefined) return within(expected, 0, 0) || optional(expected) ? undefined : 'missing'
  return within(expected, value, 0) ? undefined : `expected ${JSON.stringify(expected)}, got ${value}`
}

function optional(expected: unknown): boolean {
  return typeof expected === 'object' && expected !== null && 'onlyInSomeRepeats' in expected
}

/** Milliseconds a request's latency may differ from the recorded one (hand-shakes, scheduling). */
const SUM_SLACK_MS = 12

function histogramDifference(
  actual: ReadonlyMap<string, number>,
  family: string,
  key: string,
  expected: unknown
): string | undefined {
  if (typeof expected !== 'object' || expected === null || !('count' in expected) || !('sum' in expected))
    return undefined
  const count = actual.get(`${family}_count ${key}`)
  if (count === undefined) return optional(expected) ? undefined : 'missing'
  if (!within(expected.count, count, 0)) return `count: expected ${JSON.stringify(expected.count)}, got ${count}`
  const sum = actual.get(`${family}_sum ${key}`) ?? 0
  return within(expected.sum, sum, SUM_SLACK_MS * Math.max(1, count))
    ? undefined
    : `sum: expected ${JSON.stringify(expected.sum)}, got ${sum}`
}

/** Compares shares by pod and status: each must lie within five standard deviations of what the recordings show. */
function distributionDifference(source: ProxyCase, played: Played): string | undefined {
  const repeats = source.observed.repeats ?? []
  for (const step of source.steps) {
    if (step.op !== 'load') continue
    const recorded = repeats.flatMap((repeat) => repeat.loads.filter((load) => load.step === step.n))
    const own = countLoad(played, step.n)
    const keys = new Set([...recorded.flatMap((load) => Object.keys(load.byPodAndStatus)), ...own.keys()])
    for (const key of keys) {
      const found = shareDifference(key, recorded, own.get(key) ?? 0)
      if (found !== undefined) return `load ${step.n}: ${found}`
    }
  }
  return undefined
}

function countLoad(played: Played, step: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const response of played.responses) {
    if (response.step !== step) continue
    const key = `${response.servedBy ?? '-'} ${response.status}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

function shareDifference(key: string, recorded: readonly CaseLoad[], own: number): string | undefined {
  const counts = recorded.map((load) => load.byPodAndStatus[key] ?? 0)
  const total = recorded[0]?.n ?? 0
  if (total === 0 || counts.length === 0) return undefined
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const deviation = Math.sqrt(Math.max(1, mean * (1 - mean / total)))
  const spread = Math.max(...counts) - Math.min(...counts)
  const slack = 5 * deviation + spread + 0.03 * total
  return Math.abs(own - mean) <= slack
    ? undefined
    : `${key}: expected about ${Math.round(mean)} of ${total}, got ${own}`
}
