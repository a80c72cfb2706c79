import { VirtualClock } from '../../../src/lib/time/index.ts'
import { startLocalController, type LocalController } from '../../../src/world/controller/index.ts'
import type { GoldenCase, GoldenTrace } from './case.ts'
import { START } from './environment.ts'
import { Replay, type ReplayStep } from './replay.ts'

/**
 * Replays a case in process on the virtual clock.
 * @param quirksOff - oddities of Flagger that are switched off
 */
export function replaySync(golden: GoldenCase, quirksOff: readonly string[] = []): GoldenTrace {
  const driver = new SyncDriver(golden, quirksOff)
  return driver.run()
}

class SyncDriver {
  readonly #clock = new VirtualClock(START)
  readonly #replay: Replay
  #controller: LocalController | undefined

  constructor(golden: GoldenCase, quirksOff: readonly string[]) {
    this.#replay = new Replay(golden, this.#clock, quirksOff)
  }

  run(): GoldenTrace {
    const steps = this.#replay.run()
    for (let next = steps.next(); next.done !== true;) next = steps.next(this.#perform(next.value))
    const trace = this.#replay.trace(this.#controller?.gauges.lines() ?? [])
    this.#controller?.kill()
    return trace
  }

  #perform(step: ReplayStep): boolean {
    if (step.step === 'tick') return this.#nextTick()
    if (step.step === 'advance') this.#clock.runUntil(step.to)
    else this.#start()
    return true
  }

  /** Lets time pass until a tick has ended; false when nothing happened for too long. */
  #nextTick(): boolean {
    const { recorder, idleMs } = this.#replay
    this.#replay.ticked = false
    let { activity } = recorder
    let since = this.#clock.now()
    while (!this.#replay.ticked) {
      if (!this.#clock.step(since + idleMs)) return false
      this.#replay.letEnvironmentWork()
      if (recorder.activity === activity) continue
      activity = recorder.activity
      since = this.#clock.now()
    }
    return true
  }

  #start(): void {
    this.#controller?.kill()
    const { environment, hosts } = this.#replay
    const { api } = environment
    this.#controller = startLocalController({
      ...this.#replay.nextProcess(),
      timeline: this.#clock,
      api: { ...api, handle: (request) => this.#replay.handle(request) },
      http: (effect, context, done) => hosts.answer(effect, context, done),
      onWake: (context) => {
        if (context.worker) environment.settle()
      }
    })
    // The informers begin with what is there already.
    this.#clock.runUntil(this.#clock.now())
  }
}
