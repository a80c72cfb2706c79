/** Why a rollout may end otherwise than undisturbed, and where that is in Flagger 1.44.0. */
export interface Explanation {
  readonly behaviour: string
  /** How it is made sure that this is the cause: what is changed so that the run survives. */
  readonly proof: string
  readonly upstream: string
}

/** Name of a reason. */
export type ExplanationName =
  | 'worker-never-repeats'
  | 'event-lost'
  | 'asked-again'
  | 'answers-used-up'
  | 'cookies-forgotten'
  | 'weight-not-recorded-again'
  | 'failed-loses-revisions'
  | 'promotion-step-at-zero-hangs'
  | 'promotion-copies-zero-replicas'
  | 'zero-replicas-are-ready'

/** Every known reason. */
export const EXPLANATIONS: Readonly<Record<ExplanationName, Explanation>> = {
  'worker-never-repeats': {
    behaviour: 'A worker that cannot write Initializing drops the canary: it is not scheduled until its spec changes.',
    proof: 'With the controller started again right after the fault, the run survives.',
    upstream:
      'pkg/controller/controller.go processNextWorkItem (an error is handled, not queued again), syncHandler; pkg/controller/scheduler.go setPhaseInitializing'
  },
  'event-lost': {
    behaviour:
      'Events, hooks and alerts that follow a status write are never made up for: who waits for them waits on.',
    proof: 'With what waits for the event told of it, the run survives.',
    upstream:
      'pkg/controller/scheduler.go advanceCanary, runCanary, rollback, setPhaseInitialized: the status first; pkg/controller/events.go recordEventInfof, alert'
  },
  'asked-again': {
    behaviour: 'Metrics and hooks of a step that was recorded already are asked again for the next step.',
    proof: 'With answers that go on instead of being repeated, the run survives.',
    upstream: 'pkg/controller/scheduler.go advanceCanary, runAnalysis: no check is remembered but by the status'
  },
  'answers-used-up': {
    behaviour:
      'Metrics and hooks of a step that could not be recorded are asked again, and may say something else then.',
    proof: 'With the same answers repeated, the run survives.',
    upstream: 'pkg/controller/scheduler.go advanceCanary: runAnalysis, then SetStatusFailedChecks or the step'
  },
  'cookies-forgotten': {
    behaviour:
      'Session cookies are changed in memory and written with a later status: a death or a conflict loses them.',
    proof: 'But for the recorded session cookies, the end is an undisturbed one.',
    upstream:
      'pkg/canary/status.go setStatusWeight, setStatusPhase (RetryOnConflict reads the canary again); pkg/router/gateway_api.go and pkg/router/istio.go getSessionAffinityRouteRules'
  },
  'weight-not-recorded-again': {
    behaviour:
      'The weight of the status is written with a step only: one that was not recorded stays behind the routes.',
    proof: 'But for status.canaryWeight, the end is an undisturbed one.',
    upstream: 'pkg/controller/scheduler.go runCanary SetRoutes, then SetStatusWeight'
  },
  'failed-loses-revisions': {
    behaviour: 'A tick that ends early while Failed has recorded the new revision as applied: it is never started.',
    proof: 'With that oddity switched off, the run survives.',
    upstream: 'pkg/controller/scheduler.go shouldAdvance; devantler-tech/platform#2387'
  },
  'promotion-step-at-zero-hangs': {
    behaviour: 'Routes back at the primary before Finalising was recorded: stepWeightPromotion never finalises.',
    proof: 'With that oddity switched off, the run survives.',
    upstream: 'pkg/controller/scheduler.go runPromotionTrafficShift'
  },
  'promotion-copies-zero-replicas': {
    behaviour: 'A skipped analysis repeated after the target was scaled down scales the primary to zero.',
    proof: 'With that oddity switched off, the run survives.',
    upstream: 'pkg/canary/deployment_controller.go Promote; pkg/controller/scheduler.go shouldSkipAnalysis'
  },
  'zero-replicas-are-ready': {
    behaviour: 'A rollback that was not recorded is resumed as an analysis of a target without pods.',
    proof: 'With that oddity switched off, the run survives.',
    upstream: 'pkg/canary/deployment_ready.go IsCanaryReady, isDeploymentReady; pkg/controller/scheduler.go rollback'
  }
}
