import type { Effect } from '../../../src/world/controller/index.ts'
import type { GoldenCase } from '../golden/case.ts'
import { TriggerWatch } from '../golden/script.ts'
import { CrashWorld, type DrillPorts, type Moment, type TickEnd } from './crash-world.ts'
import { StateDigests } from './digest.ts'
import { trafficOf } from './traffic.ts'

/** Kinds of effects, as rows of the matrix. */
export type EffectKind = 'read' | 'write' | 'write status' | 'query' | 'webhook' | 'alert' | 'event' | 'inner'

/** One effect of the undisturbed run. */
export interface Place {
  readonly kind: EffectKind
  /** E.g. `PUT /apis/…/canaries/podinfo/status`, or the effect's name. */
  readonly name: string
  readonly worker: boolean
  /** The world before and after it: equal texts mean that a death makes no difference. */
  readonly before: string
  after: string
}

/** From a moment between two ticks to the next one. */
export interface Segment {
  readonly begin: Moment
  /** Instant of its tick; undefined when none came. */
  readonly tickAt: number | undefined
  readonly places: readonly Place[]
  /** State at its end. */
  readonly digest: string
  readonly api: string
  readonly phase: string
}

/** Ticks that the undisturbed run goes on after its end, so that one that is ahead can be told from one that is lost. */
const TAIL_TICKS = 6

/** The undisturbed run of a case, cut at its ticks. */
export interface Undisturbed {
  readonly segments: readonly Segment[]
  /** What would have come after the end. */
  readonly tail: readonly Omit<Segment, 'places'>[]
  readonly weights: ReadonlySet<string>
  readonly dead: ReadonlySet<string>
  /** Of all worlds of the case. */
  readonly digests: StateDigests
  /** Segments that a freshly started controller does not go through in the same way. */
  readonly unlike: readonly string[]
}

/** Which effect it is. */
export function kindOf(effect: Effect): EffectKind {
  if (effect.effect === 'api') {
    if (effect.request.method === 'GET') return 'read'
    return effect.request.path.endsWith('/status') ? 'write status' : 'write'
  }
  const { effect: name } = effect
  return name === 'query' || name === 'webhook' || name === 'alert' || name === 'event' ? name : 'inner'
}

/** The state a run is compared by: objects, answers still to come, what the script has done. */
export function stateText(world: CrashWorld): string {
  return [world.digest(), world.answers, world.script.digest()].join('\n')
}

/** Starts the controller as the undisturbed run had it at the beginning of a segment, and lets the script act. */
export function beginSegment(
  world: CrashWorld,
  segment: { readonly tickAt?: number | undefined },
  first: boolean
): void {
  if (first) {
    world.start()
    return
  }
  world.start(segment.tickAt === undefined ? undefined : Math.max(1, segment.tickAt - world.now))
}

/** Runs a case without any fault, twice: in one go, and from each tick to the next with a controller just started. */
export class UndisturbedRun {
  readonly #golden: GoldenCase
  readonly #weights = new Set<string>()
  readonly #dead = new Set<string>([''])
  readonly #digests = new StateDigests()
  #places: Place[] = []
  #counting = false
  readonly world: CrashWorld

  constructor(golden: GoldenCase) {
    this.#golden = golden
    const ports: DrillPorts = {
      fault: (effect, context) => {
        if (this.#counting) this.#before(effect, context.worker)
        return undefined
      },
      performed: () => this.#after(),
      observe: () => this.#observe()
    }
    this.world = new CrashWorld(golden, ports, this.#digests)
  }

  run(): Undisturbed {
    const { plain, tail } = this.#inOneGo()
    const unlike: string[] = []
    const segments = plain.map((segment, index) => {
      const places = this.#again(segment, index === 0)
      const state = stateText(this.world)
      if (state !== segment.digest) unlike.push(`segment ${index}: ${this.#difference(segment.digest, state)}`)
      return { ...segment, places }
    })
    return { segments, tail, weights: this.#weights, dead: this.#dead, digests: this.#digests, unlike }
  }

  #difference(expected: string, actual: string): string {
    return firstDifferentLine(this.#digests.spelled(expected), this.#digests.spelled(actual))
  }

  #inOneGo(): { readonly plain: Omit<Segment, 'places'>[]; readonly tail: Omit<Segment, 'places'>[] } {
    const { world } = this
    const end = new TriggerWatch(this.#golden.until)
    const plain: Omit<Segment, 'places'>[] = []
    const tail: Omit<Segment, 'places'>[] = []
    let begin = world.save()
    world.start()
    if (!world.createCanary()) return { plain, tail }
    let isOver = false
    for (;;) {
      const ended = world.nextTick()
      if (ended === 'tick') {
        world.settleAfterTick()
        world.script.tick++
      }
      const tickAt = ended === 'tick' ? world.tickBegin : undefined
      const phase = String(world.canary?.status?.phase)
      const segment = { begin, tickAt, digest: stateText(world), api: world.digest(), phase }
      if (isOver) tail.push(segment)
      else plain.push(segment)
      isOver ||= this.#isOver(end)
      if (ended !== 'tick' || tail.length >= TAIL_TICKS) return { plain, tail }
      begin = world.save()
      world.actScript()
    }
  }

  #isOver(end: TriggerWatch): boolean {
    const { tick, events } = this.world.script
    const phase = String(this.world.canary?.status?.phase)
    return end.isDue({ tick, phase, events }) || tick >= this.#golden.maxTicks
  }

  #again(segment: Omit<Segment, 'places'>, first: boolean): Place[] {
    const { world } = this
    world.load(segment.begin)
    this.#places = []
    this.#counting = first
    beginSegment(world, segment, first)
    this.#counting = true
    if (first) world.createCanary()
    else world.actScript()
    const ended: TickEnd = world.nextTick()
    this.#counting = false
    if (ended === 'tick') {
      world.settleAfterTick()
      world.script.tick++
    }
    world.stop()
    return this.#places
  }

  #before(effect: Effect, worker: boolean): void {
    const name = effect.effect === 'api' ? `${effect.request.method} ${effect.request.path}` : effect.effect
    const here = this.#here()
    this.#places.push({ kind: kindOf(effect), name, worker, before: here, after: here })
  }

  #after(): void {
    const place = this.#places.at(-1)
    if (this.#counting && place !== undefined) place.after = this.#here()
  }

  #here(): string {
    const { world } = this
    return `${world.inTick ? 'tick' : 'between'} ${world.now} ${world.changes}`
  }

  #observe(): void {
    const { weights, dead } = trafficOf(this.world.environment.api, this.#golden)
    this.#weights.add(weights)
    this.#dead.add(dead)
  }
}

/** Where two texts part, both sides. */
export function firstDifferentLine(expected: string, actual: string): string {
  const [left, right] = [expected.split('\n'), actual.split('\n')]
  const index = left.findIndex((line, at) => line !== right[at])
  const [a = '', b = ''] = index === -1 ? ['', right[left.length] ?? ''] : [left[index], right[index]]
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  const from = Math.max(0, same - 100)
  return `${a.slice(0, 60)} …\n  undisturbed: ${a.slice(from, same + 200)}\n  disturbed:   ${b.slice(from, same + 200)}`
}
