import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type App, type AppContainer, createApp } from '../../src/model/app/index.ts'
import { drive } from './podinfo/app-driver.ts'
import type { CaseOutcome, ConformanceSuite } from './suite.ts'

interface Exchange {
  readonly name: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
    readonly port?: string
  }
  readonly response?: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly json?: unknown
    readonly pretty?: boolean
    readonly text?: string
    readonly secondsAtLeast?: number
  }
  readonly transportError?: string
}

interface Recording {
  readonly version: string
  readonly exchanges: readonly Exchange[]
  readonly metrics: { readonly pathLabels: readonly string[] }
  readonly panic: { readonly exitCode: number | null }
  readonly randomError: { readonly requests: number; readonly distinctStatusesPerSecond: readonly number[] }
  readonly sigterm: { readonly exitAfterSeconds: number; readonly exitCode: number }
  readonly unready: Readonly<Record<string, number>> | null
  readonly unhealthy: Readonly<Record<string, number>> | null
}

const START = Date.UTC(2026, 0, 1)
const HOSTNAME = 'podinfo-6d9f7c8b5-abcde'

/** podinfo's recorded requests and answers, replayed against the model in virtual time. */
export const suite: ConformanceSuite = {
  name: 'podinfo',
  defaultFolder: 'conformance/podinfo',
  async *run(folder) {
    const files = readdirSync(folder).filter((file) => file.startsWith('exchanges-'))
    for (const file of files.toSorted()) {
      const recording: Recording = JSON.parse(readFileSync(join(folder, file), 'utf8'))
      yield* exchanges(recording)
      yield* behaviours(recording)
    }
  }
}

function start(version: string, args: readonly string[] = [], seed = 1): App {
  // The configuration folder of 1.7.0 was not there when it was recorded.
  const files: Record<string, string> = { './ui/vue.html': '<!DOCTYPE html><title>{{.Title}}</title>\n' }
  if (version !== '1.7.0') files['/config/sample.conf'] = 'key=value\n'
  const container: AppContainer = {
    name: 'podinfod',
    image: `stefanprodan/podinfo:${version}`,
    command: ['./podinfo', '--port=9898', '--port-metrics=9797', '--config-path=/config'],
    args,
    env: [
      ['PATH', '/bin'],
      ['HOME', '/root'],
      ['HOSTNAME', HOSTNAME],
      ['PODINFO_UI_COLOR', '#ff0000']
    ],
    hostname: HOSTNAME,
    namespace: 'test',
    files,
    containerPorts: [9898]
  }
  return createApp({ spec: { app: 'podinfo', faults: [], options: {} }, container, seed, startedAt: START })
}

function* exchanges(recording: Recording): Iterable<CaseOutcome> {
  const app = start(recording.version)
  let token = ''
  for (const exchange of recording.exchanges) {
    const id = `${recording.version}: ${exchange.name}`
    const { request } = exchange
    const headers = Object.entries({
      'User-Agent': 'curl/7.88.1',
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      ...request.headers
    }).map(([name, value]): [string, string] => [name, value.replace('<token from POST /token>', token)])
    const driven = drive(
      app,
      {
        method: request.method,
        target: request.path,
        headers,
        body: request.body ?? '',
        port: request.port === 'metrics' ? 9797 : 9898
      },
      START + 1000
    )
    if (driven.answer.kind === 'response' && exchange.name.startsWith('token')) {
      token = /"token": "([^"]+)"/.exec(driven.answer.body)?.[1] ?? token
    }
    yield outcome(id, difference(exchange, driven))
  }
  const metrics = drive(app, { target: '/metrics', port: 9797 }, START).answer
  const text = metrics.kind === 'response' ? metrics.body : ''
  const labels = new Set([...text.matchAll(/path="([^"]+)"/g)].map((found) => found[1]))
  const expected = [...recording.metrics.pathLabels].toSorted()
  const actual = [...labels].toSorted()
  yield outcome(
    `${recording.version}: path labels`,
    isDeepStrictEqual(actual, expected) ? undefined : `expected ${expected.join(' ')}, got ${actual.join(' ')}`
  )
}

function outcome(id: string, firstDifference: string | undefined): CaseOutcome {
  return firstDifference === undefined ? { id, passed: true } : { id, passed: false, firstDifference }
}

function difference(exchange: Exchange, driven: ReturnType<typeof drive>): string | undefined {
  const { answer } = driven
  const expected = exchange.response
  if (expected === undefined)
    return answer.kind === 'close' ? undefined : `expected a closed connection, got ${answer.kind}`
  if (answer.kind !== 'response') return `expected ${expected.status}, got ${answer.kind}`
  if (answer.status !== expected.status) return `expected status ${expected.status}, got ${answer.status}`
  if ((expected.secondsAtLeast ?? 0) * 1000 > driven.elapsedMs) return `answered after ${driven.elapsedMs} ms`
  return headerDifference(exchange, driven) ?? bodyDifference(expected, answer.body)
}

function headerDifference(exchange: Exchange, driven: ReturnType<typeof drive>): string | undefined {
  const { answer } = driven
  if (answer.kind !== 'response' || exchange.response === undefined) return undefined
  const own = new Map(Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value]))
  const chunked = own.has('transfer-encoding')
  if (!chunked && answer.status !== 204) own.set('content-length', String(Buffer.byteLength(answer.body)))
  for (const [name, value] of Object.entries(exchange.response.headers)) {
    // The document served here is the twin's own and shorter: its framing is not compared.
    if (exchange.name === 'swagger' && name === 'transfer-encoding') continue
    // The page names the host, whose length was another one when it was recorded.
    if (exchange.response.text?.includes('<hostname>') === true && name === 'content-length') continue
    if (own.get(name) !== value) return `header ${name}: expected ${value}, got ${own.get(name) ?? 'none'}`
  }
  const extra = [...own.keys()].find(
    (name) => name !== 'content-length' && exchange.response?.headers[name] === undefined
  )
  return extra === undefined ? undefined : `unexpected header ${extra}: ${own.get(extra)}`
}

function bodyDifference(expected: NonNullable<Exchange['response']>, body: string): string | undefined {
  if (expected.json !== undefined) {
    let actual: unknown
    try {
      actual = JSON.parse(body)
    } catch {
      return `expected JSON, got ${body}`
    }
    const pretty = JSON.stringify(actual, undefined, 2) === body || /[<>&]/.test(body) || body.includes('\\u00')
    if (expected.pretty === true && !pretty) return `not indented as expected: ${body}`
    return jsonDifference(expected.json, actual, '')
  }
  if (expected.text === undefined || matchesText(expected.text, body)) return undefined
  return `expected ${JSON.stringify(expected.text)}, got ${JSON.stringify(body.slice(0, 200))}`
}

function matchesText(expected: string, actual: string): boolean {
  // A recorded document that was cut off compares by its first field.
  if (expected.endsWith('...')) return actual.startsWith(expected.slice(0, 30))
  const pattern = expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/<(hostname|revision|commit|n|jwt)>/g, '.+')
  return new RegExp(`^${pattern}$`, 's').test(actual)
}

function jsonDifference(expected: unknown, actual: unknown, path: string): string | undefined {
  if (typeof expected === 'string' && /^<.+>$/.test(expected)) {
    return typeof actual === 'string' && actual !== ''
      ? undefined
      : `${path}: expected ${expected}, got ${String(actual)}`
  }
  if (typeof expected !== 'object' || expected === null) {
    return expected === actual ? undefined : `${path}: expected ${String(expected)}, got ${String(actual)}`
  }
  if (typeof actual !== 'object' || actual === null) return `${path}: expected an object`
  const left = Object.entries(expected)
  const right = new Map(Object.entries(actual))
  if (left.map(([key]) => key).join() !== [...right.keys()].join()) {
    return `${path}: expected keys ${left.map(([key]) => key).join()}, got ${[...right.keys()].join()}`
  }
  for (const [key, value] of left) {
    const found = jsonDifference(value, right.get(key), `${path}/${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

function* behaviours(recording: Recording): Iterable<CaseOutcome> {
  const { version } = recording
  const panicked = drive(start(version), { target: '/panic' }, START)
  const exit = panicked.exitCode ?? null
  yield outcome(
    `${version}: panic`,
    exit === recording.panic.exitCode && panicked.answer.kind === 'close'
      ? undefined
      : `expected exit ${recording.panic.exitCode}, got ${exit} (${panicked.answer.kind})`
  )
  const stopped = start(version).terminate(START)
  yield outcome(
    `${version}: sigterm`,
    stopped.drainMs === recording.sigterm.exitAfterSeconds * 1000 && stopped.exitCode === recording.sigterm.exitCode
      ? undefined
      : `drains ${stopped.drainMs} ms`
  )
  yield outcome(`${version}: random errors by second`, randomErrorDifference(recording))
  for (const flag of ['unready', 'unhealthy'] as const) {
    const expected = recording[flag]
    if (expected === null || expected === undefined) continue
    const app = start(version, [`--${flag}`])
    const wrong = Object.entries(expected).find(([path, status]) => {
      const { answer } = drive(app, { target: path === 'root' ? '/' : `/${path}` }, START)
      return answer.kind !== 'response' || answer.status !== status
    })
    yield outcome(`${version}: --${flag}`, wrong === undefined ? undefined : `${wrong[0]} is not ${wrong[1]}`)
  }
}

function randomErrorDifference(recording: Recording): string | undefined {
  const app = start(recording.version, ['--random-error'], 3)
  const bySecond = new Map<number, Set<number>>()
  for (let index = 0; index < recording.randomError.requests; index++) {
    const at = START + index * 20
    const { answer } = drive(app, { target: '/', key: String(index) }, at)
    const second = Math.floor((at + 5) / 1000)
    const seen = bySecond.get(second) ?? new Set()
    // Requests at the very edge of a second may draw for the next one.
    if (at % 1000 < 980) seen.add(answer.kind === 'response' ? answer.status : 0)
    bySecond.set(second, seen)
  }
  const most = Math.max(...[...bySecond.values()].map((seen) => seen.size))
  const clustered = recording.randomError.distinctStatusesPerSecond.every((count) => count === 1)
  return clustered === (most === 1) ? undefined : `up to ${most} statuses in one second`
}
