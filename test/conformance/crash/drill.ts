import type { ApiResponse } from '../../../src/kinds/index.ts'
import type { Effect, Fault, QuirkName } from '../../../src/world/controller/index.ts'
import type { GoldenCase } from '../golden/case.ts'
import { faultAnswer } from '../golden/faults.ts'
import { CrashWorld, type TickEnd } from './crash-world.ts'
import type { ExplanationName } from './explanations.data.ts'
import { trafficOf } from './traffic.ts'
import { beginSegment, firstDifferentLine, kindOf, stateText, type Undisturbed } from './undisturbed.ts'

/** Ticks beyond those of the undisturbed run after which a run that has not come back never will. */
const EXTRA_TICKS = 8

/** What goes wrong, as columns of the matrix. */
export type FaultKind = 'crash before' | 'crash after' | 'conflict' | 'error' | 'time-out applied'

/** Faults of writes and the server's answers. */
const ANSWERS: Readonly<Record<Exclude<FaultKind, 'crash before' | 'crash after'>, ApiResponse>> = {
  conflict: faultAnswer({ code: 409, reason: 'Conflict', message: 'drill: the object has been modified' }),
  error: faultAnswer({ code: 500, reason: 'InternalError', message: 'drill: etcdserver: leader changed' }),
  'time-out applied': faultAnswer({ code: 504, reason: 'Timeout', message: 'drill: request timed out' })
}

/** One fault at one effect. */
export interface Injection {
  readonly segment: number
  /** Position of the effect in its segment. */
  readonly place: number
  readonly fault: FaultKind
}

/** What became of a disturbed run. */
export interface Verdict {
  readonly survived: boolean
  /** Why not, where it is known. */
  readonly explanation?: ExplanationName
  /** The first broken invariant, or how the end differs from the undisturbed one. */
  readonly finding?: string
  /** Phase of the canary at the end of a run that did not come back. */
  readonly phase?: string
}

/**
 * What becomes of the world outside (answers, script) after the fault. `rewound`: it is set back to the beginning of
 * the interrupted tick. `kept`: it goes on from where it is. `credited`: it is where the undisturbed run has it after
 * that tick. `restarted`: kept, and the controller is started again.
 */
type Outside = 'rewound' | 'kept' | 'credited' | 'restarted'

/** Switches of the model that explain an end if the run survives without the oddity. */
const SWITCHES = [
  'failed-loses-revisions',
  'promotion-step-at-zero-hangs',
  'promotion-copies-zero-replicas',
  'zero-replicas-are-ready'
] as const
const COOKIES = /"\w*[sS]essionAffinityCookie":"[^"]*",?/g
const WEIGHT = /"canaryWeight":\d+,?/g

/** Disturbs runs of one case. */
export class Drill {
  readonly #golden: GoldenCase
  readonly #undisturbed: Undisturbed
  readonly #world: CrashWorld
  readonly #states: readonly ReadonlySet<string>[]
  #position = -1
  #injection: Injection | undefined
  #finding: string | undefined
  /** Whether the script waited for an event of the interrupted tick. */
  #awaited = false
  /** An oddity that controllers started after the fault do not have. */
  #withoutQuirk: QuirkName | undefined

  constructor(golden: GoldenCase, undisturbed: Undisturbed) {
    this.#golden = golden
    this.#undisturbed = undisturbed
    const digests = [...undisturbed.segments, ...undisturbed.tail].map(({ digest }) => digest)
    this.#states = undisturbed.segments.map((_segment, index) => new Set(digests.slice(index)))
    const ports = {
      fault: (effect: Effect): Fault | undefined => this.#faultAt(effect),
      performed: (): void => {},
      observe: (): void => this.#observe()
    }
    this.#world = new CrashWorld(golden, ports, undisturbed.digests)
  }

  /** Runs the case with one fault, until it is where the undisturbed run is, or has ended otherwise. */
  run(injection: Injection): Verdict {
    const isCrash = injection.fault.startsWith('crash')
    const verdict = this.#run(injection, isCrash ? 'rewound' : 'kept')
    if (verdict.survived) return verdict
    const explanation = this.#explain(injection, isCrash)
    return explanation === undefined ? verdict : { ...verdict, explanation }
  }

  /** An explanation holds only if the run survives once its cause is taken away. */
  #explain(injection: Injection, isCrash: boolean): ExplanationName | undefined {
    const survives = (outside: Outside): boolean => this.#run(injection, outside).survived
    const forgotten = this.#forgotten()
    if (forgotten !== undefined) return forgotten
    if (!isCrash && survives('rewound')) return 'answers-used-up'
    if (survives('credited')) return this.#awaited ? 'event-lost' : 'asked-again'
    if (this.#awaited && this.#forgotten() !== undefined) return 'event-lost'
    if (isCrash && survives('kept')) return 'asked-again'
    if (!isCrash && injection.segment === 0 && survives('restarted')) return 'worker-never-repeats'
    return SWITCHES.find((quirk) => this.#survivesWithout(quirk, injection, isCrash ? 'rewound' : 'restarted'))
  }

  /** Without an oddity: in what is started after the fault, or from the tick of the fault on. */
  #survivesWithout(quirk: QuirkName, injection: Injection, outside: Outside): boolean {
    this.#withoutQuirk = quirk
    const survived = this.#run(injection, outside).survived || this.#run(injection, 'credited').survived
    this.#withoutQuirk = undefined
    this.#world.quirksOff = []
    if (survived) return true
    this.#world.quirksOff = [quirk]
    const inTick = this.#run(injection, outside).survived
    this.#world.quirksOff = []
    return inTick
  }

  /** Whether the end is an undisturbed one but for a field of the status that nothing writes again. */
  #forgotten(): ExplanationName | undefined {
    const digest = this.#world.digest()
    const references = [...this.#undisturbed.segments.slice(-1), ...this.#undisturbed.tail]
    if (references.some(({ api }) => api === digest)) return undefined
    const fits = (pattern: RegExp): boolean => {
      const without = (text: string): string => this.#undisturbed.digests.spelled(text).replaceAll(pattern, '')
      const reduced = without(digest)
      return references.some(({ api }) => without(api) === reduced)
    }
    if (fits(COOKIES)) return 'cookies-forgotten'
    return fits(WEIGHT) ? 'weight-not-recorded-again' : undefined
  }

  #run(injection: Injection, outside: Outside): Verdict {
    const segment = this.#undisturbed.segments[injection.segment]
    if (segment === undefined) throw new Error(`no segment ${injection.segment}`)
    const world = this.#world
    this.#injection = undefined
    this.#finding = undefined
    this.#position = -1
    this.#awaited = false
    if (this.#withoutQuirk !== undefined) world.quirksOff = []
    world.load(segment.begin)
    const first = injection.segment === 0
    if (first) this.#injection = injection
    beginSegment(world, segment, first)
    this.#injection = injection
    this.#finding = undefined
    if (first) world.createCanary()
    else world.actScript()
    return this.#untilItIsBack(injection, outside)
  }

  #untilItIsBack(injection: Injection, outside: Outside): Verdict {
    const world = this.#world
    const ticksMax = this.#undisturbed.segments.length + EXTRA_TICKS - injection.segment
    let disturbed = true
    for (let tick = 0; tick < ticksMax; tick++) {
      const ended = world.nextTick()
      if (disturbed && this.#isOver(injection)) {
        disturbed = false
        if (ended === 'silent' && outside === 'restarted') {
          world.start()
          continue
        }
        if (ended !== 'silent') {
          this.#afterFault(ended, injection, outside)
          if (this.#finding !== undefined) return this.#lost()
          if (this.#isBack(injection.segment)) return { survived: true }
          continue
        }
      } else if (ended === 'tick') {
        world.settleAfterTick()
        world.script.tick++
      }
      if (this.#finding !== undefined) return this.#lost()
      if (this.#isBack(injection.segment)) return { survived: true }
      if (ended === 'silent') return this.#atEnd()
      world.actScript()
    }
    return this.#atEnd()
  }

  /** Whether the fault has happened. */
  #isOver({ place }: Injection): boolean {
    return this.#position >= place
  }

  #afterFault(ended: Exclude<TickEnd, 'silent'>, injection: Injection, outside: Outside): void {
    const world = this.#world
    const wasInTick = ended === 'tick' || world.inTick
    if (wasInTick) world.settleAfterTick()
    else world.environment.settle()
    if (ended === 'tick') world.script.tick++
    const isDone = this.#isBack(injection.segment)
    if (wasInTick && !isDone) this.#setOutside(ended, injection, outside)
    if (this.#withoutQuirk !== undefined) world.quirksOff = [this.#withoutQuirk]
    if (ended === 'died' || outside === 'restarted') world.start()
  }

  #setOutside(ended: TickEnd, injection: Injection, outside: Outside): void {
    const world = this.#world
    const segment = this.#undisturbed.segments[injection.segment]
    const next = this.#undisturbed.segments[injection.segment + 1]?.begin
    if (outside === 'rewound') return world.rewindTick()
    if (outside === 'credited' && next !== undefined && segment !== undefined) {
      world.rewindTick()
      const waiting = world.script.waiting(String(world.canary?.status?.phase))
      world.rewind(next.outside, next.events)
      this.#awaited = world.script.waiting(segment.phase) !== waiting
      world.actScript(segment.phase)
      return
    }
    if (ended === 'died') world.script.tick++
    world.actScript()
  }

  #isBack(segment: number): boolean {
    return this.#states[segment]?.has(stateText(this.#world)) === true
  }

  #atEnd(): Verdict {
    const last = this.#undisturbed.segments.at(-1)
    if (last?.api === this.#world.digest()) return { survived: true }
    const { digests } = this.#undisturbed
    const [expected, actual] = [last?.api ?? '', this.#world.digest()].map((text) => digests.spelled(text))
    this.#finding ??= `end: ${firstDifferentLine(expected ?? '', actual ?? '')}`
    return this.#lost()
  }

  #lost(): Verdict {
    const phase = String(this.#world.canary?.status?.phase)
    this.#world.stop()
    return { survived: false, phase, ...(this.#finding === undefined ? {} : { finding: this.#finding }) }
  }

  #faultAt(effect: Effect): Fault | undefined {
    if (this.#injection === undefined) return undefined
    this.#position++
    const { place, fault } = this.#injection
    if (this.#position !== place) return undefined
    if (fault === 'crash before') return { fault: 'crash', moment: 'before' }
    if (fault === 'crash after') return { fault: 'crash', moment: 'after' }
    // Without an oddity there may be another effect in this place.
    if (!kindOf(effect).startsWith('write')) return undefined
    return { fault: 'answer', response: ANSWERS[fault], applied: fault === 'time-out applied' }
  }

  #observe(): void {
    if (this.#finding !== undefined) return
    const { weights, dead } = trafficOf(this.#world.environment.api, this.#golden)
    if (!this.#undisturbed.weights.has(weights)) this.#finding = `weights of no undisturbed state: ${weights}`
    else if (!this.#undisturbed.dead.has(dead)) this.#finding = `traffic to a workload without ready pods: ${dead}`
  }
}
