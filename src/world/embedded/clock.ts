import { TwinError } from '../../lib/errors/index.ts'
import {
  type Clock,
  type Hold,
  type Instant,
  SteppedClock,
  SystemClock,
  type Timeline,
  wallClock
} from '../../lib/time/index.ts'

/** Wall milliseconds that active holds may keep simulated time standing before the run ends with TWIN_HOLD_STUCK. */
export const HOLD_STUCK_WALL_MS = 10_000

/**
 * First instant of a stepped run. A constant, so that every time stamp of a run is the same each time it is run;
 * long ago, so that simulated now is never ahead of the wall clock (kubectl would print `<invalid>` ages).
 */
export const STEPPED_START: Instant = Date.UTC(2026, 0, 1)

/** Wall hours that a sped-up world may run before its now overtakes the wall clock. */
const FAST_WALL_HOURS = 1

/** Wall milliseconds by which the time of a paced world may lag behind the wall when nothing else happens. */
const METRONOME_WALL_MS = 50

/** The clock of a world: a timeline that real I/O can hold still, and the pump that moves it. */
export interface WorldClock extends Timeline {
  /** Keeps time standing until released or suspended; does nothing in a world that follows the wall clock. */
  hold(name: string): Hold
  /** The unreleased hold of that id, e.g. one named by the header `x-twin-hold`. */
  find(id: number): Hold | undefined
  /** Whether holds keep time standing; in a world that follows the wall clock they do nothing. */
  readonly holding: boolean
  /** The first instant of the run. */
  readonly startInstant: Instant
  /** Lets time move. */
  start(): void
  /** Time never moves again. */
  stop(): void
  /** Wall milliseconds during which a `speed` ceiling, not work, kept time standing. */
  idleWallMs(): number
}

/** Options of {@link createWorldClock}. */
export interface WorldClockOptions {
  /** `stepped`: time stands still while work is done. `wall`: time follows the wall clock. */
  readonly time: 'stepped' | 'wall'
  /** Ceiling of simulated seconds per wall second (stepped; default none), or the speed itself (wall; default 1). */
  readonly speed?: number
  /** Called once when time can no longer move: a hold stuck for `stuckAfterWallMs`, or a callback that threw. */
  readonly onFailure: (error: unknown) => void
  /** Default {@link HOLD_STUCK_WALL_MS}. */
  readonly stuckAfterWallMs?: number
  /** Wall clock, for tests of the ceiling. */
  readonly wall?: Clock
}

/**
 * Makes the clock of an embedded world. It stands at its first instant until {@link WorldClock.start}.
 * A world that follows the wall clock at a higher speed is a stepped one paced by it: otherwise what the machine needs
 * for a request would count as that many times its duration, and a time-out of seconds would be over in a blink.
 */
export function createWorldClock(options: WorldClockOptions): WorldClock {
  const wall = options.wall ?? wallClock
  if (options.time === 'stepped') {
    return steppedWorldClock(options, Math.min(STEPPED_START, wall.now() - 30 * 86_400_000))
  }
  const speed = options.speed ?? 1
  if (speed <= 1) return wallWorldClock(options)
  const clock = steppedWorldClock(options, wall.now() - (speed - 1) * FAST_WALL_HOURS * 3_600_000)
  const beat = (): void => void clock.at(clock.now() + METRONOME_WALL_MS * speed, beat)
  beat()
  return clock
}

function steppedWorldClock(options: WorldClockOptions, startInstant: Instant): WorldClock {
  const clock = new SteppedClock(startInstant)
  const pump = new Pump(clock, options)
  return {
    holding: true,
    now: () => clock.now(),
    at: (due, callback) => clock.at(due, callback),
    hold: (name) => clock.hold(name),
    find: (id) => clock.find(id),
    startInstant,
    start: () => pump.start(),
    stop: () => pump.stop(),
    idleWallMs: () => pump.idleWallMs
  }
}

/**
 * Steps the clock once per turn of the event loop while nothing holds it. One step per turn, because what a callback
 * sets off in microtasks (a promise that resolves and starts a request) must have taken its hold before the next step.
 */
class Pump {
  readonly #clock: SteppedClock
  readonly #options: WorldClockOptions
  readonly #wall: Clock
  readonly #startInstant: Instant
  readonly #stuckAfterWallMs: number
  readonly #lookMs: number
  #running = false
  #scheduled = false
  #startWall = 0
  #idleWallMs = 0
  #ceilingTimer: NodeJS.Timeout | undefined
  #watchdog: NodeJS.Timeout | undefined
  #stepped = true
  #standingMs = 0
  #lastLookWall = 0

  constructor(clock: SteppedClock, options: WorldClockOptions) {
    this.#clock = clock
    this.#options = options
    this.#wall = options.wall ?? wallClock
    this.#startInstant = clock.now()
    this.#stuckAfterWallMs = options.stuckAfterWallMs ?? HOLD_STUCK_WALL_MS
    this.#lookMs = Math.max(10, Math.min(1000, this.#stuckAfterWallMs / 4))
    clock.onIdle(() => this.#schedule())
  }

  get idleWallMs(): number {
    return this.#idleWallMs
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#startWall = this.#wall.now()
    this.#lastLookWall = this.#startWall
    this.#watchdog = setInterval(() => this.#look(), this.#lookMs)
    this.#schedule()
  }

  stop(): void {
    this.#running = false
    clearTimeout(this.#ceilingTimer)
    clearInterval(this.#watchdog)
  }

  #fail(error: unknown): void {
    if (!this.#running) return
    this.stop()
    this.#options.onFailure(error)
  }

  #schedule(): void {
    if (!this.#running || this.#scheduled) return
    // An event may have come that is due before the one the ceiling waits for.
    clearTimeout(this.#ceilingTimer)
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#scheduled = false
    if (!this.#running || !this.#clock.idle) return
    const waitMs = this.#ceilingWaitMs()
    if (waitMs > 0) {
      this.#waitForCeiling(waitMs)
      return
    }
    this.#stepped = true
    try {
      if (!this.#clock.step()) return
    } catch (cause) {
      this.#fail(cause)
      return
    }
    if (this.#clock.idle) this.#schedule()
  }

  #ceilingWaitMs(): number {
    const due = this.#clock.nextDue()
    const { speed } = this.#options
    if (speed === undefined || due === undefined) return 0
    return (due - this.#startInstant) / speed - (this.#wall.now() - this.#startWall)
  }

  #waitForCeiling(waitMs: number): void {
    const began = this.#wall.now()
    this.#ceilingTimer = setTimeout(() => {
      this.#idleWallMs += this.#wall.now() - began
      this.#turn()
    }, waitMs)
  }

  /** A gap between two looks counts as two looks at most: a machine that slept or starved the process holds nothing. */
  #look(): void {
    const now = this.#wall.now()
    const elapsedMs = Math.min(now - this.#lastLookWall, 2 * this.#lookMs)
    this.#standingMs = this.#clock.idle || this.#stepped ? 0 : this.#standingMs + elapsedMs
    this.#lastLookWall = now
    this.#stepped = false
    if (this.#standingMs < this.#stuckAfterWallMs) return
    const holds = this.#clock.activeHolds()
    const seconds = Math.round(this.#standingMs / 1000)
    const message = `Simulated time has stood still for ${seconds} wall seconds; held by: ${holds.slice(0, 5).join(', ')}`
    const details = { holds, simulatedMs: this.#clock.now() - this.#startInstant }
    this.#fail(new TwinError('TWIN_HOLD_STUCK', message, { details }))
  }
}

const FREE_HOLD: Hold = {
  name: 'free',
  id: 0,
  release: () => undefined,
  suspend: () => undefined,
  resume: () => undefined
}

function wallWorldClock(options: WorldClockOptions): WorldClock {
  const speed = options.speed ?? 1
  const startInstant = wallClock.now()
  const clock = new SystemClock({ speed, start: startInstant })
  let running = false
  let timer: NodeJS.Timeout | undefined
  const runDue = (): void => {
    timer = undefined
    try {
      clock.runDue()
    } catch (cause) {
      running = false
      options.onFailure(cause)
    }
  }
  clock.onDue((delayMs) => {
    if (!running) return
    clearTimeout(timer)
    timer = setTimeout(runDue, Math.min(delayMs, 0x7fffffff))
  })
  return {
    now: () => clock.now(),
    at: (due, callback) => clock.at(due, callback),
    hold: () => FREE_HOLD,
    find: () => undefined,
    holding: false,
    startInstant,
    start(): void {
      running = true
      clock.arm()
    },
    stop(): void {
      running = false
      clearTimeout(timer)
    },
    idleWallMs: () => 0
  }
}
