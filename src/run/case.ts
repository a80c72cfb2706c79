import { judge, type Verdict } from '../check/index.ts'
import { ERROR_CODES, type ErrorCode, isTwinError, TwinError } from '../lib/errors/index.ts'
import { wallClock } from '../lib/time/index.ts'
import { refusalText, type ResolvedScenario } from '../scenario/index.ts'
import { alertText, milestoneOf, type TraceEvent } from '../trace/index.ts'
import type { World, WorldFigures, WorldSpec } from '../world/index.ts'
import { sequenceDigest } from './digest.ts'
import { Ending } from './ending.ts'
import { undelivered } from './load-check.ts'
import {
  NO_FIGURES,
  type CaseResult,
  type Outcome,
  type ResultAlert,
  type ResultMilestone,
  type StepFailure
} from './result.ts'
import { StepRunner } from './steps.ts'
import { caseFolder, TraceFile } from './trace-file.ts'

/** Wall milliseconds a world has to end. */
const STOP_WALL_MS = 5000

/** Makes a world; each of {@link CaseOptions.world}'s names has one. */
export type CreateWorld = (spec: WorldSpec) => Promise<World>

/** How a case is run. */
export interface CaseOptions {
  readonly world: string
  readonly createWorld: CreateWorld
  readonly outputFolder: string
  readonly repetition: number
  /** Ceiling of simulated seconds per wall second; absent: none. */
  readonly speed?: number
  /** Versions for the trace's header. */
  readonly versions: Readonly<Record<string, string>>
  /** Aborted when the user interrupts. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: TraceEvent) => void
}

/** Runs one case from start to verdict. It never throws for what a scenario or a world does. */
export async function runCase(scenario: ResolvedScenario, options: CaseOptions): Promise<CaseResult> {
  const startWallMs = wallClock.now()
  const folder = caseFolder(options.outputFolder, scenario.name, options.repetition)
  const header = runFacts(scenario, options)
  const trace = new TraceFile(folder, { file: scenario.file, ...header })
  const session = new CaseSession(scenario, options, trace)
  try {
    await session.play(header)
  } catch (error) {
    session.fail(error)
  } finally {
    await session.close()
    trace.close()
  }
  return session.result(wallClock.now() - startWallMs, trace.path)
}

type RunFacts = Omit<Extract<TraceEvent, { kind: 'run' }>, 'kind' | 'atMs' | 'seq'>

function runFacts(scenario: ResolvedScenario, options: CaseOptions): RunFacts {
  return {
    scenario: scenario.name,
    world: options.world,
    seed: scenario.seed,
    speed: options.speed === undefined ? 'unlimited' : String(options.speed),
    versions: options.versions,
    inputsDigest: scenario.inputsDigest
  }
}

class CaseSession {
  readonly #scenario: ResolvedScenario
  readonly #options: CaseOptions
  readonly #trace: TraceFile
  readonly #events: TraceEvent[] = []
  readonly #stepFailures: StepFailure[] = []
  #world: World | undefined
  #steps: StepRunner | undefined
  #error: { code: ErrorCode; message: string } | undefined
  #verdicts: readonly Verdict[] = []
  #figures: WorldFigures | undefined

  constructor(scenario: ResolvedScenario, options: CaseOptions, trace: TraceFile) {
    this.#scenario = scenario
    this.#options = options
    this.#trace = trace
  }

  /** Starts the world, takes the steps, waits for the end, judges. */
  async play(header: RunFacts): Promise<void> {
    this.#throwIfInterrupted()
    const world = await this.#startWorld()
    this.#world = world
    world.onTrace((event) => this.#onEvent(event))
    world.record({ kind: 'run', ...header })
    await this.#untilEnd(world)
    this.#judge(world)
    const late = undelivered(world.figures().load)
    if (late !== undefined) throw new TwinError('TWIN_LOAD_NOT_DELIVERED', late)
  }

  /** Starts the world; an interruption does not wait for it. */
  async #startWorld(): Promise<World> {
    const starting = this.#options.createWorld(worldSpec(this.#scenario, this.#options))
    const { signal } = this.#options
    if (signal === undefined) return starting
    const interrupted = Promise.withResolvers<never>()
    const interrupt = (): void => interrupted.reject(new TwinError('TWIN_INTERRUPTED', 'interrupted'))
    signal.addEventListener('abort', interrupt, { once: true })
    try {
      return await Promise.race([starting, interrupted.promise])
    } catch (error) {
      // A world that comes too late is ended as soon as it is there; how it failed is of no interest then.
      starting.then(stopWorld, () => undefined)
      throw error
    } finally {
      signal.removeEventListener('abort', interrupt)
    }
  }

  /** Notes what ended the run early. */
  fail(error: unknown): void {
    const code: ErrorCode = isTwinError(error) ? error.code : 'TWIN_INTERNAL'
    const message = refusal(this.#scenario, error) ?? (error instanceof Error ? error.message : String(error))
    this.#error = { code, message }
    if (this.#world === undefined) {
      this.#trace.add({ kind: 'error', code, message, atMs: 0, seq: 0 })
      return
    }
    if (code === 'TWIN_TIME_BUDGET' || code === 'TWIN_INTERRUPTED') this.#judge(this.#world)
    this.#record({ kind: 'error', code, message })
  }

  /** Ends the world, however far it got. */
  async close(): Promise<void> {
    const world = this.#world
    this.#steps?.stop()
    if (world === undefined) return
    this.#figures = world.figures()
    const { simulatedMs, wallMs } = this.#figures
    this.#record({ kind: 'end', outcome: this.#outcome(), wallMs, simulatedMs })
    await stopWorld(world)
  }

  result(wallMs: number, trace: string): CaseResult {
    const scenario = this.#scenario
    const outcome = this.#outcome()
    const figures = this.#figures
    const judged = userRequestsJudged(this.#events)
    return {
      name: scenario.name,
      file: scenario.file,
      world: this.#options.world,
      seed: scenario.seed,
      repetition: this.#options.repetition,
      outcome,
      exitCode: outcome === 'passed' ? 0 : this.#error === undefined ? 1 : ERROR_CODES[this.#error.code].exitCode,
      verdicts: this.#verdicts,
      stepFailures: this.#stepFailures,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      milestones: resultMilestones(this.#events),
      ...resultAlerts(this.#events),
      loads: figures?.load ?? [],
      ...(judged.length === 0 ? {} : { userRequests: Math.max(...judged) }),
      checks: { judged: judged.length, blind: judged.filter((count) => count === 0).length },
      figures: figures === undefined ? { ...NO_FIGURES, wallMs } : { ...figures, wallMs },
      trace,
      sequenceDigest: sequenceDigest(this.#events)
    }
  }

  /** Resolves when the run is over; rejects when something ends it early. */
  async #untilEnd(world: World): Promise<void> {
    const { signal } = this.#options
    const scenario = this.#scenario
    let wallTimer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve, reject) => {
      const ending = new Ending({
        time: world.time,
        expectations: scenario.expect,
        events: this.#events,
        onEnd: resolve
      })
      const steps = new StepRunner(world, this.#events, {
        onFailure: (failure) => {
          this.#stepFailures.push(failure)
          resolve()
        },
        onProgress: () => ending.look()
      })
      this.#steps = steps
      this.#onLook = (event) => {
        steps.onEvent(event)
        ending.onEvent(event)
      }
      const interrupted = (): void => reject(new TwinError('TWIN_INTERRUPTED', 'interrupted'))
      signal?.addEventListener('abort', interrupted, { once: true })
      world.failed.catch(reject)
      world.time.at(scenario.timeoutMs, () => reject(budgetError(scenario.timeoutMs, 'simulated', steps)))
      wallTimer = setTimeout(() => reject(budgetError(scenario.wallTimeoutMs, 'wall', steps)), scenario.wallTimeoutMs)
      steps.run(scenario.steps).then(() => ending.stepsTaken(steps), reject)
      world.start()
    }).finally(() => clearTimeout(wallTimer))
    for (const step of this.#stepFailures.length > 0 ? [] : (this.#steps?.unseen ?? [])) {
      this.#stepFailures.push({ ...step.place, step: step.text, message: 'its moment never came' })
    }
  }

  #onLook: (event: TraceEvent) => void = () => {}

  #onEvent(event: TraceEvent): void {
    this.#events.push(event)
    this.#trace.add(event)
    this.#options.onEvent?.(event)
    this.#onLook(event)
  }

  #judge(world: World): void {
    this.#steps?.stop()
    this.#verdicts = judge(this.#scenario.expect, {
      events: this.#events,
      loads: world.figures().load,
      object: (kind, name) => world.get(kind, name),
      query: (expression) => world.query(expression)
    })
  }

  #record(body: Parameters<World['record']>[0]): void {
    this.#onLook = () => {}
    this.#world?.record(body)
  }

  #outcome(): Outcome {
    const code = this.#error?.code
    if (code === 'TWIN_INTERRUPTED') return 'interrupted'
    if (code === 'TWIN_TIME_BUDGET' || code === 'TWIN_HOLD_STUCK') return 'failed'
    if (code !== undefined) return 'invalid'
    return this.#stepFailures.length === 0 && this.#verdicts.every((verdict) => verdict.met) ? 'passed' : 'failed'
  }

  #throwIfInterrupted(): void {
    if (this.#options.signal?.aborted === true) throw new TwinError('TWIN_INTERRUPTED', 'interrupted')
  }
}

/** What the API said about a manifest, on the user's own text; undefined for every other error. */
function refusal(scenario: ResolvedScenario, error: unknown): string | undefined {
  if (!isTwinError(error) || error.code !== 'TWIN_MANIFEST_REFUSED') return undefined
  const place = scenario.manifestPlaces.find((one) => one.object === error.details['object'])
  return place === undefined ? undefined : refusalText(place, error.message)
}

/** What the API says about the manifests of a case, applied to a world without sockets that is thrown away; undefined: nothing. */
export async function manifestObstacle(
  scenario: ResolvedScenario,
  createWorld: CreateWorld
): Promise<string | undefined> {
  try {
    const world = await createWorld(worldSpec({ ...scenario, load: [] }, {}))
    await world.stop()
    return undefined
  } catch (error) {
    const text = refusal(scenario, error)
    if (text === undefined) throw error
    return text
  }
}

/** Ends a world; one that does not end in time is left behind rather than waited for. */
async function stopWorld(world: World): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, STOP_WALL_MS)
  })
  await Promise.race([world.stop(), late]).finally(() => clearTimeout(timer))
}

function worldSpec(scenario: ResolvedScenario, options: Pick<CaseOptions, 'speed'>): WorldSpec {
  const { name, seed, manifests, images, mesh, controller, load, allowHosts } = scenario
  const speed = options.speed === undefined ? {} : { speed: options.speed }
  return { name, seed, manifests, images, mesh, controller, load, allowHosts, time: 'stepped', ...speed }
}

function budgetError(budgetMs: number, kind: 'simulated' | 'wall', steps: StepRunner): TwinError {
  const waiting = steps.waiting
  const where = waiting === undefined ? '' : `; waiting at ${waiting.place.file}:${waiting.place.line}: ${waiting.text}`
  const key = kind === 'wall' ? 'spec.wallTimeout' : 'spec.timeout'
  return new TwinError('TWIN_TIME_BUDGET', `not over after ${budgetMs / 1000} ${kind} seconds (${key})${where}`)
}

/** The user requests behind each judgement. */
function userRequestsJudged(events: readonly TraceEvent[]): number[] {
  return events.flatMap((event) => {
    const counts = event.kind === 'decision' ? event.evidence.flatMap((item) => item.userRequests ?? []) : []
    return counts.length === 0 ? [] : [Math.max(...counts)]
  })
}

function resultMilestones(events: readonly TraceEvent[]): ResultMilestone[] {
  return events.flatMap((event) => {
    const found = milestoneOf(event)
    if (found === undefined) return []
    const { canary, label, text, atMs, tick } = found
    return [{ canary, label, text, atMs, tick }]
  })
}

function resultAlerts(events: readonly TraceEvent[]): Pick<CaseResult, 'alerts'> {
  const alerts = events.flatMap((event): ResultAlert[] => {
    if (event.kind !== 'alert') return []
    const { canary, url, payload, atMs, tick } = event
    return [{ canary, url, text: alertText(payload), atMs, tick }]
  })
  return alerts.length === 0 ? {} : { alerts }
}
