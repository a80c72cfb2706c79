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

/** What is known of a version: its outcomes by kind of request, and how long each takes. */
interface Behaviour {
  readonly outcomes: Map<string, readonly Outcome[]>
  readonly latencies: Map<Outcome, Map<number, Latency>>
}

/** Behaviours do not change: what follows from one is found once per process. */
const behaviours = new WeakMap<AppSpec, Behaviour>()

function behaviourOf(spec: AppSpec): Behaviour {
  let known = behaviours.get(spec)
  if (known === undefined) behaviours.set(spec, (known = { outcomes: new Map(), latencies: new Map() }))
  return known
}

/** What may become of requests like this one. */
export function outcomesFor(spec: AppSpec, request: AppRequest): readonly Outcome[] {
  if (spec.faults.length === 0) return UNHARMED
  const headers = request.headers.map(([name, value]) => `${name}=${value}`).join(' ')
  const key = `${request.method} ${request.target} ${headers}`
  const { outcomes } = behaviourOf(spec)
  const table = outcomes.get(key) ?? outcomesOf(spec, request)
  if (outcomes.size < TABLES_MAX) outcomes.set(key, table)
  return table
}

/** How long requests of that outcome take. @param shiftMs - what the app itself waits */
export function latencyFor(spec: AppSpec, outcome: Outcome, shiftMs: number): Latency {
  if (spec.latency === undefined && outcome.delays.length === 0 && shiftMs === 0) return USUAL
  const { latencies } = behaviourOf(spec)
  let known = latencies.get(outcome)
  if (known === undefined) {
    known = new Map<number, Latency>()
    if (latencies.size < TABLES_MAX) latencies.set(outcome, known)
  }
  const rounded = Math.round(shiftMs * 10) / 10
  const latency = known.get(rounded) ?? new Latency(spec.latency ?? DEFAULT_LATENCY, outcome.delays, rounded)
  if (known.size < TABLES_MAX) known.set(rounded, latency)
  return latency
}

/** Most kinds of requests (or waits) remembered per version. */
const TABLES_MAX = 100

const UNHARMED: readonly Outcome[] = [{ chance: 1, status: undefined, reset: false, delays: [] }]
const USUAL = new Latency(DEFAULT_LATENCY, [])
