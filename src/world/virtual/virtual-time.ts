import { TwinError } from '../../lib/errors/index.ts'
import { type Instant, type Scheduled, type Timeline, VirtualClock } from '../../lib/time/index.ts'

/** Most events between two looks at what else the process has to do (interrupts, wall budgets). */
const EVENTS_PER_SLICE = 5000

/** Wall milliseconds that holds may keep time standing before the run ends. */
const HOLD_STUCK_WALL_MS = 10_000

/** Options of {@link VirtualTime}. */
export interface VirtualTimeOptions {
  readonly start: Instant
  /** Ceiling of simulated seconds per wall second; absent: none. */
  readonly speed?: number
  /** Told once what ended the world: a callback that threw, or a hold that nobody released. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Time of a virtual world: jumps from event to event while nobody holds it. What a world tells the outside (`touched`)
 * is heard before the next event: promises that were resolved go on first.
 */
export class VirtualTime implements Timeline {
  readonly start: Instant
  readonly #clock: VirtualClock
  readonly #options: VirtualTimeOptions
  readonly #holds = new Map<symbol, string>()
  #stuck: NodeJS.Timeout | undefined
  #pace: { readonly wallMs: number; readonly at: Instant } | undefined
  #armed = false
  #started = false
  #stopped = false
  #touched = false

  constructor(options: VirtualTimeOptions) {
    this.start = options.start
    this.#options = options
    this.#clock = new VirtualClock(options.start)
  }

  now(): Instant {
    return this.#clock.now()
  }

  at(due: Instant, callback: () => void): Scheduled {
    return this.#clock.at(due, callback)
  }

  /** Keeps time standing until the returned function is called. */
  hold(name: string): () => void {
    const key = Symbol(name)
    this.#holds.set(key, name)
    this.#stuck ??= setTimeout(() => this.#holdStuck(), HOLD_STUCK_WALL_MS).unref()
    return () => {
      this.#holds.delete(key)
      if (this.#holds.size > 0) return
      clearTimeout(this.#stuck)
      this.#stuck = undefined
      this.#arm()
    }
  }

  /** Something outside was told or answered: it goes on before the next event. */
  touched(): void {
    this.#touched = true
  }

  /** Lets time move. */
  begin(): void {
    this.#started = true
    this.#arm()
  }

  /** Time never moves again. */
  end(): void {
    this.#stopped = true
    clearTimeout(this.#stuck)
  }

  /**
   * Runs events in the caller's own stack until the condition holds or that time is reached, whoever holds time.
   * @returns whether the condition held
   */
  runUntil(end: Instant, over: () => boolean): boolean {
    while (!over()) if (this.#stopped || !this.#clock.step(end)) return over()
    return true
  }

  #arm(): void {
    if (this.#armed || !this.#started || this.#stopped || this.#holds.size > 0) return
    this.#armed = true
    setImmediate(() => this.#slice())
  }

  #slice(): void {
    this.#armed = false
    if (this.#stopped || this.#holds.size > 0) return
    const end = this.#allowed()
    this.#touched = false
    try {
      for (let count = 0; count < EVENTS_PER_SLICE; count++) {
        if (!this.#clock.step(end)) break
        if (this.#touched || this.#stopped || this.#holds.size > 0) break
      }
    } catch (error) {
      this.end()
      this.#options.onFailure(error)
      return
    }
    if (end === Number.POSITIVE_INFINITY) this.#arm()
    else this.#armPaced()
  }

  /** How far time may go now under the ceiling of speed. */
  #allowed(): Instant {
    const { speed } = this.#options
    if (speed === undefined) return Number.POSITIVE_INFINITY
    this.#pace ??= { wallMs: performance.now(), at: this.now() }
    return this.#pace.at + (performance.now() - this.#pace.wallMs) * speed
  }

  #armPaced(): void {
    if (this.#armed || this.#stopped) return
    this.#armed = true
    setTimeout(() => {
      this.#armed = false
      this.#arm()
    }, 5)
  }

  #holdStuck(): void {
    const names = [...this.#holds.values()].join(', ')
    this.end()
    this.#options.onFailure(
      new TwinError('TWIN_HOLD_STUCK', `time has stood still for ${HOLD_STUCK_WALL_MS / 1000} s, held by: ${names}`)
    )
  }
}
