import { availableParallelism } from 'node:os'
import { isTwinError, TwinError } from '../lib/errors/index.ts'
import { wallClock } from '../lib/time/index.ts'
import { formatProblem, loadScenarioFile, type ResolvedScenario } from '../scenario/index.ts'
import { type CaseTask, runTask } from './case-task.ts'
import { discoverFiles } from './discover.ts'
import { readLastFailed, saveLastRun } from './last-run.ts'
import type { SessionObserver } from './observer.ts'
import { OrderedOutput } from './ordered-output.ts'
import { CasePool } from './pool.ts'
import { NO_FIGURES, NOT_RUN, type CaseResult, type SessionSummary } from './result.ts'
import { namePattern, parseShard, shardOf } from './select.ts'
import { worldLoader } from './worlds.ts'

/** What a session runs and how; everything but `files` may be left out. */
export interface SessionOptions {
  /** Scenario files or folders; default `scenarios`. */
  readonly files?: readonly string[]
  /** Default `embedded`. */
  readonly world?: string
  /** Regular expression over `family name[matrix]`. */
  readonly grep?: string
  /** `i/n`. */
  readonly shard?: string
  /** Runs of each case; default 1. Runs of one seed that differ end the session with TWIN_NOT_DETERMINISTIC. */
  readonly repeatEach?: number
  /** Only cases that did not pass last time. */
  readonly lastFailed?: boolean
  /** End after the first case that does not pass. */
  readonly bail?: boolean
  /** Takes precedence over the seeds of the files. */
  readonly seed?: number
  /** Ceiling of simulated seconds per wall second. */
  readonly speed?: number
  /** Threads at most; default the number of cores. 0: in this thread. */
  readonly workers?: number
  /** Default `.twin`. */
  readonly outputFolder?: string
  readonly verbose?: boolean
  readonly versions?: Readonly<Record<string, string>>
  /** Aborted when the user interrupts. */
  readonly signal?: AbortSignal
}

interface Planned {
  readonly scenario: ResolvedScenario
  readonly repetition: number
}

/** Finds, expands, runs and collects. @throws TwinError for wrong usage; what scenarios do ends up in the summary */
export async function runSession(options: SessionOptions, observer: SessionObserver): Promise<SessionSummary> {
  const startWallMs = wallClock.now()
  const world = options.world ?? 'embedded'
  worldLoader(world)
  const { cases, invalid } = loadCases(options)
  observer.onStart?.(cases)
  for (const result of invalid) observer.onCaseEnd?.(result)
  const planned = cases.flatMap((scenario) =>
    Array.from({ length: options.repeatEach ?? 1 }, (_, index) => ({ scenario, repetition: index + 1 }))
  )
  const results = [...invalid, ...(await runAll(planned, { ...options, world }, observer))]
  const summary = summarize(results, {
    wallMs: wallClock.now() - startWallMs,
    interrupted: options.signal?.aborted ?? false
  })
  saveLastRun(options.outputFolder ?? '.twin', results)
  await observer.onEnd?.(summary)
  return summary
}

/** Scenarios that a selection names, and what is wrong with the files that cannot be run. */
export function loadCases(options: SessionOptions): { cases: ResolvedScenario[]; invalid: CaseResult[] } {
  const files = discoverFiles(options.files === undefined || options.files.length === 0 ? ['scenarios'] : options.files)
  const overrides = options.seed === undefined ? {} : { seed: options.seed }
  const loaded = files.map((file) => loadScenarioFile(file, overrides))
  const invalid = loaded.filter((file) => file.problems.length > 0).map(invalidResult)
  const pattern = options.grep === undefined ? undefined : namePattern(options.grep)
  const lastFailed = options.lastFailed === true ? readLastFailed(options.outputFolder ?? '.twin') : undefined
  const chosen = loaded
    .flatMap((file) => file.cases)
    .filter((scenario) => pattern?.test(`${scenario.labels['family'] ?? ''} ${scenario.name}`) ?? true)
    .filter((scenario) => lastFailed?.includes(scenario.name) ?? true)
  requireDistinctNames(chosen)
  if (chosen.length === 0 && invalid.length === 0 && lastFailed === undefined) {
    const what = options.grep === undefined ? 'the named files hold no scenario' : `no case fits --grep ${options.grep}`
    throw new TwinError('TWIN_USAGE', `${what}; see twin list`)
  }
  return { cases: shardOf(chosen, options.shard === undefined ? undefined : parseShard(options.shard)), invalid }
}

function requireDistinctNames(cases: readonly ResolvedScenario[]): void {
  const files = new Map<string, string>()
  for (const { name, file } of cases) {
    const other = files.get(name)
    if (other !== undefined) {
      throw new TwinError(
        'TWIN_SCENARIO_INVALID',
        `two scenarios are called "${name}": ${other} and ${file}; give each its own name`
      )
    }
    files.set(name, file)
  }
}

function invalidResult(loaded: ReturnType<typeof loadScenarioFile>): CaseResult {
  const first = loaded.problems[0]
  return {
    ...emptyResult(loaded.file, loaded.file),
    outcome: 'invalid',
    exitCode: 2,
    error: { code: first?.code ?? 'TWIN_SCENARIO_INVALID', message: loaded.problems.map(formatProblem).join('\n') }
  }
}

function emptyResult(name: string, file: string): Omit<CaseResult, 'outcome' | 'exitCode'> {
  return {
    name,
    file,
    world: '',
    seed: 0,
    repetition: 1,
    verdicts: [],
    stepFailures: [],
    milestones: [],
    loads: [],
    figures: NO_FIGURES,
    sequenceDigest: ''
  }
}

type RunOptions = SessionOptions & { readonly world: string }

async function runAll(
  planned: readonly Planned[],
  options: RunOptions,
  observer: SessionObserver
): Promise<CaseResult[]> {
  const output = new OrderedOutput(observer)
  const inThread = options.workers === 0 || planned.length === 1
  const pool = inThread
    ? undefined
    : new CasePool(Math.min(options.workers ?? Infinity, planned.length, availableParallelism()))
  const stop = new AbortController()
  const interrupt = (): void => {
    stop.abort()
    pool?.stop()
  }
  options.signal?.addEventListener('abort', interrupt, { once: true })
  const runOne = async (plan: Planned, index: number): Promise<CaseResult> => {
    const skipped = skipReason(plan, options, stop.signal)
    let begun = false
    const started = (): void => {
      begun = true
      output.start(index, plan.scenario, plan.repetition)
    }
    const onLine = (line: string): void => output.line(index, line)
    const task = caseTask(plan, options)
    const ended =
      skipped ??
      (await attempt(plan, options, () => {
        if (pool !== undefined) return pool.run(task, onLine, started)
        started()
        return runTask(task, { signal: stop.signal, onLine })
      }))
    // What --bail ended, or an interruption before it began, says nothing about the case.
    const cut = ended.outcome === 'interrupted' && (!begun || options.signal?.aborted !== true)
    const result: CaseResult = cut ? { ...ended, outcome: 'skipped', exitCode: 0, skippedBecause: NOT_RUN } : ended
    output.end(index, result)
    if (options.bail === true && !['passed', 'skipped'].includes(result.outcome)) interrupt()
    return result
  }
  try {
    if (pool !== undefined) return await Promise.all(planned.map(runOne))
    const results: CaseResult[] = []
    for (const [index, plan] of planned.entries()) results.push(await runOne(plan, index))
    return results
  } finally {
    options.signal?.removeEventListener('abort', interrupt)
    await pool?.close()
  }
}

function caseTask(plan: Planned, options: RunOptions): CaseTask {
  return {
    ...plan,
    world: options.world,
    outputFolder: options.outputFolder ?? '.twin',
    ...(options.speed === undefined ? {} : { speed: options.speed }),
    versions: options.versions ?? {},
    verbose: options.verbose ?? false
  }
}

function skipReason(plan: Planned, options: RunOptions, signal: AbortSignal): CaseResult | undefined {
  const base = {
    ...emptyResult(plan.scenario.name, plan.scenario.file),
    world: options.world,
    seed: plan.scenario.seed
  }
  const because = plan.scenario.excludedWorlds[options.world]
  if (because !== undefined) return { ...base, outcome: 'skipped', exitCode: 0, skippedBecause: because }
  if (!signal.aborted) return undefined
  return { ...base, outcome: 'skipped', exitCode: 0, skippedBecause: NOT_RUN }
}

/** A case whose thread broke is a result like any other. */
async function attempt(plan: Planned, options: RunOptions, run: () => Promise<CaseResult>): Promise<CaseResult> {
  try {
    return await run()
  } catch (error) {
    const code = isTwinError(error) ? error.code : 'TWIN_INTERNAL'
    const interrupted = code === 'TWIN_INTERRUPTED'
    return {
      ...emptyResult(plan.scenario.name, plan.scenario.file),
      world: options.world,
      seed: plan.scenario.seed,
      repetition: plan.repetition,
      outcome: interrupted ? 'interrupted' : 'invalid',
      exitCode: interrupted ? 130 : 3,
      error: { code, message: error instanceof Error ? error.message : String(error) }
    }
  }
}

/** Exit codes from the one that says most about what a user has to do to the one that says least. */
const EXIT_CODE_ORDER: readonly number[] = [130, 2, 3, 5, 6, 1, 4]

/** Totals and the exit code of all results together. */
export function summarize(
  results: readonly CaseResult[],
  facts: { readonly wallMs: number; readonly interrupted: boolean }
): SessionSummary {
  const checked = markDifferences(results)
  const count = (outcomes: readonly string[]): number =>
    checked.filter((result) => outcomes.includes(result.outcome)).length
  const codes = new Set(checked.map((result) => result.exitCode))
  if (facts.interrupted) codes.add(130)
  return {
    results: checked,
    passed: count(['passed']),
    failed: count(['failed', 'interrupted']),
    invalid: count(['invalid']),
    skipped: count(['skipped']),
    exitCode: EXIT_CODE_ORDER.find((code) => codes.has(code)) ?? 0,
    wallMs: facts.wallMs
  }
}

/** Runs of one seed that differ from their first run fail, whatever their expectations say. */
function markDifferences(results: readonly CaseResult[]): CaseResult[] {
  const first = new Map<string, CaseResult>()
  return results.map((result) => {
    if (!['passed', 'failed'].includes(result.outcome)) return result
    const key = `${result.name} ${result.seed}`
    const before = first.get(key)
    if (before === undefined) first.set(key, result)
    if (before === undefined || before.sequenceDigest === result.sequenceDigest) return result
    const message = `run ${result.repetition} differs from run ${before.repetition}; compare ${before.trace} with ${result.trace}`
    return { ...result, outcome: 'failed', exitCode: 5, error: { code: 'TWIN_NOT_DETERMINISTIC', message } }
  })
}
