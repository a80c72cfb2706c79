import { within } from '../check/index.ts'
import { isTwinError } from '../lib/errors/index.ts'
import type { OutputCheck, Step } from '../scenario/index.ts'
import { matchesGlob, type TraceEvent } from '../trace/index.ts'
import type { CommandResult, World } from '../world/index.ts'
import type { StepFailure } from './result.ts'
import { Watchers } from './watchers.ts'

/** Simulated milliseconds between two looks at a condition that no trace event announces (objects, queries). */
const POLL_MS = 1000

/** Callbacks of a {@link StepRunner}. */
export interface StepListener {
  /** A step went wrong; the run is to end. */
  onFailure(failure: StepFailure): void
  /** Something the end of the run may depend on has changed. */
  onProgress(): void
}

/** Takes the steps of a scenario in a world. Simulated time stands still while a step is being taken. */
export class StepRunner {
  readonly #world: World
  readonly #listener: StepListener
  readonly #watchers: Watchers
  readonly #cancels = new Set<() => void>()
  /** Steps that wait for their moment and must see it before the run ends. */
  readonly #expected = new Set<Step>()
  #lanes = 0
  /** The step of the main list that is being taken. */
  #current: Step | undefined
  #stopped = false

  constructor(world: World, events: readonly TraceEvent[], listener: StepListener) {
    this.#world = world
    this.#listener = listener
    this.#watchers = new Watchers(world, events)
  }

  /** Takes a trace event in; called for each, in order, after it was added to the list. */
  onEvent(event: TraceEvent): void {
    this.#watchers.onEvent(event)
  }

  /** Takes the main list of steps; simulated time must not have started before. */
  async run(steps: readonly Step[]): Promise<void> {
    const release = this.#world.time.hold('steps')
    await this.#lane(steps, release, (step) => {
      this.#current = step
    })
  }

  /** The step of the main list that has not ended. */
  get waiting(): Step | undefined {
    return this.#current
  }

  /** Whether no list of steps is being taken. */
  get idle(): boolean {
    return this.#lanes === 0
  }

  /** Steps whose moment never came. */
  get unseen(): readonly Step[] {
    return [...this.#expected]
  }

  /** No further step is taken. */
  stop(): void {
    this.#stopped = true
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    this.#watchers.stop()
  }

  /** Takes a list of steps one after the other, then gives the hold back. */
  async #lane(
    steps: readonly Step[],
    release: () => void,
    onStep: (step: Step | undefined) => void = () => {}
  ): Promise<void> {
    const lane = { release, cursor: 0 }
    this.#lanes += 1
    try {
      for (const step of steps) {
        if (this.#stopped) break
        onStep(step)
        await this.#take(step, lane)
      }
      onStep(undefined)
    } catch (error) {
      if (!(error instanceof StepError)) throw error
      this.#fail(error)
    } finally {
      this.#lanes -= 1
      lane.release()
      this.#listener.onProgress()
    }
  }

  #fail(error: StepError): void {
    if (this.#stopped) return
    const { place, text } = error.step
    this.#listener.onFailure({ ...place, step: text, message: error.message })
  }

  async #take(step: Step, lane: Lane): Promise<void> {
    switch (step.kind) {
      case 'note':
        this.#world.record({ kind: 'note', text: step.text })
        return
      case 'faults':
        for (const [image, spec] of Object.entries(step.images)) this.#world.setFaults(image, spec)
        this.#world.record({ kind: 'note', text: `faults of ${Object.keys(step.images).join(', ')} replaced` })
        return
      case 'apply':
        await this.#apply(step)
        return
      case 'sleep':
        await this.#pause(lane, (done) => this.#later(step.ms, done))
        return
      case 'wait':
        await this.#wait(step, lane)
        return
      case 'run':
        await this.#command(step, lane)
        return
      case 'delete': {
        const namespace = step.namespace === undefined ? '' : ` -n ${step.namespace}`
        const command = `kubectl${namespace} delete ${step.objectKind} ${step.name}`
        await this.#command({ ...step, kind: 'run', command, background: false, exitCode: 0, stdout: [] }, lane)
        return
      }
      default:
        this.#schedule(step)
    }
  }

  async #apply(step: Step & { kind: 'apply' }): Promise<void> {
    try {
      await this.#world.apply(step.objects)
    } catch (error) {
      if (!isTwinError(error)) throw error
      throw new StepError(step, error.message)
    }
  }

  async #wait(step: Step & { kind: 'wait' }, lane: Lane): Promise<void> {
    let expired = false
    await this.#pause(lane, (done) => {
      const stopWatching = this.#watchers.first(step.condition, { from: lane.cursor, pollMs: POLL_MS }, (seq) => {
        lane.cursor = seq + 1
        this.#soon(done)
      })
      if (step.timeoutMs !== undefined) {
        this.#later(step.timeoutMs, () => {
          expired = true
          stopWatching()
          done()
        })
      }
    })
    if (expired && step.timeoutMs !== undefined) {
      throw new StepError(step, `did not happen within ${step.timeoutMs / 1000} s`)
    }
  }

  async #command(step: Step & { kind: 'run' }, lane: Lane): Promise<void> {
    const running = this.#world.run(step.command, step.from === undefined ? {} : { from: step.from })
    if (step.background) {
      void running.then(
        (result) => {
          if (!this.#stopped) this.#finish(step, result)
        },
        (error: unknown) => {
          if (!this.#stopped) this.#fail(new StepError(step, messageOf(error)))
        }
      )
      return
    }
    // The command keeps time standing by itself while it works, and lets it move while it sleeps.
    lane.release()
    let result: CommandResult
    try {
      result = await running
    } catch (error) {
      throw new StepError(step, messageOf(error))
    } finally {
      lane.release = this.#world.time.hold('steps')
    }
    if (this.#stopped) return
    this.#finish(step, result)
  }

  #finish(step: Step & { kind: 'run' }, result: CommandResult): void {
    const name = step.name === undefined ? {} : { name: step.name }
    this.#world.record({ kind: 'command', ...name, command: step.command, ...result })
    const complaint = commandComplaint(step, result)
    if (complaint === undefined) return
    if (step.background) this.#fail(new StepError(step, complaint))
    else throw new StepError(step, complaint)
  }

  #schedule(step: Step & { kind: 'at' | 'after' | 'every' | 'when' }): void {
    const start = (): Promise<void> => this.#lane(step.steps, this.#world.time.hold(`steps ${step.kind}`))
    switch (step.kind) {
      case 'at':
        this.#expected.add(step)
        this.#watchers.first(step.condition, { from: this.#watchers.length, pollMs: POLL_MS }, () => {
          this.#expected.delete(step)
          this.#soon(() => void start())
        })
        return
      case 'after':
        this.#expected.add(step)
        this.#later(step.ms, () => {
          this.#expected.delete(step)
          void start()
        })
        return
      case 'when':
        this.#watchers.each(step.condition, step.times ?? Infinity, () => this.#soon(() => void start()))
        return
      case 'every':
        this.#every(step, start)
        return
      default:
        step satisfies never
    }
  }

  #every(step: Step & { kind: 'every' }, start: () => Promise<void>): void {
    let round = 0
    const firstMs = this.#world.time.nowMs()
    let ended = false
    if (step.until !== undefined) {
      this.#watchers.first(step.until, { from: this.#watchers.length, pollMs: POLL_MS }, () => {
        ended = true
      })
    }
    const next = (): void => {
      if (ended || this.#stopped || round >= (step.times ?? Infinity)) return
      round += 1
      void start().then(() => {
        // A round that took longer than the period skips the beats it missed, as a person would.
        const passed = Math.floor((this.#world.time.nowMs() - firstMs) / step.ms) + 1
        this.#at(firstMs + passed * step.ms, next)
      })
    }
    next()
  }

  /** At this simulated instant, after the work that is under way: people act between ticks, not in the middle of one. */
  #soon(callback: () => void): void {
    this.#at(this.#world.time.nowMs(), callback)
  }

  #later(ms: number, callback: () => void): void {
    this.#at(this.#world.time.nowMs() + ms, callback)
  }

  #at(dueMs: number, callback: () => void): void {
    const cancel = this.#world.time.at(dueMs, () => {
      this.#cancels.delete(cancel)
      if (!this.#stopped) callback()
    })
    this.#cancels.add(cancel)
  }

  /** Lets time move until `arm` calls back; the hold is taken again in that very moment. */
  async #pause(lane: Lane, arm: (done: () => void) => void): Promise<void> {
    const release = lane.release
    await new Promise<void>((resolve) => {
      let done = false
      arm(() => {
        if (done) return
        done = true
        lane.release = this.#world.time.hold('steps')
        resolve()
      })
      release()
    })
  }
}

interface Lane {
  release: () => void
  /** Position in the trace from which events count for the lane's next wait. */
  cursor: number
}

/** A step that went wrong, inside this room. */
class StepError extends Error {
  readonly step: Step

  constructor(step: Step, message: string) {
    super(message)
    this.step = step
  }
}

function commandComplaint(step: Step & { kind: 'run' }, result: CommandResult): string | undefined {
  if (step.exitCode !== 'any' && result.exitCode !== step.exitCode) {
    const said = (result.stderr || result.stdout).trim().split('\n').slice(-3).join(' ⏎ ')
    return `exit code ${result.exitCode}, expected ${step.exitCode}${said === '' ? '' : `: ${said}`}`
  }
  return step.stdout.map((check) => outputComplaint(check, result.stdout)).find((complaint) => complaint !== undefined)
}

function outputComplaint(check: OutputCheck, stdout: string): string | undefined {
  if (check.kind === 'contains') {
    return stdout.includes(check.text) ? undefined : `printed no "${check.text}": ${stdout.trim().slice(0, 300)}`
  }
  const lines = stdout.split('\n').filter((line) => line !== '')
  const count = lines.filter((line) => matchesGlob(line, check.like)).length
  return within(check.bound, count, lines.length)
    ? undefined
    : `${count} of ${lines.length} lines look like "${check.like}"`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
