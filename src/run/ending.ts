import { standing } from '../check/index.ts'
import type { Expectation } from '../kinds/index.ts'
import { milestoneOf, type TraceEvent } from '../trace/index.ts'
import type { WorldTime } from '../world/index.ts'
import type { StepRunner } from './steps.ts'

/** Simulated time a run goes on after everything was decided, so that the tick that decided it ends and states settle. */
const SETTLE_MS = 2000
/** Simulated time a run goes on after an expectation was broken, so that the difference shows what came instead. */
const BROKEN_MS = 180_000

/** Decides when a run is over: all steps taken and no event can change a verdict any more. */
export class Ending {
  readonly #time: WorldTime
  readonly #expectations: readonly Expectation[]
  readonly #events: readonly TraceEvent[]
  readonly #onEnd: () => void
  #steps: StepRunner | undefined
  #stepsTaken = false
  #settling = false
  #graceRunning = false

  constructor(options: {
    readonly time: WorldTime
    readonly expectations: readonly Expectation[]
    readonly events: readonly TraceEvent[]
    readonly onEnd: () => void
  }) {
    this.#time = options.time
    this.#expectations = options.expectations
    this.#events = options.events
    this.#onEnd = options.onEnd
  }

  /** The main list of steps has been taken. */
  stepsTaken(steps: StepRunner): void {
    this.#steps = steps
    this.#stepsTaken = true
    this.look()
  }

  /** Looks at an event that may end the run. */
  onEvent(event: TraceEvent): void {
    if (
      milestoneOf(event) !== undefined ||
      event.kind === 'phase' ||
      event.kind === 'weight' ||
      event.kind === 'command'
    ) {
      this.look()
    }
  }

  /** Looks whether the run is over. */
  look(): void {
    if (this.#settling) return
    const standings = this.#expectations.map((expectation) => standing(expectation, this.#events))
    if (standings.includes('broken')) {
      this.#startGrace()
      return
    }
    if (!this.#stepsTaken || this.#steps?.idle !== true) return
    if (standings.includes('open')) return
    this.#settling = true
    this.#time.at(this.#time.nowMs() + SETTLE_MS, this.#onEnd)
  }

  #startGrace(): void {
    if (this.#isAtRest()) {
      this.#settling = true
      this.#time.at(this.#time.nowMs() + SETTLE_MS, this.#onEnd)
      return
    }
    if (this.#graceRunning) return
    this.#graceRunning = true
    this.#time.at(this.#time.nowMs() + BROKEN_MS, this.#onEnd)
  }

  /** Whether a rollout has ended: nothing more is to be seen of what came instead. */
  #isAtRest(): boolean {
    const milestones = this.#events.flatMap((event) => milestoneOf(event) ?? [])
    const last = milestones.at(-1)
    return last !== undefined && (last.kind === 'Succeeded' || last.kind === 'Failed')
  }
}
