import type { Condition } from '../kinds/index.ts'
import { isMilestone, matchesGlob, type Milestone, milestoneOf, type TraceEvent } from '../trace/index.ts'
import { within } from './bound.ts'

/** Where a canary stands after some events. */
export interface CanaryState {
  readonly phase?: string
  /** Weight in the mesh, percent. */
  readonly weight?: number
  readonly tick: number
}

/** What world-side parts of a condition are asked of; absent: such parts never hold. */
export interface ConditionView {
  object(condition: NonNullable<Condition['object']>): boolean
  query(condition: NonNullable<Condition['query']>): boolean
}

/** Folds a trace into the states that conditions ask about. */
export class TraceState {
  readonly #canaries = new Map<string, CanaryState>()
  #event: TraceEvent | undefined
  #milestone: Milestone | undefined

  /** Takes the next event in. */
  add(event: TraceEvent): void {
    this.#event = event
    this.#milestone = milestoneOf(event)
    if (!('canary' in event)) return
    const before = this.#canaries.get(event.canary)
    const tick = Math.max(before?.tick ?? 0, event.tick)
    const phase = event.kind === 'phase' ? { phase: event.to } : {}
    const weight = event.kind === 'weight' ? { weight: event.canaryPercent } : {}
    this.#canaries.set(event.canary, { ...before, tick, ...phase, ...weight })
  }

  /** Canaries seen so far. */
  get canaries(): ReadonlyMap<string, CanaryState> {
    return this.#canaries
  }

  /** The milestone of the last event, if it is one. */
  get milestone(): Milestone | undefined {
    return this.#milestone
  }

  /** Whether a condition holds right after the last event. */
  holds(condition: Condition, view?: ConditionView): boolean {
    if (!this.#momentHolds(condition)) return false
    if (condition.object !== undefined && view?.object(condition.object) !== true) return false
    if (condition.query !== undefined && view?.query(condition.query) !== true) return false
    if (condition.phase === undefined && condition.weight === undefined) return true
    return this.#candidates(condition).some((state) => stateHolds(condition, state))
  }

  /** Whether anything is known yet that the condition asks about. */
  canTell(condition: Condition): boolean {
    return this.#candidates(condition).some(
      (state) =>
        (condition.phase === undefined || state.phase !== undefined) &&
        (condition.weight === undefined || state.weight !== undefined)
    )
  }

  #candidates(condition: Condition): CanaryState[] {
    if (condition.canary === undefined) return [...this.#canaries.values()]
    const state = this.#canaries.get(condition.canary)
    return state === undefined ? [] : [state]
  }

  /** Parts that are true only at the moment of an event. */
  #momentHolds(condition: Condition): boolean {
    const milestone = this.#milestone
    const event = this.#event
    if (condition.milestone !== undefined) {
      if (milestone === undefined || !isMilestone(milestone, condition.milestone)) return false
      if (condition.canary !== undefined && condition.canary !== milestone.canary) return false
    }
    if (condition.event !== undefined) {
      if (event?.kind !== 'event' || !matchesGlob(event.message, condition.event)) return false
      if (condition.canary !== undefined && condition.canary !== event.canary) return false
    }
    if (condition.command !== undefined) {
      return event?.kind === 'command' && event.name === condition.command
    }
    return true
  }
}

/** Whether the condition is about a moment (an event) and not about a state that lasts. */
export function isMoment(condition: Condition): boolean {
  return condition.milestone !== undefined || condition.event !== undefined || condition.command !== undefined
}

function stateHolds(condition: Condition, state: CanaryState): boolean {
  if (condition.phase !== undefined && !condition.phase.includes(state.phase ?? '')) return false
  if (condition.weight === undefined) return true
  return state.weight !== undefined && within(condition.weight, state.weight)
}
