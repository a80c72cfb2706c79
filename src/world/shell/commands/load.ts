import { defineCommand } from 'just-bash'
import type { Command } from 'just-bash'
import type { ShellLoad, ShellLoadSample } from '../ports.ts'
import { lend, type ShellSession } from '../session.ts'
import { heyReport } from './hey-report.ts'
import { type OptionTable, type ParsedOptions, parseOptions } from './options.ts'
import { failed, parseToolDuration } from './time.ts'

const HEY_OPTIONS: OptionTable = {
  '-n': { name: 'n', kind: 'value' },
  '-c': { name: 'c', kind: 'value' },
  '-q': { name: 'q', kind: 'value' },
  '-z': { name: 'z', kind: 'value' },
  '-o': { name: 'o', kind: 'value' },
  '-m': { name: 'm', kind: 'value' },
  '-H': { name: 'H', kind: 'list' },
  '-t': { name: 't', kind: 'value' },
  '-A': { name: 'A', kind: 'value' },
  '-d': { name: 'd', kind: 'value' },
  '-T': { name: 'T', kind: 'value' },
  '-a': { name: 'a', kind: 'value' },
  '-U': { name: 'U', kind: 'value' },
  '-host': { name: 'host', kind: 'value' },
  '-cpus': { name: 'cpus', kind: 'value' },
  '-disable-compression': { name: 'disable-compression', kind: 'flag' },
  '-disable-keepalive': { name: 'disable-keepalive', kind: 'flag' },
  '-disable-redirects': { name: 'disable-redirects', kind: 'flag' }
}

const USAGE = '\nUsage: hey [options...] <url>\n\n'

/** Most workers of one load; hey's own default is 50. */
const WORKERS_MAX = 500

/**
 * `hey` (0.1.4) on simulated time: closed-loop workers, each with its own ticker, made by autocannon through the gate.
 * HTTP/2, proxies and body files are not modelled; redirects are not followed.
 */
export function heyCommand(session: ShellSession): Command {
  return defineCommand('hey', async (args, ctx) => {
    const options = parseOptions(args, HEY_OPTIONS, true)
    if ('unknown' in options) return failed(2, `flag provided but not defined: ${options.unknown}\n${USAGE}`)
    if ('missing' in options) return failed(2, `flag needs an argument: ${options.missing}\n${USAGE}`)
    const load = heyLoad(options)
    if (typeof load === 'string') return failed(1, `${load}\n${USAGE}`)
    const startMs = session.ports.clock.now()
    const samples = await lend(session, () => session.ports.load(session.place, load, ctx.signal ?? session.signal))
    const totalMs = session.ports.clock.now() - startMs
    const verb = load.method.charAt(0) + load.method.slice(1).toLowerCase()
    const describe = (sample: ShellLoadSample): string => `${verb} "${load.url.href}": ${goError(load, sample)}`
    if (options.values.get('o') === 'csv') return { stdout: csv(samples), stderr: '', exitCode: 0 }
    return { stdout: heyReport(samples, Math.max(totalMs, 0.1), describe), stderr: '', exitCode: 0 }
  })
}

function heyLoad(options: ParsedOptions): ShellLoad | string {
  const text = options.rest[0]
  if (text === undefined) return ''
  const count = Number(options.values.get('n') ?? 200)
  const workers = Number(options.values.get('c') ?? 50)
  const durationText = options.values.get('z')
  const durationMs = durationText === undefined ? undefined : parseToolDuration(durationText)
  if (durationText !== undefined && durationMs === undefined)
    return `invalid value "${durationText}" for flag -z: parse error`
  if (!Number.isInteger(count) || !Number.isInteger(workers)) return 'invalid value for flag -n or -c: parse error'
  if (durationMs === undefined && (count <= 0 || workers <= 0)) return '-n and -c cannot be smaller than 1.'
  if (workers <= 0) return '-c cannot be smaller than 1.'
  if (durationMs === undefined && count < workers) return '-n cannot be less than -c.'
  if (workers > WORKERS_MAX) return `-c cannot be larger than ${WORKERS_MAX} in the twin.`
  if (!URL.canParse(text)) return `parse "${text}": invalid URI for request`
  const headers = heyHeaders(options)
  if (typeof headers === 'string') return headers
  const rate = Number(options.values.get('q') ?? 0)
  const body = options.values.get('d')
  const timeoutSeconds = Number(options.values.get('t') ?? 20)
  return {
    name: 'hey',
    method: (options.values.get('m') ?? 'GET').toUpperCase(),
    url: new URL(text),
    headers,
    ...(body === undefined ? {} : { body }),
    workers,
    ...(rate > 0 ? { ratePerWorker: rate } : {}),
    ...(durationMs === undefined ? { requestsPerWorker: Math.floor(count / workers) } : { durationMs }),
    ...(timeoutSeconds > 0 ? { timeoutMs: timeoutSeconds * 1000 } : {})
  }
}

function heyHeaders(options: ParsedOptions): Readonly<Record<string, string>> | string {
  const headers: Record<string, string> = {
    'content-type': options.values.get('T') ?? 'text/html',
    'user-agent': options.values.get('U') ?? 'hey/0.0.1'
  }
  if (!options.flags.has('disable-compression')) headers['accept-encoding'] = 'gzip'
  for (const header of options.lists.get('H') ?? []) {
    const match = /^([\w-]+):\s*(.+)/.exec(header)
    if (match === null) return `could not parse the provided input; input = ${header}`
    headers[(match[1] ?? '').toLowerCase()] = match[2] ?? ''
  }
  const accept = options.values.get('A')
  if (accept !== undefined) headers['accept'] = accept
  const host = options.values.get('host')
  if (host !== undefined) headers['host'] = host
  const auth = options.values.get('a')
  if (auth !== undefined) headers['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`
  return headers
}

/** The words Go's HTTP client has for a failure. */
function goError(load: ShellLoad, sample: ShellLoadSample): string {
  const port = load.url.port === '' ? '80' : load.url.port
  switch (sample.error?.reason) {
    case 'timeout':
      return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    case 'refused':
      return `dial tcp ${load.url.hostname}:${port}: connect: connection refused`
    case 'resolve':
      return `dial tcp: lookup ${load.url.hostname}: no such host`
    default:
      return 'EOF'
  }
}

function csv(samples: readonly ShellLoadSample[]): string {
  const lines = samples
    .filter((sample) => sample.status !== undefined)
    .map((sample) => {
      const seconds = (sample.latencyMs / 1000).toFixed(4)
      return `${seconds},0.0000,0.0000,0.0000,${seconds},0.0000,${sample.status},${(sample.offsetMs / 1000).toFixed(4)}\n`
    })
  return `response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n${lines.join('')}`
}

const WRK_OPTIONS: OptionTable = {
  '-t': { name: 'threads', kind: 'value' },
  '--threads': { name: 'threads', kind: 'value' },
  '-c': { name: 'connections', kind: 'value' },
  '--connections': { name: 'connections', kind: 'value' },
  '-d': { name: 'duration', kind: 'value' },
  '--duration': { name: 'duration', kind: 'value' },
  '-H': { name: 'H', kind: 'list' },
  '--header': { name: 'H', kind: 'list' },
  '--timeout': { name: 'timeout', kind: 'value' },
  '--latency': { name: 'latency', kind: 'flag' }
}

/** `wrk` (4.2) on simulated time: unpaced closed loop; Lua scripts are not modelled. */
export function wrkCommand(session: ShellSession): Command {
  return defineCommand('wrk', async (args, ctx) => {
    const options = parseOptions(args, WRK_OPTIONS)
    if ('unknown' in options) return failed(1, `wrk: the option ${options.unknown} is not modelled\n`)
    if ('missing' in options) return failed(1, `wrk: the option ${options.missing} needs a value\n`)
    const text = options.rest[0] ?? ''
    const durationMs = parseToolDuration(options.values.get('duration') ?? '10s')
    const workers = Number(options.values.get('connections') ?? 10)
    if (!URL.canParse(text) || durationMs === undefined || !(workers > 0 && workers <= WORKERS_MAX)) {
      return failed(1, `Usage: wrk <options> <url>\n`)
    }
    const headers: Record<string, string> = {}
    for (const header of options.lists.get('H') ?? []) {
      const colon = header.indexOf(':')
      if (colon > 0) headers[header.slice(0, colon).toLowerCase()] = header.slice(colon + 1).trim()
    }
    const load: ShellLoad = { name: 'wrk', method: 'GET', url: new URL(text), headers, workers, durationMs }
    const samples = await lend(session, () => session.ports.load(session.place, load, ctx.signal ?? session.signal))
    return {
      stdout: wrkReport(load, samples, durationMs, options.values.get('threads') ?? '2'),
      stderr: '',
      exitCode: 0
    }
  })
}

function wrkReport(load: ShellLoad, samples: readonly ShellLoadSample[], durationMs: number, threads: string): string {
  const seconds = durationMs / 1000
  const latencies = samples.map((sample) => sample.latencyMs)
  const mean = latencies.reduce((sum, value) => sum + value, 0) / Math.max(1, latencies.length)
  const bytes = samples.reduce((sum, sample) => sum + sample.bytes, 0)
  const bad = samples.filter((sample) => (sample.status ?? 0) >= 400).length
  return [
    `Running ${seconds}s test @ ${load.url.href}`,
    `  ${threads} threads and ${load.workers} connections`,
    '  Thread Stats   Avg',
    `    Latency   ${mean.toFixed(2)}ms`,
    `  ${samples.length} requests in ${seconds.toFixed(2)}s, ${(bytes / 1024).toFixed(2)}KB read`,
    ...(bad > 0 ? [`  Non-2xx or 3xx responses: ${bad}`] : []),
    `Requests/sec: ${(samples.length / seconds).toFixed(2)}`,
    `Transfer/sec: ${(bytes / seconds / 1024).toFixed(2)}KB`,
    ''
  ].join('\n')
}

/** Programs that scripts of load testers name and that the twin does not model: they fail with a clear word. */
export function unmodelledCommand(name: string, why: string): Command {
  return defineCommand(name, () => Promise.resolve(failed(127, `${name}: not modelled by the twin: ${why}\n`)))
}
