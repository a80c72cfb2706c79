import type { ApiResponse } from '../../../src/kinds/index.ts'
import type { Effect, Fault } from '../../../src/world/controller/index.ts'
import type { GoldenCase } from '../golden/case.ts'
import { faultAnswer } from '../golden/faults.ts'
import { CrashWorld, type TickEnd } from './crash-world.ts'
import { trafficOf } from './traffic.ts'
import { beginSegment, firstDifferentLine, kindOf, stateText, type Segment, type Undisturbed } from './undisturbed.ts'

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
  /** The first broken invariant, or how the end differs from the undisturbed one. */
  readonly finding?: string
  /** Phase of the canary at the end of a run that did not come back. */
  readonly phase?: string
}

/**
 * Whether answers and script go back to where they stood when the interrupted tick began, or go on from where they
 * are: what the world outside answers to a question asked twice is not in the recording.
 */
type Outside = 'rewound' | 'kept'

/** Disturbs runs of one case. */
export class Drill {
  readonly #golden: GoldenCase
  readonly #undisturbed: Undisturbed
  readonly #world: CrashWorld
  readonly #states: readonly ReadonlySet<string>[]
  #position = -1
  #injection: Injection | undefined
  #finding: string | undefined

  constructor(golden: GoldenCase, undisturbed: Undisturbed) {
    this.#golden = golden
    this.#undisturbed = undisturbed
    const digests = undisturbed.segments.map(({ digest }) => digest)
    this.#states = digests.map((_digest, index) => new Set(digests.slice(index)))
    this.#world = new CrashWorld(golden, {
      fault: (effect) => this.#faultAt(effect),
      performed: () => {},
      observe: () => this.#observe()
    })
  }

  /** Runs the case with one fault, until it is where the undisturbed run is, or has ended otherwise. */
  run(injection: Injection): Verdict {
    const rewound = this.#run(injection, 'rewound')
    if (rewound.survived) return rewound
    const kept = this.#run(injection, 'kept')
    return kept.survived ? kept : rewound
  }

  #run(injection: Injection, outside: Outside): Verdict {
    const segment = this.#undisturbed.segments[injection.segment]
    if (segment === undefined) throw new Error(`no segment ${injection.segment}`)
    const world = this.#world
    this.#injection = undefined
    this.#finding = undefined
    this.#position = -1
    world.load(segment.begin)
    const first = injection.segment === 0
    if (first) this.#injection = injection
    beginSegment(world, segment, first)
    this.#injection = injection
    this.#finding = undefined
    if (first) world.createCanary()
    else world.actScript()
    return this.#untilItIsBack(injection, segment, outside)
  }

  #untilItIsBack(injection: Injection, segment: Segment, outside: Outside): Verdict {
    const world = this.#world
    const ticksMax = this.#undisturbed.segments.length + EXTRA_TICKS - injection.segment
    let disturbed = true
    for (let tick = 0; tick < ticksMax; tick++) {
      const ended = world.nextTick()
      if (disturbed && this.#isOver(injection)) {
        disturbed = false
        if (ended !== 'silent') {
          this.#afterFault(ended, segment, outside)
          if (this.#finding !== undefined) return this.#lost(segment)
          if (this.#isBack(injection.segment)) return { survived: true }
          if (ended === 'died') continue
          if (outside === 'kept') world.actScript()
          continue
        }
      } else if (ended === 'tick') {
        world.settleAfterTick()
        world.script.tick++
      }
      if (this.#finding !== undefined) return this.#lost(segment)
      if (this.#isBack(injection.segment)) return { survived: true }
      if (ended === 'silent') return this.#atEnd(segment)
      world.actScript()
    }
    return this.#atEnd(segment)
  }

  /** Whether the fault has happened. */
  #isOver({ place }: Injection): boolean {
    return this.#position >= place
  }

  #afterFault(ended: Exclude<TickEnd, 'silent'>, segment: Segment, outside: Outside): void {
    const world = this.#world
    const wasInTick = ended === 'tick' || world.inTick
    if (wasInTick) world.settleAfterTick()
    else world.environment.settle()
    if (ended === 'tick') {
      world.script.tick++
      if (outside === 'rewound' && stateText(world) !== segment.digest) world.rewindTick()
      return
    }
    if (wasInTick && outside === 'rewound') world.rewindTick()
    if (wasInTick && outside === 'kept') {
      world.script.tick++
      world.actScript()
    }
    world.start()
  }

  #isBack(segment: number): boolean {
    return this.#states[segment]?.has(stateText(this.#world)) === true
  }

  #atEnd(segment: Segment): Verdict {
    const last = this.#undisturbed.segments.at(-1)
    if (last?.api === this.#world.digest()) return { survived: true }
    this.#finding ??= `end: ${firstDifferentLine(last?.api ?? '', this.#world.digest())}`
    return this.#lost(segment)
  }

  #lost(_segment: Segment): Verdict {
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
    if (!kindOf(effect).startsWith('write')) throw new Error(`effect ${place} is no write: ${effect.effect}`)
    return { fault: 'answer', response: ANSWERS[fault], applied: fault === 'time-out applied' }
  }

  #observe(): void {
    if (this.#finding !== undefined) return
    const { weights, dead } = trafficOf(this.#world.environment.api, this.#golden)
    if (!this.#undisturbed.weights.has(weights)) this.#finding = `weights of no undisturbed state: ${weights}`
    else if (!this.#undisturbed.dead.has(dead)) this.#finding = `traffic to a workload without ready pods: ${dead}`
  }
}
