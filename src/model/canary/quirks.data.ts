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
  | 'rollout-gate-before-announcement'
  | 'one-change-per-tick'
  | 'announced-before-done'
  | 'events-mix-names'
  | 'iterations-show-weight-zero'
  | 'failed-resets-failed-checks'
  | 'traffic-gate-asked-before-promotion'
  | 'blue-green-promotion-gate-asked-twice'
  | 'rollback-hook-tells-every-tick'
  | 'rollback-hook-not-asked-while-waiting'
  | 'start-is-told-at-every-try'
  | 'single-iteration-starts-again'
  | 'failed-promotion-keeps-routes'
  | 'failed-refreshes-transition-time'
  | 'difference-resets-weights'
  | 'unaccepted-route-ends-tick'
  | 'primary-drops-selector-labels'
  | 'manual-scale-up-stays'
  | 'kubernetes-never-shifts-traffic'

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
    upstream: 'pkg/controller/scheduler.go setPhaseInitialized; pkg/canary/status.go syncCanaryStatus'
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
    upstream: 'pkg/metrics/observers/istio.go GetRequestDuration, as in every other observer'
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
    upstream: 'pkg/router/gateway_api.go getSessionAffinityRouteRules; pkg/router/istio.go getSessionAffinityRouteRules'
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
    upstream: 'pkg/canary/deployment_controller.go Promote'
  },
  'zero-replicas-are-ready': {
    behaviour:
      'A target scaled to zero counts as ready: a rollback interrupted before Failed was recorded is resumed as an analysis without pods.',
    off: 'During an analysis a target scaled to zero is rolled back.',
    upstream: 'pkg/canary/deployment_ready.go isDeploymentReady, IsCanaryReady; pkg/controller/scheduler.go rollback'
  },
  'rollout-gate-before-announcement': {
    behaviour:
      'The confirm-rollout gates are asked, and their passing told, before the new revision is announced, with the old phase.',
    off: 'What the gates said is told after `New revision detected!`, in phase Progressing.',
    upstream: 'pkg/controller/scheduler.go checkCanaryStatus; pkg/controller/scheduler_hooks.go runConfirmRolloutHooks'
  },
  'one-change-per-tick': {
    behaviour: 'A tick ends with the first change of phase: what follows waits for the next one.',
    off: 'A tick goes on through changes of phase until one of them has to wait.',
    upstream: 'pkg/controller/scheduler.go advanceCanary, checkCanaryStatus'
  },
  'announced-before-done': {
    behaviour: '`Copying …` is told before the copy and `Canary failed! Scaling down …` before the scaling.',
    off: 'Both are told once they are done.',
    upstream: 'pkg/controller/scheduler.go runCanary, rollback'
  },
  'events-mix-names': {
    behaviour:
      'Some events name the target (`New revision`, `Starting`, `Copying`, `Promotion completed!`, `Promotion of`), the others the canary.',
    off: 'All of them name the canary.',
    upstream:
      'pkg/controller/scheduler.go advanceCanary, checkCanaryStatus, runCanary, shouldSkipAnalysis, handleFailedPromotion'
  },
  'iterations-show-weight-zero': {
    behaviour: 'status.canaryWeight stays 0 throughout A/B and Blue/Green.',
    off: 'It shows 100 once the traffic goes to the canary.',
    upstream: 'pkg/controller/scheduler.go runAB, runBlueGreen'
  },
  'failed-resets-failed-checks': {
    behaviour: 'status.failedChecks is 0 in Failed.',
    off: 'It keeps its value.',
    upstream: 'pkg/controller/scheduler.go rollback, handleFailedPromotion; pkg/canary/status.go syncCanaryStatus'
  },
  'traffic-gate-asked-before-promotion': {
    behaviour: 'confirm-traffic-increase is asked on the tick of the promotion too, when no traffic is added.',
    off: 'It is asked only before a step of the weight.',
    upstream:
      'pkg/controller/scheduler.go advanceCanary; pkg/controller/scheduler_hooks.go runConfirmTrafficIncreaseHooks'
  },
  'blue-green-promotion-gate-asked-twice': {
    behaviour: 'Blue/Green asks the promotion gate before the switch of the traffic and again before the promotion.',
    off: 'It asks before the switch only.',
    upstream: 'pkg/controller/scheduler.go runBlueGreen'
  },
  'rollback-hook-tells-every-tick': {
    behaviour: 'A rollback hook that asks for nothing is told as a Normal event on every tick.',
    off: 'It is silent.',
    upstream: 'pkg/controller/scheduler_hooks.go runRollbackHooks'
  },
  'rollback-hook-not-asked-while-waiting': {
    behaviour:
      'Rollback hooks are never asked in Waiting, although the code and the documentation say so: that tick ends before.',
    off: 'They are asked in Waiting too.',
    upstream: 'pkg/controller/scheduler.go advanceCanary, checkCanaryStatus'
  },
  'start-is-told-at-every-try': {
    behaviour: '`Starting canary analysis` is told again on every tick until the first step is taken.',
    off: 'It is told once, with the first step.',
    upstream: 'pkg/controller/scheduler.go advanceCanary'
  },
  'single-iteration-starts-again': {
    behaviour:
      'Blue/Green with one iteration: a closed promotion gate sets the iterations to 0, and the next tick starts the analysis anew.',
    off: 'A canary that waits for its promotion does not start again.',
    upstream: 'pkg/canary/status.go setStatusPhase; pkg/controller/scheduler.go advanceCanary'
  },
  'failed-promotion-keeps-routes': {
    behaviour:
      'After a failed promotion the next revision starts with all traffic at the canary, and is promoted after one analysis.',
    off: 'The traffic goes back to the primary before the revision is scaled up.',
    upstream: 'pkg/controller/scheduler.go handleFailedPromotion, checkCanaryStatus'
  },
  'failed-refreshes-transition-time': {
    behaviour:
      'While Failed, each tick writes the status and a new lastTransitionTime, from which the deadline of a DaemonSet counts.',
    off: 'It is written only when the revision is another one.',
    upstream: 'pkg/controller/scheduler.go shouldAdvance; pkg/canary/status.go syncCanaryStatus'
  },
  'difference-resets-weights': {
    behaviour:
      'Any difference between wanted and stored route is corrected with weights 100/0: the analysis starts again.',
    off: 'The correction keeps the weights.',
    upstream:
      'pkg/router/gateway_api.go Reconcile; pkg/router/istio.go reconcileVirtualService; pkg/router/smi.go Reconcile'
  },
  'unaccepted-route-ends-tick': {
    behaviour:
      'Gateway API v1: a route whose present generation the gateway has not accepted yet ends the tick with a Warning.',
    off: 'The weights are read all the same.',
    upstream: 'pkg/router/gateway_api.go GetRoutes'
  },
  'primary-drops-selector-labels': {
    behaviour: 'The primary selects by one label only; what else the target selects by is dropped.',
    off: "The primary selects by the target's other labels too.",
    upstream:
      'pkg/canary/deployment_controller.go createPrimaryDeployment; pkg/canary/daemonset_controller.go createPrimaryDaemonSet'
  },
  'manual-scale-up-stays': {
    behaviour: 'A target that somebody scales up outside a release keeps its pods.',
    off: 'It is scaled to zero at the next idle tick, unless the canary has Failed.',
    upstream: 'pkg/controller/scheduler.go advanceCanary'
  },
  'kubernetes-never-shifts-traffic': {
    behaviour:
      "Provider kubernetes never shifts traffic: the new version serves only when the primary's pods are replaced.",
    off: 'Blue/Green lets the apex Service select the canary between the last iteration and the end of the promotion.',
    upstream: 'pkg/controller/scheduler.go runBlueGreen; pkg/router/nop.go SetRoutes'
  }
}
