import type { Canary } from '../../kinds/index.ts'
import { sendAlert } from './alerts.ts'
import { scalerFor } from './autoscalers/registry.ts'
import { privateCanary } from './decoding.ts'
import { log, type Plan } from './effects.ts'
import { decide, recordError, recordInfo, recordWarning, releaseName, withPhase } from './events.ts'
import { failureOf, outcomeOf, StepFailed, wrapped } from './failure.ts'
import { setPhaseGauge, setWeightGauges } from './gauges.ts'
import { rolloutConfirmed } from './hooks/confirm-rollout.ts'
import { rollbackRequested } from './hooks/rollback.ts'
import { probeMetricProviders } from './metrics.ts'
import { getObject, RESOURCES } from './objects.ts'
import { noticingUpdates } from './performing.ts'
import { isAnalysing, isUnderWay } from './phases.ts'
import { finishRelease, isPromoting, promoteWithoutAnalysis, shiftToPrimary } from './promotion.ts'
import { handleFailedPromotion, rollback, rollbackNotReady } from './rollback.ts'
import { routerFor } from './routers/registry.ts'
import { TO_PRIMARY } from './routers/router.ts'
import { reconcileApexService, reconcileWorkloadServices } from './services.ts'
import { sameButEmpty } from './same.ts'
import type { ControllerSettings } from './settings.ts'
import { failedChecksThreshold, fullName, isInitialising, namespaceOf, statusOf, targetFullName } from './spec.ts'
import { syncStatus, type SyncedStatus } from './status.ts'
import { targetFor } from './targets/registry.ts'
import type { CanaryKey } from './tick.ts'
import type { Tick } from './tick-context.ts'

/** Stands for a revision that no target has. */
const UNKNOWN_REVISION = 'unknown'

/** Step 1: the canary as the server has it, as a private copy; undefined (with a log line) when it cannot be read. */
export function* readCanary({ name, namespace }: CanaryKey): Plan<Canary | undefined> {
  const read = yield* outcomeOf(getObject(RESOURCES.canaries, namespace, name))
  if (!(read instanceof StepFailed)) return privateCanary(read)
  yield* log('error', `Canary ${name}.${namespace} not found`, `${name}.${namespace}`)
  return undefined
}

/** Step 2: a suspended canary is told about on every tick and left alone. */
export function* isSuspended(settings: ControllerSettings, canary: Canary): Plan<boolean> {
  if (canary.spec.suspend !== true) return false
  const message = 'skipping canary run as object is suspended'
  yield* log('debug', message, fullName(canary))
  yield* decide(canary, 'suspended', message)
  yield* recordInfo(settings, canary, message)
  return true
}

/** Step 3: the parts that fit the canary's target, autoscaler and provider, and the target's selector and ports. */
export function* openTick(settings: ControllerSettings, canary: Canary): Plan<Tick> {
  const provider = canary.spec.provider || settings.meshProvider
  const { kind, apiVersion } = canary.spec.targetRef
  const target = targetFor(settings, kind, apiVersion)
  const metadata = yield* target.metadata(canary)
  const scaler = scalerFor(settings, canary.spec.autoscalerRef?.kind)
  const router = yield* routerFor(settings, provider)
  return { settings, canary, provider, target, router, scaler, metadata, routes: TO_PRIMARY }
}

/** Step 4: canary and primary Service. */
export function reconcileServices({ canary, metadata }: Tick): Plan<void> {
  return reconcileWorkloadServices(canary, metadata)
}

/** Step 5: metric servers, while initialising. */
export function* probeMetrics({ settings, canary }: Tick): Plan<void> {
  if (isInitialising(canary) && canary.spec.skipAnalysis !== true) yield* probeMetricProviders(settings, canary)
}

/** Step 7: the primary exists and, while initialising, is ready. */
export function* primaryInitialised(tick: Tick): Plan<boolean> {
  const failure = yield* failureOf(tick.target.initialise(tick.canary))
  if (failure === undefined) return true
  yield* decide(tick.canary, 'initializing', failure.message)
  yield* recordWarning(tick.settings, tick.canary, failure.message)
  if (!failure.retriable) yield* rollbackNotReady(tick, failure)
  return false
}

/** Step 8: the primary's autoscaler; the target's is paused while initialising. */
export function* reconcileScaler({ canary, scaler }: Tick): Plan<void> {
  if (scaler === undefined) return
  yield* scaler.reconcilePrimary(canary, 'create')
  if (isInitialising(canary)) yield* scaler.pauseTarget(canary)
}

/** Step 9: the apex Service selects the primary. */
export function reconcileApex(tick: Tick): Plan<void> {
  return reconcileApexService(tick.canary, tick.metadata, servesWithoutMesh(tick) ? 'canary' : 'primary')
}

/** Provider kubernetes: whether the last iteration of a Blue/Green test is over and the promotion is not. */
function servesWithoutMesh({ settings, canary, provider }: Tick): boolean {
  if (provider !== 'kubernetes' || settings.quirks['kubernetes-never-shifts-traffic']) return false
  const { phase, iterations } = statusOf(canary)
  return (isAnalysing(phase) || phase === 'Promoting') && iterations > (canary.spec.analysis.iterations ?? Infinity)
}

/** Step 10: the target goes to zero once the apex points at the primary. */
export function* scaleDownTarget({ canary, target }: Tick): Plan<void> {
  if (!isInitialising(canary)) return
  const what = `${canary.spec.targetRef.kind} ${targetFullName(canary)}`
  yield* log('info', `Scaling down ${what}`, fullName(canary))
  yield* wrapped(`scaling down canary ${what} failed: `, target.scaleToZero(canary))
}

/** Step 11: the mesh's objects. Any difference is corrected with the weights of the beginning, whatever they were. */
export function* reconcileMesh({ settings, canary, router }: Tick): Plan<void> {
  if (settings.quirks['difference-resets-weights']) return yield* router.reconcile(canary)
  const before = yield* outcomeOf(router.getRoutes(canary))
  const corrected = yield* noticingUpdates(router.reconcile(canary))
  if (!corrected || before instanceof StepFailed || before.canaryWeight === 0) return
  yield* router.setRoutes(canary, before)
}

/** Step 12: the canary is initialised. */
export function* completeInitialisation(tick: Tick): Plan<void> {
  const { settings, canary } = tick
  if (!isInitialising(canary)) return
  canary.status = { ...statusOf(canary), phase: 'Initialized' }
  yield* wrapped(`failed to sync canary ${fullName(canary)} status: `, syncInitialized(tick))
  const stored = (yield* getObject(
    RESOURCES.canaries,
    namespaceOf(canary),
    canary.metadata.name,
    `failed to get canary ${fullName(canary)}: `
  )) as Canary
  const { lastAppliedSpec, trackedConfigs } = statusOf(stored)
  if (lastAppliedSpec !== undefined) canary.status.lastAppliedSpec = lastAppliedSpec
  if (trackedConfigs !== undefined) canary.status.trackedConfigs = { ...trackedConfigs }
  yield* setPhaseGauge(canary, 'Initialized')
  const message = `Initialization done! ${fullName(canary)}`
  yield* decide(canary, 'initialized', message)
  yield* recordInfo(settings, canary, message)
  const alert = `New ${canary.spec.targetRef.kind} detected, initialization completed.`
  yield* sendAlert(settings, canary, { message: alert, severity: 'info', withMetadata: true })
}

/** Step 13: whether there is anything to do; this is where an idle tick ends. */
export function* shouldAdvance(tick: Tick): Plan<boolean> {
  const { settings, canary, target } = tick
  const status = statusOf(canary)
  if (isUnderWay(status.phase)) return true
  if (status.phase === 'Failed' && settings.quirks['failed-loses-revisions']) yield* syncFailed(tick)
  if (yield* target.hasChanged(canary)) return true
  if (yield* target.haveConfigsChanged(canary)) return true
  yield* setPhaseGauge(canary, status.phase)
  if (!settings.quirks['manual-scale-up-stays']) yield* scaleDownIdle(tick)
  return false
}

/** Takes back what somebody scaled up outside a release; after a failed promotion the canary may have to serve. */
function* scaleDownIdle({ canary, target }: Tick): Plan<void> {
  if (statusOf(canary).phase === 'Failed' || (yield* target.isScaledToZero(canary))) return
  yield* target.scaleToZero(canary)
}

/** Step 14: the primary is ready; when it is stuck the release is rolled back. */
export function* primaryIsReady(tick: Tick): Plan<boolean> {
  const { settings, canary } = tick
  if (canary.spec.skipAnalysis === true) return true
  const failure = yield* failureOf(tick.target.primaryReady(canary))
  if (failure === undefined) return true
  if (!settings.quirks['stuck-primary-gates-fixes'] && !isUnderWay(statusOf(canary).phase)) return true
  yield* decide(canary, 'halt-not-ready', failure.message)
  yield* recordWarning(settings, canary, failure.message)
  if (failure.retriable) return false
  if (isPromoting(tick)) yield* handleFailedPromotion(tick, failure)
  else yield* rollbackNotReady(tick, failure)
  return false
}

/** Step 15: weights as the mesh has them. */
export function* readRoutes(tick: Tick): Plan<void> {
  tick.routes = yield* tick.router.getRoutes(tick.canary)
  yield* setWeightGauges(tick.canary, tick.routes.primaryWeight, tick.routes.canaryWeight)
}

/** Step 16: a new revision waits for its gate, then is scaled up; the tick ends with either. */
export function* checkCanaryStatus(tick: Tick): Plan<boolean> {
  const { phase } = statusOf(tick.canary)
  yield* setPhaseGauge(tick.canary, phase)
  if (isUnderWay(phase) && phase !== 'Waiting') return true
  const asksNow = phase === 'Waiting' && !tick.settings.quirks['rollback-hook-not-asked-while-waiting']
  if (!asksNow || !(yield* rollbackAsked(tick))) yield* startRevision(tick)
  return false
}

/** Step 17: another revision during the analysis starts it anew. */
export function* restartedOnNewRevision(tick: Tick): Plan<boolean> {
  const { settings, canary } = tick
  if (!isAnalysing(statusOf(canary).phase) || !(yield* revisionChanged(tick))) return false
  const message = `New revision detected! Restarting analysis for ${releaseName(settings, canary)}`
  yield* decide(canary, 'analysis-restarted', message)
  yield* recordInfo(settings, canary, message)
  yield* tick.router.setRoutes(canary, TO_PRIMARY)
  yield* sync(tick, { phase: 'Progressing' })
  return true
}

/** Step 18: the canary is ready; when it is stuck the release is rolled back. */
export function* canaryIsReady(tick: Tick): Plan<boolean> {
  const failure = yield* failureOf(checkCanary(tick))
  if (failure === undefined) return true
  yield* decide(tick.canary, 'halt-not-ready', failure.message)
  yield* recordWarning(tick.settings, tick.canary, failure.message)
  if (!failure.retriable) yield* rollbackNotReady(tick, failure)
  return false
}

function* checkCanary({ settings, canary, target }: Tick): Plan<void> {
  yield* target.canaryReady(canary)
  if (settings.quirks['zero-replicas-are-ready'] || !isAnalysing(statusOf(canary).phase)) return
  if (yield* target.isScaledToZero(canary))
    throw new StepFailed(`canary ${targetFullName(canary)} not ready: scaled to zero`, { retriable: false })
}

/** Step 19: without analysis the release is promoted at once. */
export function* skippedAnalysis(tick: Tick): Plan<boolean> {
  if (tick.canary.spec.skipAnalysis !== true) return false
  yield* promoteWithoutAnalysis(tick)
  return true
}

/** Step 20: a rollback hook asks for a rollback. */
export function* rolledBackManually(tick: Tick): Plan<boolean> {
  return isAnalysing(statusOf(tick.canary).phase) && (yield* rollbackAsked(tick))
}

function* rollbackAsked(tick: Tick): Plan<boolean> {
  const { settings, canary } = tick
  if (!(yield* rollbackRequested(settings, canary))) return false
  const message = `Rolling back ${fullName(canary)} manual webhook invoked`
  yield* decide(canary, 'rollback-manual', message)
  yield* recordWarning(settings, canary, message)
  yield* sendAlert(settings, canary, { message: 'Rolling back manual webhook invoked', severity: 'warn' })
  yield* rollback(tick)
  return true
}

/** Steps 21 and 22: traffic back to the primary, then the end. */
export function* promoted(tick: Tick): Plan<boolean> {
  const { phase } = statusOf(tick.canary)
  if (phase === 'Promoting') {
    if (tick.scaler !== undefined) yield* tick.scaler.reconcilePrimary(tick.canary, 'update')
    yield* shiftToPrimary(tick)
  } else if (phase === 'Finalising') {
    yield* finishRelease(tick)
  } else {
    return false
  }
  return true
}

/** Step 23: too many failed checks end the release. */
export function* rolledBackOnFailedChecks(tick: Tick): Plan<boolean> {
  const { phase, failedChecks } = statusOf(tick.canary)
  if (!isAnalysing(phase) || failedChecks < failedChecksThreshold(tick.canary)) return false
  yield* rollback(tick)
  return true
}

function* sync({ canary, target }: Tick, status: SyncedStatus): Plan<void> {
  yield* syncStatus(canary, status, yield* target.revision(canary))
}

/** A template changed since the primary was made is recorded as promoted all the same, and so lost. */
function* syncInitialized(tick: Tick): Plan<void> {
  const { settings, canary, target } = tick
  const revision = yield* target.revision(canary)
  const isLost = settings.quirks['revision-during-init-is-lost'] || (yield* target.primaryIsCurrent(canary))
  yield* syncStatus(canary, { phase: 'Initialized' }, isLost ? revision : { ...revision, hash: UNKNOWN_REVISION })
}

/** While Failed, hash, configs and time are written on every tick: a revision may get lost that way. */
function* syncFailed(tick: Tick): Plan<void> {
  const failure = yield* failureOf(syncSameStatus(tick))
  if (failure === undefined) return
  yield* log('error', failure.message, fullName(tick.canary))
  throw failure
}

function* syncSameStatus({ settings, canary, target }: Tick): Plan<void> {
  const revision = yield* target.revision(canary)
  const { lastAppliedSpec, trackedConfigs } = statusOf(canary)
  const isKnown = revision.hash === lastAppliedSpec && sameButEmpty(revision.configs, trackedConfigs)
  if (isKnown && !settings.quirks['failed-refreshes-transition-time']) return
  yield* syncStatus(canary, statusOf(canary), revision)
}

/** Errors count as no change. */
function* revisionChanged({ canary, target }: Tick): Plan<boolean> {
  if ((yield* outcomeOf(target.hasChanged(canary))) === true) return true
  return (yield* outcomeOf(target.haveConfigsChanged(canary))) === true
}

function* startRevision(tick: Tick): Plan<void> {
  const { settings, target, scaler } = tick
  const fresh = yield* readFresh(tick.canary)
  const untold: string[] = []
  if (fresh === undefined || !(yield* rolloutConfirmed(settings, fresh, untold))) return
  const progressing = withPhase(fresh, 'Progressing')
  const message = `New revision detected! Scaling up ${releaseName(settings, fresh)}`
  yield* decide(fresh, 'new-revision', message)
  yield* recordInfo(settings, progressing, message)
  for (const text of untold) yield* recordInfo(settings, progressing, text)
  const alert = 'New revision detected, progressing canary analysis.'
  yield* sendAlert(settings, progressing, { message: alert, severity: 'info', withMetadata: true })
  if (!settings.quirks['failed-promotion-keeps-routes'] && tick.routes.canaryWeight > 0)
    yield* tick.router.setRoutes(fresh, TO_PRIMARY)
  if (scaler !== undefined) {
    const failure = yield* failureOf(scaler.resumeTarget(fresh))
    if (failure !== undefined) return yield* recordWarning(settings, fresh, failure.message)
  }
  const failure = yield* failureOf(target.scaleFromZero(fresh))
  if (failure !== undefined) return yield* recordError(settings, fresh, failure.message)
  const unsynced = yield* failureOf(sync({ ...tick, canary: fresh }, { phase: 'Progressing' }))
  if (unsynced !== undefined) return yield* log('error', unsynced.message, fullName(fresh))
  yield* setPhaseGauge(fresh, 'Progressing')
}

function* readFresh(canary: Canary): Plan<Canary | undefined> {
  try {
    return privateCanary(yield* getObject(RESOURCES.canaries, namespaceOf(canary), canary.metadata.name))
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
    yield* log('error', error.message, fullName(canary))
    return undefined
  }
}
