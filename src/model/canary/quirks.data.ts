/** One oddity of Flagger 1.44.0 that is reproduced unless it is switched off. */
export interface QuirkEntry {
  /** What Flagger does. */
  readonly behaviour: string
  /** What happens instead when the quirk is off. */
  readonly off: string
  /** Where it is in Flagger 1.44.0, with the public report if there is one. */
  readonly upstream: string
}

/** Names of the quirks. */
export type QuirkName =
  | 'weight-overshoots-max'
  | 'max-weight-above-total-never-promotes'
  | 'failed-loses-revisions'
  | 'revision-during-init-is-lost'
  | 'not-ready-rollback-is-silent'
  | 'alert-without-severity-never-fires'
  | 'waiting-promotion-shows-weight-zero'
  | 'failed-checks-survive-success'
  | 'analysis-match-errors-are-dropped'
  | 'template-interval-has-no-default'
  | 'builtin-name-with-template-runs-both'
  | 'infinite-duration-passes'
  | 'duration-bounds-are-truncated'
  | 'template-authorization-accumulates'
  | 'primary-cookie-without-name'
  | 'istio-default-route-carries-primary-weight'
  | 'mirror-step-waits-for-mirroring'
  | 'promotion-step-at-zero-hangs'
  | 'iterations-lowered-stall-ab'
  | 'service-target-keeps-cluster-ips'
  | 'service-promotion-drops-owner'
  | 'skipper-needs-annotations'
  | 'stuck-primary-gates-fixes'
  | 'promotion-copies-zero-replicas'
  | 'zero-replicas-are-ready'

/** Every named quirk. */
export const QUIRKS: Readonly<Record<QuirkName, QuirkEntry>> = {
  'weight-overshoots-max': {
    behaviour: 'The last step may pass maxWeight: weights are clamped at 100, not at maxWeight.',
    off: 'The last step ends at maxWeight.',
    upstream: 'pkg/controller/scheduler.go runCanary'
  },
  'max-weight-above-total-never-promotes': {
    behaviour: 'With maxWeight above 100 the weight stays at 100 for ever and is never promoted.',
    off: 'maxWeight above 100 counts as 100.',
    upstream: 'pkg/controller/scheduler.go maxWeight'
  },
  'failed-loses-revisions': {
    behaviour: 'While Failed, each tick records the target as applied before anything was started for it.',
    off: 'While Failed, the applied revision is recorded only when its analysis starts.',
    upstream: 'pkg/controller/scheduler.go shouldAdvance; devantler-tech/platform#2387'
  },
  'revision-during-init-is-lost': {
    behaviour: 'A template changed during initialisation is recorded as promoted although the primary never got it.',
    off: 'The hash of the template that the primary was created from is recorded, so the change starts an analysis.',
    upstream: 'pkg/controller/scheduler.go setPhaseInitialized'
  },
  'not-ready-rollback-is-silent': {
    behaviour: 'A rollback because pods did not become ready sends no alert.',
    off: 'It sends the alert `Progress deadline exceeded <error>`.',
    upstream: 'pkg/controller/scheduler.go advanceCanary; fluxcd/flagger#1816'
  },
  'alert-without-severity-never-fires': {
    behaviour: 'An alert entry without severity is never sent.',
    off: 'A missing severity means info, as the documentation says.',
    upstream: 'pkg/controller/events.go alert'
  },
  'waiting-promotion-shows-weight-zero': {
    behaviour: 'status.canaryWeight shows 0 in WaitingPromotion while the traffic stays where it was.',
    off: 'status.canaryWeight keeps its value.',
    upstream: 'pkg/canary/status.go setStatusPhase'
  },
  'failed-checks-survive-success': {
    behaviour: 'status.failedChecks keeps its value at Succeeded.',
    off: 'It is reset at Succeeded.',
    upstream: 'pkg/canary/status.go setStatusPhase'
  },
  'analysis-match-errors-are-dropped': {
    behaviour:
      'Gateway API: an analysis match that cannot be mapped is dropped with all others; rule 0 then matches everything.',
    off: 'The tick ends with the mapping error.',
    upstream: 'pkg/router/gateway_api.go Reconcile, SetRoutes'
  },
  'template-interval-has-no-default': {
    behaviour:
      'A template metric without interval renders an empty interval; only builtin and inline queries default to 1m.',
    off: 'Template metrics default to 1m too.',
    upstream: 'pkg/controller/scheduler_metrics.go runMetricChecks'
  },
  'builtin-name-with-template-runs-both': {
    behaviour:
      'A metric named like a builtin one runs the builtin query even if it has a templateRef, then the template.',
    off: 'A templateRef replaces the builtin query.',
    upstream: 'pkg/controller/scheduler_metrics.go runBuiltinMetricChecks'
  },
  'infinite-duration-passes': {
    behaviour: 'A request-duration of +Inf passes every upper bound: the conversion to nanoseconds overflows (amd64).',
    off: '+Inf exceeds every upper bound.',
    upstream: 'pkg/metrics/observers GetRequestDuration'
  },
  'duration-bounds-are-truncated': {
    behaviour: 'Bounds of request-duration are cut to whole milliseconds (0.5 becomes 0).',
    off: 'Bounds keep their fraction.',
    upstream: 'pkg/controller/scheduler_metrics.go runBuiltinMetricChecks'
  },
  'template-authorization-accumulates': {
    behaviour: 'A template with headers and a token sends one more Authorization value with every query.',
    off: 'Exactly one Authorization value is sent.',
    upstream: 'pkg/metrics/providers/prometheus.go RunQuery'
  },
  'primary-cookie-without-name': {
    behaviour: 'A primary session cookie `=<random>` is recorded even when primaryCookieName is empty.',
    off: 'No primary cookie is recorded without a name.',
    upstream: 'pkg/router/gateway_api.go, istio.go getSessionAffinityRouteRules'
  },
  'istio-default-route-carries-primary-weight': {
    behaviour: 'Istio A/B: the only destination of the default route has the primary weight, 0 during the test.',
    off: 'The default route has weight 100.',
    upstream: 'pkg/router/istio.go SetRoutes'
  },
  'mirror-step-waits-for-mirroring': {
    behaviour: 'mirror with steps loops for ever on routers that never report mirroring (SMI, NGINX, Gateway API).',
    off: 'The mirror step is skipped where the router cannot mirror.',
    upstream: 'pkg/controller/scheduler.go runCanary'
  },
  'promotion-step-at-zero-hangs': {
    behaviour: 'stepWeightPromotion with a canary weight of 0 never finalises.',
    off: 'It finalises at once.',
    upstream: 'pkg/controller/scheduler.go runPromotionTrafficShift'
  },
  'iterations-lowered-stall-ab': {
    behaviour: 'A/B with iterations lowered below the counter is stuck, silently.',
    off: 'It is promoted.',
    upstream: 'pkg/controller/scheduler.go runAB'
  },
  'service-target-keeps-cluster-ips': {
    behaviour: 'A Service target with a cluster IP cannot be copied: clusterIPs is not cleared with clusterIP.',
    off: 'Both are cleared.',
    upstream: 'pkg/canary/service_controller.go createService'
  },
  'service-promotion-drops-owner': {
    behaviour: 'Promotion of a Service target removes the owner reference of the primary Service.',
    off: 'The owner reference is kept.',
    upstream: 'pkg/canary/service_controller.go Promote'
  },
  'skipper-needs-annotations': {
    behaviour: 'Skipper: an Ingress without annotations makes the controller panic.',
    off: 'It is handled like an empty map.',
    upstream: 'pkg/router/skipper.go makeAnnotations'
  },
  'stuck-primary-gates-fixes': {
    behaviour: 'A primary that is not ready gates everything: even a new revision that would fix it is rolled back.',
    off: 'A new revision may start while the primary is not ready.',
    upstream: 'pkg/controller/scheduler.go advanceCanary'
  },
  'promotion-copies-zero-replicas': {
    behaviour:
      'Promotion copies the replicas of the target, even none: repeated after the target was scaled down (skipAnalysis interrupted before Succeeded), it scales the primary to zero.',
    off: 'A target without pods leaves the replicas of the primary as they are.',
    upstream: 'pkg/canary/deployment_controller.go promotePrimaryDeployment'
  },
  'zero-replicas-are-ready': {
    behaviour:
      'A target scaled to zero counts as ready: a rollback interrupted before Failed was recorded is resumed as an analysis without pods.',
    off: 'During an analysis a target scaled to zero is rolled back.',
    upstream: 'pkg/canary/deployment_ready.go isDeploymentReady; pkg/controller/scheduler.go rollback'
  }
}
