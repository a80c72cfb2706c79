/**
 * The typed events of a run: one ordered list, the only thing that reporters, checks, dashboard and tuner read.
 */

/** Fields every event has. */
export interface TraceBase {
  /** Simulated milliseconds since the start of the run. */
  readonly atMs: number
  /** Position in the run's list, from 0. */
  readonly seq: number
}

/** The evidence of one metric check: query → value → bound, with the number of user requests behind it. */
export interface MetricEvidence {
  readonly metric: string
  readonly query: string
  /** The value the controller saw; absent where the query gave none. */
  readonly value?: number
  /** Why there is no value, e.g. `no requests`, `no series`, `fewer than two samples`. */
  readonly absentBecause?: string
  readonly min?: number
  readonly max?: number
  /** User requests the canary really received in the window. */
  readonly userRequests?: number
}

/** Why the controller did what it did. */
export type ReasonCode =
  | 'initializing'
  | 'initialized'
  | 'new-revision'
  | 'analysis-restarted'
  | 'advance'
  | 'primary-advance'
  | 'halt-not-ready'
  | 'halt-metric'
  | 'halt-no-values'
  | 'halt-metric-error'
  | 'halt-webhook'
  | 'halt-gate'
  | 'promote'
  | 'rollback-threshold'
  | 'rollback-manual'
  | 'rollback-not-ready'
  | 'promotion-failed'
  | 'finalised'
  | 'skipped'
  | 'suspended'
  | 'terminated'

/** What an event says, without time and position. */
export type TraceBody =
  | {
      readonly kind: 'run'
      readonly scenario: string
      readonly world: string
      readonly seed: number
      readonly speed: string
      readonly versions: Readonly<Record<string, string>>
      readonly inputsDigest: string
    }
  | {
      readonly kind: 'phase'
      readonly canary: string
      readonly tick: number
      readonly from: string
      readonly to: string
    }
  | {
      /** An event of the controller, exactly as Flagger words it. */
      readonly kind: 'event'
      readonly canary: string
      readonly tick: number
      readonly type: 'Normal' | 'Warning'
      readonly message: string
      readonly phase: string
    }
  | {
      readonly kind: 'decision'
      readonly canary: string
      readonly tick: number
      readonly reason: ReasonCode
      readonly message: string
      readonly evidence: readonly MetricEvidence[]
    }
  | {
      /** Weights as written to the mesh object. */
      readonly kind: 'weight'
      readonly canary: string
      readonly tick: number
      readonly primaryPercent: number
      readonly canaryPercent: number
      readonly mirrored: boolean
    }
  | {
      readonly kind: 'query'
      readonly canary: string
      readonly tick: number
      readonly query: string
      readonly result: string
    }
  | {
      readonly kind: 'webhook'
      readonly canary: string
      readonly tick: number
      readonly name: string
      readonly type: string
      readonly url: string
      readonly answer: string
    }
  | {
      readonly kind: 'alert'
      readonly canary: string
      readonly tick: number
      readonly url: string
      readonly payload: unknown
    }
  | {
      readonly kind: 'write'
      readonly canary: string
      readonly tick: number
      readonly verb: string
      readonly object: string
    }
  | {
      readonly kind: 'pod'
      readonly namespace: string
      readonly pod: string
      readonly image: string
      readonly state: string
    }
  | {
      /** One load's requests during one step of the weights; closed at each change of weight and at the end. */
      readonly kind: 'load'
      readonly load: string
      readonly weightPercent: number
      readonly intended: number
      readonly delivered: number
      readonly failed: number
      readonly byVersion: Readonly<Record<string, number>>
    }
  | {
      readonly kind: 'command'
      /** Name of the step that typed it, where it has one. */
      readonly name?: string
      readonly command: string
      readonly exitCode: number
      readonly stdout: string
      readonly stderr: string
    }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'log'; readonly source: string; readonly level: string; readonly message: string }
  | { readonly kind: 'outbound'; readonly url: string; readonly method: string; readonly payload: unknown }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }
  | { readonly kind: 'end'; readonly outcome: string; readonly wallMs: number; readonly simulatedMs: number }

/** One event of a run. */
export type TraceEvent = TraceBase & TraceBody
