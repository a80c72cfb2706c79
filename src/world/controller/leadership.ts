import type { Random } from '../../lib/random/index.ts'
import { campaign, Candidate, keepLease, resign, type ControllerSettings, type Plan } from '../../model/canary/index.ts'
import { chance } from './chance.ts'
import type { RunContext } from './run-context.ts'

/** Whose work the election is: no canary's. */
const ELECTION: RunContext = { canary: '', tick: 0, worker: true }

/** What an election needs of the process it decides about. */
export interface LeadershipOptions {
  readonly settings: ControllerSettings
  /** Name of the pod; begins the identity. */
  readonly hostname: string
  readonly random: Random
  /** Runs a plan and calls back when it is done; never when it was abandoned. */
  readonly execute: (plan: Plan<void>, context: RunContext, done: () => void) => void
  /** The process leads from now on: workers and control loop may start. */
  readonly onElected: () => void
  /** The process has to end: it led and does not any more, or it was told to. */
  readonly onLost: () => void
}

/** Decides when a process leads. Without `-enable-leader-election` it does at once and for ever. */
export class Leadership {
  readonly #options: LeadershipOptions
  readonly #candidate: Candidate | undefined
  #state: 'waiting' | 'leading' | 'over' = 'waiting'

  constructor(options: LeadershipOptions) {
    this.#options = options
    if (!options.settings.leaderElection) return
    const identity = `${options.hostname}_${chance(options.random, 'uuid')}`
    this.#candidate = new Candidate(options.settings, identity)
  }

  /** Whether this process is the one that works. */
  get leads(): boolean {
    return this.#state === 'leading'
  }

  /** Begins the election. */
  start(): void {
    if (this.#candidate === undefined) return this.#elected()
    this.#options.execute(campaign(this.#candidate), ELECTION, () => this.#elected())
  }

  /** SIGTERM: a leader leaves its lease free; then the process ends. */
  terminate(): void {
    const resigns = this.#state === 'leading' && this.#candidate !== undefined
    this.#state = 'over'
    if (!resigns || this.#candidate === undefined) return this.#options.onLost()
    this.#options.execute(resign(this.#candidate), ELECTION, () => this.#options.onLost())
  }

  #elected(): void {
    if (this.#state === 'over') return
    this.#state = 'leading'
    this.#options.onElected()
    if (this.#candidate === undefined) return
    this.#options.execute(keepLease(this.#candidate), ELECTION, () => {
      if (this.#state === 'over') return
      this.#state = 'over'
      this.#options.onLost()
    })
  }
}
