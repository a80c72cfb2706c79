import type { GoldenCase, Trigger } from '../golden/case.ts'

type Step = GoldenCase['script'][number]

/** How far a script is: counts completed ticks and their events, so that it can be set back with a tick that died. */
export interface ScriptState {
  readonly tick: number
  readonly events: number
  readonly done: readonly boolean[]
  /** Tick at which a trigger was met, by step; -1 for not yet. */
  readonly metAt: readonly number[]
}

/** The script of a case as state and rules. */
export class ScriptProgress {
  tick = 0
  events: string[] = []
  readonly #steps: readonly Step[]
  #done: boolean[]
  #metAt: number[]

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.#done = steps.map(() => false)
    this.#metAt = steps.map(() => -1)
  }

  save(): ScriptState {
    return { tick: this.tick, events: this.events.length, done: [...this.#done], metAt: [...this.#metAt] }
  }

  /** Goes back to a state. @param history - events recorded up to that state at least */
  load(state: ScriptState, history: readonly string[] = this.events): void {
    this.tick = state.tick
    this.events = history.slice(0, state.events)
    this.#done = [...state.done]
    this.#metAt = [...state.metAt]
  }

  /** Steps whose trigger is met after the tick just completed, each once. */
  takeDue(phase: string): Step[] {
    return this.#steps.filter((step, index) => {
      if (this.#done[index] === true) return false
      if (this.#metAt[index] === -1 && this.#isMet(step.after, phase)) this.#metAt[index] = this.tick
      const metAt = this.#metAt[index] ?? -1
      if (metAt === -1 || this.tick < metAt + (step.after.plus ?? 0)) return false
      this.#done[index] = true
      return true
    })
  }

  /** What has been done, and how far the events are that open steps wait for. */
  digest(): string {
    return JSON.stringify(
      this.#steps.map((step, index) => (this.#done[index] === true ? 'done' : this.#seen(step.after)))
    )
  }

  /** Which open steps an event or a phase would start now. */
  waiting(phase: string): string {
    return JSON.stringify(
      this.#steps.map(({ after }, index) => {
        if (this.#done[index] === true || after.tick !== undefined) return ''
        return after.event === undefined ? after.phase === phase : this.#seen(after)
      })
    )
  }

  #isMet(trigger: Trigger, phase: string): boolean {
    if (trigger.tick !== undefined) return this.tick >= trigger.tick
    if (trigger.event !== undefined) return this.#seen(trigger) >= (trigger.nth ?? 1)
    return phase === trigger.phase
  }

  #seen({ event, nth = 1 }: Trigger): number {
    if (event === undefined) return 0
    return Math.min(nth, this.events.filter((message) => message.includes(event)).length)
  }
}
