/**
 * Measures the twin and prints each figure beside its bar. Figures of wall time belong to the machine they were taken on:
 * run it on an idle one. Usage: `npm run bench [-- <words of the rows wanted>]`
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { keepCompiledCode } from '../src/cli/compile-cache.ts'

// As the command does: otherwise the first pass over everything is mostly compiling.
keepCompiledCode()

const projectRoot: string = resolve(import.meta.dirname, '..')
const main: string = join(projectRoot, 'src', 'cli', 'main.ts')
const run = promisify(execFile)

/** One row of the table. */
interface Row {
  readonly name: string
  readonly bar: string
  readonly target: string
  /** Returns the figure, or why there is none. */
  measure(): Promise<string>
}

/** What `twin run --reporter json` writes, as far as it is read here. */
interface Report {
  readonly exitCode: number
  readonly wallMs: number
  readonly results: readonly {
    readonly name: string
    readonly outcome: string
    readonly figures: {
      readonly wallMs: number
      readonly wallMsBy: Readonly<Record<string, number>>
      readonly tlsHandshakes: number
      readonly peakRssBytes: number
    }
  }[]
}

async function runScenarios(words: readonly string[]): Promise<{ report: Report; processMs: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'twin-bench-'))
  const start = performance.now()
  try {
    const file = join(folder, 'report.json')
    const all = [main, 'run', ...words, '--output', join(folder, 'out'), '--reporter', `json=${file}`]
    // A scenario that does not pass is a row of its own, not an error of the bench.
    await run(process.execPath, all, { cwd: projectRoot, maxBuffer: 1e8 }).catch(() => undefined)
    const processMs = performance.now() - start
    return { report: JSON.parse(readFileSync(file, 'utf8')) as Report, processMs }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

/** Wall milliseconds of a command that ends by itself. */
async function timed(command: string, words: readonly string[]): Promise<number> {
  const start = performance.now()
  await run(command, [...words])
  return performance.now() - start
}

/** From the start of the process to the first answer of `kubectl get ns`, over what kubectl and node need by themselves. */
async function apiReady(): Promise<string> {
  const over: number[] = []
  for (let round = 0; round < 3; round++) {
    const own = (await timed('kubectl', ['version', '--client'])) + (await timed(process.execPath, ['-e', '0']))
    const start = performance.now()
    const child = spawn(process.execPath, [main, 'up'], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const kubeconfig = await printedKubeconfig(child)
      await run('kubectl', ['--kubeconfig', kubeconfig, 'get', 'ns'])
      over.push(performance.now() - start - own)
    } finally {
      child.kill('SIGINT')
      await new Promise((ended) => child.once('close', ended))
    }
  }
  return `${Math.round(median(over))} ms`
}

async function printedKubeconfig(child: ChildProcess): Promise<string> {
  let printed = ''
  return new Promise((found, failed) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8')
      const path = /(\/\S*kubeconfig\S*)/.exec(printed)?.[1]
      if (path !== undefined) found(path)
    })
    child.once('close', () => failed(new Error(`twin up ended: ${printed}`)))
  })
}

/** One canary alone: wall time, memory, where the time went. */
async function oneCanary(): Promise<string> {
  const { report } = await runScenarios(['scenarios/gatewayapi/promote.yaml'])
  const [only] = report.results
  if (only === undefined || only.outcome !== 'passed') return `the scenario ${only?.outcome ?? 'is missing'}`
  const { wallMs, wallMsBy, tlsHandshakes, peakRssBytes } = only.figures
  const uses = Object.entries(wallMsBy).map(([use, ms]) => `${use} ${seconds(ms)}`)
  return `${seconds(wallMs)} (${uses.join(', ')}; ${tlsHandshakes} TLS handshakes; peak RSS ${Math.round(peakRssBytes / 1e6)} MB)`
}

async function allScenarios(): Promise<string> {
  const { report, processMs } = await runScenarios([])
  const passed = report.results.filter((result) => result.outcome === 'passed').length
  return `${seconds(processMs)} (${passed} of ${report.results.length} passed)`
}

async function proxyHop(): Promise<string> {
  const { benchProxyHop } = await import('../test/bench/proxy-hop.ts')
  const figures = await benchProxyHop()
  return `+${figures.addedP50Ms.toFixed(2)} ms p50, +${figures.addedP99Ms.toFixed(2)} ms p99 at ${figures.rate} rps`
}

async function virtualCanary(): Promise<string> {
  const { benchVirtualRollouts } = await import('../test/bench/virtual-rollouts.ts')
  const figures = await benchVirtualRollouts(10_000)
  const { meanMs, p50Ms, p99Ms, leastMs, runs, meanMsBy } = figures
  const uses = Object.entries(meanMsBy).map(([use, ms]) => `${use} ${ms.toFixed(2)}`)
  const times = `${meanMs.toFixed(1)} ms mean, ${p50Ms.toFixed(1)} median, ${p99Ms.toFixed(1)} p99, ${leastMs.toFixed(1)} least`
  return (
    `${times} over ${runs} runs, ${Math.round(1000 / meanMs)} runs/s per core (${uses.join(', ')}); ` +
    `peak RSS ${Math.round(figures.peakRssBytes / 1e6)} MB, of the first 1,000 runs ${Math.round(figures.firstRssBytes / 1e6)} MB`
  )
}

const sharedRoot: string = process.env['TWIN_SHARED'] ?? resolve(projectRoot, '..', 'shared')
/** Rooms named in the row of the golden traces. */
const NAMED_ROOMS = 6

/** All golden traces in this process, the first time, and where the time goes once everything is compiled. */
async function goldenSync(): Promise<string> {
  const { benchGoldenReplay } = await import('../test/bench/golden-replay.ts')
  const figures = await benchGoldenReplay(join(sharedRoot, 'golden'))
  const { cases, passed, threadSeconds, againSeconds } = figures
  const shares = [...figures.shares]
    .slice(0, NAMED_ROOMS)
    .map(([room, share]) => `${room} ${Math.round(share * 100)} %`)
  const times = `${figures.wallSeconds.toFixed(2)} s, ${threadSeconds.toFixed(2)} s of the thread`
  return `${times} (again ${againSeconds.toFixed(2)} s; ${passed} of ${cases} passed; ${shares.join(', ')})`
}

/** A conformance suite in a process of its own: its time and its closing lines. */
async function suiteTime(...words: readonly string[]): Promise<string> {
  const start = performance.now()
  const all = [join(projectRoot, 'scripts', 'conformance.ts'), ...words]
  const { stdout } = await run(process.execPath, all, { cwd: projectRoot, maxBuffer: 1e8 })
  const lines = stdout.trim().split('\n')
  const cpu = lines.find((line) => /\d CPU seconds/.test(line))
  return `${seconds(performance.now() - start)} (${[lines.at(-1), cpu].filter((line) => line !== undefined).join('; ')})`
}

/** Clone, install, run: what a newcomer waits for. Needs the package registry. */
async function cleanClone(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'twin-clone-'))
  try {
    const start = performance.now()
    await run('git', ['clone', '--quiet', projectRoot, join(folder, 'twin')])
    const cwd = join(folder, 'twin')
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd, maxBuffer: 1e8 })
    await run('npm', ['run', 'scenario'], { cwd, maxBuffer: 1e8 })
    return seconds(performance.now() - start)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const ROWS: readonly Row[] = [
  { name: 'API ready over kubectl and node', bar: '≤ 300 ms', target: '', measure: apiReady },
  {
    name: 'one 10 → 50 % canary, 20 requests/s',
    bar: '≤ 5 s, ≤ 350 MB, ≤ 10 handshakes',
    target: '3 s, 250 MB',
    measure: oneCanary
  },
  { name: 'golden traces, synchronous, one process', bar: '≤ 2 s', target: '1 s', measure: goldenSync },
  {
    name: 'golden traces, asynchronous',
    bar: '≤ 120 s',
    target: '60 s',
    measure: () => suiteTime('golden', '--driver', 'async')
  },
  { name: 'crash drills', bar: '≤ 120 s', target: '', measure: () => suiteTime('crash') },
  {
    name: 'the same canary in the virtual world',
    bar: '≤ 5 ms mean, 1,000 in ≤ 256 MB',
    target: '1 ms',
    measure: virtualCanary
  },
  { name: 'all scenarios', bar: '≤ 120 s', target: '60 s', measure: allScenarios },
  { name: 'one proxy hop', bar: 'p99 ≤ +2 ms at 2,000 rps', target: '+1 ms', measure: proxyHop },
  { name: 'clean clone', bar: '≤ 4 min', target: '2 min', measure: cleanClone }
]

const wanted: readonly string[] = process.argv.slice(2)
const chosen: readonly Row[] = ROWS.filter(
  (row) => wanted.length === 0 || wanted.some((word) => row.name.includes(word))
)
console.log(
  `${readdirSync(join(projectRoot, 'scenarios')).length} families of scenarios, Node ${process.versions.node}\n`
)
console.log('| what | measured | bar | then |')
console.log('|---|---|---|---|')
for (const row of chosen) {
  const figure = await row
    .measure()
    .catch((error: unknown) => `failed: ${error instanceof Error ? error.message : String(error)}`)
  console.log(`| ${row.name} | ${figure.split('\n')[0] ?? ''} | ${row.bar} | ${row.target} |`)
}
process.exit(0)
