import type { AppSpec, DelayDistribution } from '../../kinds/index.ts'
import type { AppRequest } from '../../model/app/index.ts'
import { judgeFaults } from '../../model/app/index.ts'
import { DEFAULT_LATENCY, Latency } from './latency.ts'

/** Most faults of a version that can hit the same request by chance: their combinations are told apart. */
const CHANCE_FAULTS_MAX = 8

/** One way a request can go through the faults of a version. */
export interface Outcome {
  readonly chance: number
  /** Status of a fault; undefined: the app's own answer. */
  readonly status: number | undefined
  readonly reset: boolean
  readonly delays: readonly DelayDistribution[]
}

/** Everything the declared faults may do to requests like this one, with the chance of each. */
function outcomesOf(spec: AppSpec, request: AppRequest): readonly Outcome[] {
  let outcomes: readonly Outcome[] = [{ chance: 1, status: undefined, reset: false, delays: [] }]
  let branching = 0
  for (const fault of spec.faults) {
    if (fault.kind === 'not-ready' || fault.kind === 'crash') continue
    const certain =
      fault.kind === 'delay'
        ? { ...fault, ratio: 1, delay: { kind: 'constant', ms: 1 } as const }
        : { ...fault, ratio: 1 }
    const verdict = judgeFaults({ ...spec, faults: [certain] }, request, 0)
    if (verdict.delayMs === 0 && verdict.status === undefined && !verdict.reset) continue
    if (fault.ratio < 1 && ++branching > CHANCE_FAULTS_MAX) continue
    outcomes = outcomes.flatMap((before): readonly Outcome[] => {
      const hit: Outcome = {
        chance: before.chance * Math.min(1, fault.ratio),
        status: fault.kind === 'status' ? (before.status ?? fault.status) : before.status,
        reset: before.reset || fault.kind === 'reset',
        delays: fault.kind === 'delay' ? [...before.delays, fault.delay] : before.delays
      }
      return fault.ratio >= 1 ? [hit] : [hit, { ...before, chance: before.chance * (1 - fault.ratio) }]
    })
  }
  return outcomes
}

/** Chances and latencies of the versions of a world, made once per version and kind of request. */
export class OutcomeTables {
  readonly #outcomes = new WeakMap<AppSpec, Map<string, readonly Outcome[]>>()
  readonly #latencies = new WeakMap<Outcome, Map<number, Latency>>()

  /** What may become of requests like this one. */
  of(spec: AppSpec, request: AppRequest): readonly Outcome[] {
    if (spec.faults.length === 0) return UNHARMED
    const headers = request.headers.map(([name, value]) => `${name}=${value}`).join(' ')
    const key = `${request.method} ${request.target} ${headers}`
    const known = this.#outcomes.get(spec) ?? new Map<string, readonly Outcome[]>()
    this.#outcomes.set(spec, known)
    const table = known.get(key) ?? outcomesOf(spec, request)
    if (known.size < TABLES_MAX) known.set(key, table)
    return table
  }

  /** How long requests of that outcome take. @param shiftMs - what the app itself waits */
  latency(spec: AppSpec, outcome: Outcome, shiftMs: number): Latency {
    if (spec.latency === undefined && outcome.delays.length === 0 && shiftMs === 0) return USUAL
    // An unharmed outcome is shared by all versions: what their own latency makes of it is kept with the version.
    const known = this.#latencies.get(outcome) ?? new Map<number, Latency>()
    if (outcome !== UNHARMED[0]) this.#latencies.set(outcome, known)
    const rounded = Math.round(shiftMs * 10) / 10
    const latency = known.get(rounded) ?? new Latency(spec.latency ?? DEFAULT_LATENCY, outcome.delays, rounded)
    if (known.size < TABLES_MAX) known.set(rounded, latency)
    return latency
  }
}

/** Most kinds of requests (or waits) remembered per version. */
const TABLES_MAX = 100

const UNHARMED: readonly Outcome[] = [{ chance: 1, status: undefined, reset: false, delays: [] }]
const USUAL = new Latency(DEFAULT_LATENCY, [])
